package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// request is a request in AWS's JSON protocol whose body was read.
type request struct {
	http    *http.Request
	body    []byte
	content uint64 // hash of the operation and the body
	attempt uint64 // how often this content was sent before
	// writes returns the writes in the body, read when they are first needed.
	writes func() ([]Write, error)
}

func read(r *http.Request) (*request, error) {
	q := &request{http: r}
	q.writes = sync.OnceValues(q.readWrites)
	if r.Body != nil {
		var err error
		q.body, err = io.ReadAll(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
	}
	q.content = mix(hash([]byte(q.target()))) ^ hash(q.body)

	return q, nil
}

// hash is the same for JSON that differs only in spaces and in the order of
// members, which is random when the SDK serializes a map.
func hash(content []byte) uint64 {
	var v any
	if json.Unmarshal(content, &v) == nil { // an empty body, for one, is not JSON
		if sorted, err := json.Marshal(v); err == nil {
			content = sorted
		}
	}
	h := fnv.New64a()
	_, _ = h.Write(content) // never fails

	return h.Sum64()
}

// target is the service's version and the operation, such as
// DynamoDB_20120810.PutItem or AmazonSQS.SendMessage.
func (q *request) target() string { return q.http.Header.Get("X-Amz-Target") }

func (q *request) operation() string {
	_, operation, _ := strings.Cut(q.target(), ".")
	return operation
}

// readWrites returns the writes of a PutItem, DeleteItem, BatchWriteItem,
// BatchExecuteStatement or TransactWriteItems. Other requests have none.
func (q *request) readWrites() ([]Write, error) {
	operation := q.operation()
	writing := []string{"PutItem", "DeleteItem", "BatchWriteItem", "BatchExecuteStatement", "TransactWriteItems"}
	if !slices.Contains(writing, operation) {
		return nil, nil
	}
	var input struct {
		TableName     string
		Item, Key     json.RawMessage
		RequestItems  tableWrites
		Statements    []statement
		TransactItems []transactItem
	}
	if err := json.Unmarshal(q.body, &input); err != nil {
		return nil, fmt.Errorf("faults: the body of %s: %w", operation, err)
	}

	switch operation {
	case "PutItem":
		return []Write{{input.TableName, true, input.Item}}, nil
	case "DeleteItem":
		return []Write{{input.TableName, false, input.Key}}, nil
	case "TransactWriteItems":
		return transactionWrites(input.TransactItems), nil
	case "BatchExecuteStatement":
		return statementWrites(input.Statements)
	default:
		return input.RequestItems.writes()
	}
}

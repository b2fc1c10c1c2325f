package faults

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
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
// members, which is random when the SDK has serialized a map.
func hash(content []byte) uint64 {
	canonical := jsontext.Value(slices.Clone(content))
	// What is not JSON, an empty body for one, is hashed as it is.
	_ = canonical.Canonicalize()
	h := fnv.New64a()
	_, _ = h.Write(canonical) // never fails
	return h.Sum64()
}

// target is the service's version and the operation, such as
// DynamoDB_20120810.PutItem or AmazonSQS.SendMessage.
func (q *request) target() string { return q.http.Header.Get("X-Amz-Target") }

func (q *request) operation() string {
	_, operation, _ := strings.Cut(q.target(), ".")
	return operation
}

// tableWrites are the writes of a BatchWriteItem by table.
type tableWrites map[string][]jsontext.Value

// tableWrite is one write of a BatchWriteItem.
type tableWrite struct {
	table string
	write jsontext.Value
}

// list returns the writes in the same order every time.
func (w tableWrites) list() []tableWrite {
	var list []tableWrite
	for _, table := range slices.Sorted(maps.Keys(w)) {
		for _, write := range w[table] {
			list = append(list, tableWrite{table, write})
		}
	}
	return list
}

func (w tableWrites) json() []byte {
	text, err := json.Marshal(w, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("faults: writes that were JSON: %v", err))
	}
	return text
}

// addTo adds the writes to the unprocessed ones of a BatchWriteItem's answer.
func (w tableWrites) addTo(answer []byte) ([]byte, error) {
	var members map[string]jsontext.Value
	var present struct{ UnprocessedItems tableWrites }
	if err := errors.Join(json.Unmarshal(answer, &members), json.Unmarshal(answer, &present)); err != nil {
		return nil, fmt.Errorf("faults: the answer of BatchWriteItem: %w", err)
	}
	for table, writes := range present.UnprocessedItems {
		w[table] = append(w[table], writes...)
	}
	members["UnprocessedItems"] = w.json()
	return json.Marshal(members, json.Deterministic(true))
}

// readWrites returns the writes of the request; other requests than PutItem,
// DeleteItem and BatchWriteItem have none.
func (q *request) readWrites() ([]Write, error) {
	var input struct {
		Item, Key    jsontext.Value
		RequestItems tableWrites
	}
	operation := q.operation()
	switch operation {
	case "PutItem", "DeleteItem", "BatchWriteItem":
	default:
		return nil, nil
	}
	if err := json.Unmarshal(q.body, &input); err != nil {
		return nil, fmt.Errorf("faults: the body of %s: %w", operation, err)
	}
	switch operation {
	case "PutItem":
		return []Write{{true, input.Item}}, nil
	case "DeleteItem":
		return []Write{{false, input.Key}}, nil
	}
	var writes []Write
	for _, w := range input.RequestItems.list() {
		var one struct {
			PutRequest    *struct{ Item jsontext.Value }
			DeleteRequest struct{ Key jsontext.Value }
		}
		if err := json.Unmarshal(w.write, &one); err != nil {
			return nil, fmt.Errorf("faults: a write of %s: %w", operation, err)
		}
		if one.PutRequest != nil {
			writes = append(writes, Write{true, one.PutRequest.Item})
		} else {
			writes = append(writes, Write{false, one.DeleteRequest.Key})
		}
	}
	return writes, nil
}

// split returns the body of a BatchWriteItem without the chosen writes, nil when
// none is left, and the chosen writes. chosen is in the order of writes.
func (q *request) split(chosen []bool) (kept []byte, left tableWrites, err error) {
	var members map[string]jsontext.Value
	var input struct{ RequestItems tableWrites }
	if err := errors.Join(json.Unmarshal(q.body, &members), json.Unmarshal(q.body, &input)); err != nil {
		return nil, nil, fmt.Errorf("faults: the body of BatchWriteItem: %w", err)
	}
	keep, left := tableWrites{}, tableWrites{}
	for n, w := range input.RequestItems.list() {
		to := keep
		if chosen[n] {
			to = left
		}
		to[w.table] = append(to[w.table], w.write)
	}
	if len(keep) == 0 {
		return nil, left, nil
	}
	members["RequestItems"] = keep.json()
	kept, err = json.Marshal(members, json.Deterministic(true))
	return kept, left, err
}

// refuse is an error answer.
func (q *request) refuse(status int, code string) *http.Response {
	return q.respond(status, refusal(code, "injected"))
}

func refusal(code, message string) []byte {
	return fmt.Appendf(nil, `{"__type":"com.amazonaws.faults#%s","message":%q}`, code, message)
}

func (q *request) respond(status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {q.http.Header.Get("Content-Type")}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: q.http,
	}
}

// reset is the error of an HTTP client whose connection was reset.
func (q *request) reset() error {
	return &url.Error{Op: "Post", URL: q.http.URL.String(), Err: &net.OpError{
		Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}
}

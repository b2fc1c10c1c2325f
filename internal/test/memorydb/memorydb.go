// Package memorydb is an in-memory DynamoDB for tests: fast enough for millions
// of requests, with DynamoDB's own answers.
//
//	db := memorydb.New()
//	client := dynamodb.New(dynamodb.Options{HTTPClient: db, Region: "us-east-1", Credentials: …})
//
// A [DB] replaces the AWS SDK's HTTP client, so a test covers the SDK's
// serialization, signature, retries and error handling. It uses no socket, goroutine
// or clock, so it works inside a [testing/synctest] bubble.
//
// It implements CreateTable, PutItem, DeleteItem, GetItem, BatchGetItem, BatchWriteItem
// and Scan, TransactWriteItems with Put, Delete and ConditionCheck, conditions on all
// writes but those of BatchWriteItem, and BatchExecuteStatement with the statements of
// package partiql. It refuses every operation, request member and part of an expression
// that it does not implement: no request means less here than in DynamoDB. A statement
// that it does not know is not even answered. Capacity is unlimited but counted, all reads
// are consistent, and a BatchWriteItem is applied as a whole; package faults makes requests
// fail. Signatures are not checked.
//
// The order of a Scan is that of a hash of the partition key, so it is arbitrary, but the same
// every time.
//
// The package's tests run one suite over it and over DynamoDB Local.
package memorydb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

// DB is a set of tables. It is safe for concurrent use; each request is atomic.
type DB struct {
	mu         sync.Mutex
	tables     map[string]*table
	conditions map[string]*condition // by expression
	statements map[string]partiql.Statement
	tokens     map[string]string // of successful transactions: what the request was
	requests   int
}

// New returns a DB without tables.
func New() *DB {
	return &DB{
		tables: map[string]*table{}, conditions: map[string]*condition{}, statements: map[string]partiql.Statement{},
		tokens: map[string]string{},
	}
}

// Do answers one request of DynamoDB's JSON protocol. It fails when the request
// cannot be read or its context has ended. A refusal is a response, as in DynamoDB.
func (db *DB) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status, header, body, err := db.answer(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// ServeHTTP answers like [DB.Do], for clients that need an endpoint.
func (db *DB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, header, body, err := db.answer(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	// A client that has gone away needs no answer.
	_, _ = w.Write(body) // #nosec G705 -- JSON, for a test's client
}

// Items returns the items of a table as canonical JSON, sorted as text, or nil for a
// table that does not exist.
//
// Canonical JSON is that of DynamoDB's requests without spaces, with attribute names
// and the elements of sets in order and numbers as DynamoDB returns them. So items
// are equal exactly when their texts are.
func (db *DB) Items(tableName string) []string {
	db.mu.Lock()
	defer db.mu.Unlock()
	t := db.tables[tableName]
	if t == nil {
		return nil
	}
	return t.list()
}

// Item returns the item with a key, a JSON object of attribute values, as canonical JSON. It
// is "" when there is none.
func (db *DB) Item(tableName string, key []byte) string {
	a, err := parseItem(key)
	if err != nil {
		return ""
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	t := db.tables[tableName]
	if t == nil {
		return ""
	}
	identity, err := t.checkKey(a)
	if err != nil {
		return ""
	}

	return t.items[identity].json
}

// WriteUnits returns the write units that the successful writes to a table have
// used: for each the started KB of the old or new item, of the larger one, and in
// transactions twice.
func (db *DB) WriteUnits(tableName string) int {
	db.mu.Lock()
	defer db.mu.Unlock()
	t := db.tables[tableName]
	if t == nil {
		return 0
	}

	return t.units
}

// ItemSize returns the size of an item, a JSON object of attribute values, in bytes.
func ItemSize(item []byte) (int, error) {
	a, err := parseItem(item)
	return a.size(), err
}

// Canonical returns an item, a JSON object of attribute values, in the form of
// [DB.Items]. It fails for JSON that is not an item and for values that DynamoDB
// refuses in any table.
func Canonical(item []byte) (string, error) {
	a, err := parseItem(item)
	if err != nil {
		return "", err
	}

	return string(a.append(nil)), nil
}

func parseItem(item []byte) (attributes, error) {
	v, err := parseJSON(item)
	if err != nil {
		return nil, err
	}

	return readAttributes(v, 1)
}

func (db *DB) answer(r *http.Request) (status int, header http.Header, body []byte, err error) {
	request, err := read(r)
	if err != nil {
		return 0, nil, nil, err
	}
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")

	db.mu.Lock()
	db.requests++
	id := fmt.Sprintf("%052d", db.requests)
	body, err = db.call(operation, request)
	db.mu.Unlock()

	status = http.StatusOK
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		status, body = refused.status, refused.body()
	} else if err != nil {
		return 0, nil, nil, err
	}

	// The keys are in the form that http.Header needs.
	return status, http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {id}}, body, nil
}

// read reads and closes the body of a request.
func read(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body := bytes.NewBuffer(make([]byte, 0, max(0, r.ContentLength)+bytes.MinRead))
	_, err := body.ReadFrom(r.Body)

	return body.Bytes(), errors.Join(err, r.Body.Close())
}

// Package endpoint is the DynamoDB endpoint of the benchmarks. It answers every
// write after a fixed delay, as a table with capacity to spare does, and does its
// accounting afterwards, so every variant waits equally long for an answer.
package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// Endpoint takes BatchWriteItem, PutItem and DeleteItem requests. It is safe for
// concurrent use.
type Endpoint struct {
	delay  time.Duration
	tables []spec.Table
	due    chan answer

	mu       sync.Mutex
	requests []request
}

// answer is due at a time. All wait equally long, so they are due in the order of
// their requests.
type answer struct {
	at    time.Time
	ready chan struct{}
}

type request struct {
	target string // the header that names the operation
	body   []byte
}

// done is the answer to a successful write.
const done = "{}"

// checksum is the answer's. Without one the SDK closes the connection.
var checksum = strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(done))), 10)

// maxWaiting is how many requests may wait for their answers: far more than any
// of the benchmarks has in flight.
const maxWaiting = 1024

// New returns an Endpoint with empty tables that answers a request delay after it has
// read it. It never ends.
func New(delay time.Duration, tables ...spec.Table) *Endpoint {
	e := &Endpoint{delay: delay, tables: tables, due: make(chan answer, maxWaiting)}
	go func() {
		for a := range e.due {
			pause(time.Until(a.at))
			close(a.ready)
		}
	}()
	return e
}

// ServeHTTP answers that a write succeeded. Settle carries it out.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := bytes.NewBuffer(make([]byte, 0, max(0, r.ContentLength)+bytes.MinRead))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return // the client has gone away
	}

	ready := make(chan struct{})
	e.due <- answer{time.Now().Add(e.delay), ready}
	e.mu.Lock()
	e.requests = append(e.requests, request{r.Header.Get("X-Amz-Target"), body.Bytes()})
	e.mu.Unlock()
	<-ready

	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", checksum)
	_, _ = io.WriteString(w, done) // a client that has gone away needs no answer
}

// Totals is the cost of a run, and the items that it left.
type Totals struct {
	Requests int
	// Bytes are those of the request bodies.
	Bytes int
	// WriteUnits are those that DynamoDB charges for.
	WriteUnits int
	// Items are the items of each table in the form of memorydb.DB.Items.
	Items map[string][]string
}

// Settle carries out all requests since the last call, in the order they came, on
// empty tables, and returns the totals. It is an error if DynamoDB would have
// refused one: for two writes of one key in a batch, for more than 25, for a
// condition that does not hold.
func (e *Endpoint) Settle(ctx context.Context) (Totals, error) {
	e.mu.Lock()
	requests := e.requests
	e.requests = nil
	e.mu.Unlock()

	db := memorydb.New()
	for _, t := range e.tables {
		if err := create(ctx, db, t); err != nil {
			return Totals{}, err
		}
	}

	totals := Totals{Requests: len(requests), Items: map[string][]string{}}
	for _, r := range requests {
		if err := apply(ctx, db, r); err != nil {
			return Totals{}, err
		}
		totals.Bytes += len(r.body)
	}
	for _, t := range e.tables {
		totals.Items[t.TableName] = db.Items(t.TableName)
		totals.WriteUnits += db.WriteUnits(t.TableName)
	}

	return totals, nil
}

func create(ctx context.Context, db *memorydb.DB, t spec.Table) error {
	client := dynamodb.New(dynamodb.Options{Region: "local", HTTPClient: db,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "endpoint", SecretAccessKey: "endpoint"}, nil
		})})
	input := &dynamodb.CreateTableInput{TableName: &t.TableName, BillingMode: types.BillingModePayPerRequest}
	for i, a := range t.Attributes() {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
		input.KeySchema = append(input.KeySchema, types.KeySchemaElement{
			AttributeName: &a.Name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
	}
	_, err := client.CreateTable(ctx, input)

	return err
}

// apply carries out one request.
func apply(ctx context.Context, db *memorydb.DB, r request) error {
	httpRequest, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	httpRequest.Header.Set("X-Amz-Target", r.target)
	response, err := db.Do(httpRequest)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(response.Body) // in memory
		return fmt.Errorf("DynamoDB would have refused a %s: %s",
			strings.TrimPrefix(r.target, "DynamoDB_20120810."), reason)
	}
	return nil
}

// Package endpoint is the DynamoDB endpoint of the benchmarks. It answers every
// write after a fixed delay, as a table with capacity to spare does, and does its
// accounting afterwards, so every variant waits equally long for an answer. Only where
// an answer depends on the items does it carry out a request before it answers.
package endpoint

import (
	"bytes"
	"context"
	"errors"
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

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/delay"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// Endpoint takes BatchWriteItem, PutItem, DeleteItem and BatchExecuteStatement
// requests; when it is live, also BatchGetItem. It is safe for concurrent use.
type Endpoint struct {
	delay  *delay.Delay
	tables []spec.Table

	mu       sync.Mutex
	live     bool
	requests []request
	// db holds the tables, nil before the first request is carried out. units are the write
	// units of the runs before.
	db    *memorydb.DB
	units int
	err   error // of a live request
}

type request struct {
	target   string // the header that names the operation
	body     []byte
	answered bool // it was carried out before it was answered
}

// done is the answer to a successful write.
var done = []byte("{}")

// checksum is an answer's. Without one the SDK closes the connection.
func checksum(answer []byte) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10)
}

// New returns an Endpoint with empty tables. It answers a request when the time by has passed since
// it has read it. It never ends.
func New(by time.Duration, tables ...spec.Table) *Endpoint {
	return &Endpoint{delay: delay.New(by), tables: tables}
}

// Live says whether requests are carried out before they are answered, from the next one on.
// Otherwise every answer is a success.
func (e *Endpoint) Live(live bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live = live
}

// ServeHTTP answers a request. Settle carries it out, unless the endpoint is live.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := bytes.NewBuffer(make([]byte, 0, max(0, r.ContentLength)+bytes.MinRead))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return // the client has gone away
	}

	ready := e.delay.Begin()
	status, text := e.take(request{target: r.Header.Get("X-Amz-Target"), body: body.Bytes()})
	<-ready

	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", checksum(text))
	w.WriteHeader(status)
	_, _ = w.Write(text) // #nosec G705 -- JSON; a client that has gone away needs no answer
}

// take keeps a request, and returns its answer.
func (e *Endpoint) take(r request) (status int, answer []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.live {
		e.requests = append(e.requests, r)
		return http.StatusOK, e.success(r)
	}

	r.answered = true
	status, answer, err := e.carryOut(context.Background(), r)
	e.requests = append(e.requests, r)
	if err != nil {
		e.err = err
		return http.StatusInternalServerError, done
	}

	return status, answer
}

// success returns the answer to a request that is carried out later: DynamoDB answers every
// statement.
func (e *Endpoint) success(r request) []byte {
	statements := bytes.Count(r.body, []byte(`{"Statement":`))
	if statements == 0 || !strings.HasSuffix(r.target, ".BatchExecuteStatement") {
		return done
	}
	one := fmt.Sprintf(`{"TableName":%q},`, e.tables[0].TableName)

	return fmt.Appendf(nil, `{"Responses":[%s]}`, strings.TrimSuffix(strings.Repeat(one, statements), ","))
}

// Totals is the cost of a run, and the items that it left.
type Totals struct {
	Requests int
	// Single counts the PutItem and DeleteItem requests, Reads the BatchGetItem requests.
	Single, Reads int
	// Bytes are those of the request bodies.
	Bytes int
	// WriteUnits are those that DynamoDB charges for.
	WriteUnits int
	// Items are the items of each table in the form of memorydb.DB.Items.
	Items map[string][]string
}

// Settle carries out all requests since the last call, in the order they came, and returns
// the totals. It is an error if DynamoDB would have refused one that was answered as a
// success: for two writes of one key in a batch, for more than 25, for a condition that does
// not hold. The tables keep their items for the next run, or are empty again.
func (e *Endpoint) Settle(ctx context.Context, keep bool) (Totals, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	requests, err := e.requests, e.err
	e.requests, e.err = nil, nil

	db, emptyErr := e.database(ctx)
	if err := errors.Join(err, emptyErr); err != nil {
		return Totals{}, err
	}
	totals := Totals{Requests: len(requests), Items: map[string][]string{}}
	for _, r := range requests {
		if err := e.apply(ctx, r); err != nil {
			return Totals{}, err
		}
		totals.Bytes += len(r.body)
		switch {
		case strings.HasSuffix(r.target, ".PutItem"), strings.HasSuffix(r.target, ".DeleteItem"):
			totals.Single++
		case strings.HasSuffix(r.target, ".BatchGetItem"):
			totals.Reads++
		}
	}

	units := 0
	for _, t := range e.tables {
		totals.Items[t.TableName] = db.Items(t.TableName)
		units += db.WriteUnits(t.TableName)
	}
	totals.WriteUnits = units - e.units
	if e.units = units; !keep {
		e.db, e.units = nil, 0
	}

	return totals, nil
}

// database returns the tables, empty ones at first.
func (e *Endpoint) database(ctx context.Context) (*memorydb.DB, error) {
	if e.db != nil {
		return e.db, nil
	}
	e.db = memorydb.New()
	for _, t := range e.tables {
		if err := create(ctx, e.db, t); err != nil {
			return nil, err
		}
	}

	return e.db, nil
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

// apply carries out a request that was answered as a success.
func (e *Endpoint) apply(ctx context.Context, r request) error {
	if r.answered {
		return nil
	}
	status, answer, err := e.carryOut(ctx, r)
	if err != nil {
		return err
	}
	if status != http.StatusOK || bytes.Contains(answer, []byte(`{"Error":`)) {
		return fmt.Errorf("DynamoDB would have refused a %s: %s",
			strings.TrimPrefix(r.target, "DynamoDB_20120810."), answer)
	}
	return nil
}

// carryOut carries out a request.
func (e *Endpoint) carryOut(ctx context.Context, r request) (status int, answer []byte, err error) {
	db, err := e.database(ctx)
	if err != nil {
		return 0, nil, err
	}
	httpRequest, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(r.body))
	if err != nil {
		return 0, nil, err
	}
	httpRequest.Header.Set("X-Amz-Target", r.target)
	response, err := db.Do(httpRequest)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)

	return response.StatusCode, answer, err
}

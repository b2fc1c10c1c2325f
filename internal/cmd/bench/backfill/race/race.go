// Package race fills a target table while an application writes to the source table and the replicator
// applies the stream, and counts what is wrong in the end.
package race

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/runtime/replicator"
)

// Race is a source table, what writes to it meanwhile, and what fills the target table.
type Race struct {
	Seed uint64
	// Items are in the source table at the beginning.
	Items int
	// WritesPerSecond is how often the application writes in a second of the time that the requests of
	// Fill would take.
	WritesPerSecond float64
	// Fill fills the target table, with so many requests in flight at once.
	Fill     func(ctx context.Context, o dynamodb.Options) error
	InFlight int
}

// Outcome is what a race leaves.
type Outcome struct {
	// Writes are those of the application.
	Writes int
	// Missing source items have no target item. Stale target items differ from what their source items
	// map to. Orphans have no source item, or one that maps elsewhere.
	Missing, Stale, Orphans int
}

// Wrong returns the number of wrong items.
func (o Outcome) Wrong() int { return o.Missing + o.Stale + o.Orphans }

// Add adds another outcome.
func (o *Outcome) Add(more Outcome) {
	o.Writes += more.Writes
	o.Missing += more.Missing
	o.Stale += more.Stale
	o.Orphans += more.Orphans
}

// requestTime is how long a request would take.
const requestTime = 5 * time.Millisecond

// maxBehind is the highest number of records that the stream is behind.
const maxBehind = 32

// Run carries out the race, drains the stream and compares the tables.
func (r Race) Run(ctx context.Context) (Outcome, error) {
	db := memorydb.New()
	url, closeServer, err := serve(ctx, db)
	if err != nil {
		return Outcome{}, err
	}
	defer closeServer()
	handler, err := newReplicator(url)
	if err != nil {
		return Outcome{}, err
	}
	s := orders.Unique()
	for _, table := range []spec.Table{s.Source, s.Targets[0].Table} {
		if err := create(ctx, db, table); err != nil {
			return Outcome{}, err
		}
	}
	app := newApplication(db, r.Seed)
	if err := app.begin(ctx, r.Items); err != nil {
		return Outcome{}, err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &client{
		db: db, due: make(chan struct{}),
		writes: r.WritesPerSecond * requestTime.Seconds() / float64(max(r.InFlight, 1)),
	}
	var others sync.WaitGroup
	others.Go(func() {
		defer close(app.records)
		cancelOn(cancel, app.work(ctx, c.due))
	})
	others.Go(func() { cancelOn(cancel, deliver(ctx, r.Seed, app.records, handler)) })
	err = r.Fill(ctx, dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://memory"), Credentials: aws.AnonymousCredentials{},
		HTTPClient: c,
	})
	close(c.due)
	others.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}

	outcome := compare(db)
	outcome.Writes = app.writes

	return outcome, err
}

func cancelOn(cancel context.CancelCauseFunc, err error) {
	if err != nil {
		cancel(err)
	}
}

// serve serves the tables to the replicator.
func serve(ctx context.Context, db *memorydb.DB) (url string, closeServer func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: db, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it ends when the server is closed

	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func newReplicator(url string) (*replicator.Replicator, error) {
	environment := map[string]string{
		spec.EnvironmentVariable: orders.Unique().Encode(),
		"AWS_REGION":             "us-east-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
		"AWS_ENDPOINT_URL": url,
	}

	return replicator.New(func(name string) string { return environment[name] }, slog.New(slog.DiscardHandler))
}

func create(ctx context.Context, db *memorydb.DB, t spec.Table) error {
	var definitions, schema []string
	for i, a := range t.Attributes() {
		definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, a.Name, a.Type))
		schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, a.Name, []string{"HASH", "RANGE"}[i]))
	}

	return request(ctx, db, "CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[%s],"KeySchema":[%s]}`,
		t.TableName, strings.Join(definitions, ","), strings.Join(schema, ",")))
}

// request sends a request that must succeed.
func request(ctx context.Context, db *memorydb.DB, operation, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://memory", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	response, err := db.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", operation, text)
	}

	return err
}

// client carries the requests of what fills the target table. Each lets the application write as often
// as it would in the time of the request: so the writes do not depend on how fast the machine is.
type client struct {
	db     *memorydb.DB
	writes float64 // for each request
	due    chan struct{}

	mu   sync.Mutex
	owed float64
}

func (c *client) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.owed += c.writes
	n := int(c.owed)
	c.owed -= float64(n)
	c.mu.Unlock()
	for range n {
		select {
		case c.due <- struct{}{}:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}

	return c.db.Do(r)
}

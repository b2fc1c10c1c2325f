package reconciler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// harness is a source table, its target tables, and a Reconciler for them. What happens between two
// of its requests is written into before.
type harness struct {
	t    *testing.T
	db   engine
	spec spec.Spec
	r    *Reconciler

	mu   sync.Mutex
	sent map[string]int // by operation
	// faults are in front of the tables, for the Reconciler only.
	faults *faults.Injector
	// before is called before a request is answered, with the operation and its number, from 1.
	before   func(operation string, number int)
	found    []Finding
	segments []Segment // what was saved
}

// engine is what the tables are in.
type engine interface {
	Do(r *http.Request) (*http.Response, error)
	// Items returns the items of a table in canonical JSON, sorted.
	Items(table string) []string
}

var operations = []string{"Scan", "BatchGetItem", "BatchExecuteStatement", "PutItem", "TransactWriteItems"}

// start creates the tables of a spec in memory.
func start(t *testing.T, s spec.Spec, options Options) *harness {
	t.Helper()
	return startIn(t, memorydb.New(), s, options)
}

func startIn(t *testing.T, db engine, s spec.Spec, options Options) *harness {
	t.Helper()
	if problems := s.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	h := &harness{t: t, db: db, spec: s, sent: map[string]int{}}
	h.faults = faults.New(h.db, 1)
	h.create(s.Source)
	for _, target := range s.Targets {
		h.create(target.Table)
	}
	options.DynamoDB = dynamodb.Options{
		Region: "us-east-1", HTTPClient: h,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	}
	options.Report = func(f Finding) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.found = append(h.found, f)
	}
	h.r = New(s, options)

	return h
}

// Do answers a request of the Reconciler.
func (h *harness) Do(r *http.Request) (*http.Response, error) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	h.mu.Lock()
	h.sent[operation]++
	number, before := h.sent[operation], h.before
	h.mu.Unlock()
	if !slices.Contains(operations, operation) {
		h.t.Errorf("sent %s, for which there is no right", operation)
	}
	if before != nil {
		before(operation, number)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	for _, write := range []string{
		`"Put":{"TableName":"source"`, `"Delete":{"TableName":"source"`, `INSERT INTO \"source\"`,
	} {
		if strings.Contains(string(body), write) {
			h.t.Errorf("%s writes to the source", operation)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))

	return h.faults.Do(r)
}

// request sends a request of somebody else.
func (h *harness) request(operation, body string) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(
		context.Background(), http.MethodPost, "http://memory/", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	response, err := h.db.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		h.t.Fatalf("%s %s: %s", operation, body, text)
	}
}

func (h *harness) create(t spec.Table) {
	var definitions, schema []string
	for i, a := range t.Attributes() {
		definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, a.Name, a.Type))
		schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, a.Name, []string{"HASH", "RANGE"}[i]))
	}
	h.request("CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[%s],"KeySchema":[%s]}`,
		t.TableName, strings.Join(definitions, ","), strings.Join(schema, ",")))
}

// put puts an item, as the application or the stream does. It is written as name=value pairs.
func (h *harness) put(table string, pairs ...string) {
	h.t.Helper()
	h.request("PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, item(pairs...)))
}

func (h *harness) delete(table string, pairs ...string) {
	h.t.Helper()
	h.request("DeleteItem", fmt.Sprintf(`{"TableName":%q,"Key":%s}`, table, item(pairs...)))
}

// item returns an item in canonical JSON. A value that begins with a brace is an attribute value, any
// other a string.
func item(pairs ...string) string {
	members := make([]string, len(pairs))
	for i, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		if !strings.HasPrefix(value, "{") {
			value = fmt.Sprintf(`{"S":%q}`, value)
		}
		members[i] = fmt.Sprintf("%q:%s", name, value)
	}
	text := "{" + strings.Join(members, ",") + "}"
	canonical, err := memorydb.Canonical([]byte(text))
	if err != nil {
		return text
	}
	return canonical
}

// want compares the items of a table.
func (h *harness) want(table string, items ...string) {
	h.t.Helper()
	slices.Sort(items)
	got := h.db.Items(table)
	if !slices.Equal(got, items) {
		h.t.Errorf("%s has\n  %s\nwant\n  %s", table, strings.Join(got, "\n  "), strings.Join(items, "\n  "))
	}
}

// run carries out all passes of an operation, with so many segments, and returns the counts.
func (h *harness) run(operation Operation, segments int) Counts {
	h.t.Helper()
	var counts Counts
	for i, pass := range h.r.Passes(operation) {
		if operation == Backfill && i > 0 {
			break // nothing was interrupted
		}
		for n := range segments {
			s := Segment{Pass: pass, Number: n, Of: segments}
			h.finish(&s)
			counts.Add(s.Counts)
		}
	}
	return counts
}

// finish carries out all pages of a segment, each from the progress that was saved.
func (h *harness) finish(s *Segment) {
	h.t.Helper()
	for !s.Done {
		text, err := json.Marshal(s)
		if err != nil {
			h.t.Fatal(err)
		}
		*s = Segment{}
		if err := json.Unmarshal(text, s); err != nil {
			h.t.Fatal(err)
		}
		if err := h.r.Page(h.t.Context(), s, h.save); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *harness) save(s Segment) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.segments = append(h.segments, s)
	return nil
}

func (h *harness) reconcile(key string, also ...Key) Result {
	h.t.Helper()
	result, err := h.r.Reconcile(h.t.Context(), json.RawMessage(key), nil, also)
	if err != nil {
		h.t.Fatal(err)
	}
	return result
}

// The specs of the tests: a source table of users by id, and a target of them by city.

func unique() spec.Spec {
	s := spec.New()
	s.FailureQueueURL = "https://queue"
	s.Source = spec.Table{TableName: "source", KeySchema: spec.KeySchema{
		PartitionKey: spec.Attribute{Name: "id", Type: "S"},
	}}
	s.Targets = []spec.Target{{
		Table: spec.Table{TableName: "target", KeySchema: spec.KeySchema{
			PartitionKey: spec.Attribute{Name: "city", Type: "S"}, SortKey: &spec.Attribute{Name: "id", Type: "S"},
		}},
		Projection: spec.Projection{Type: spec.All},
	}}
	return s
}

func guarded() spec.Spec {
	s := unique()
	s.Targets[0].VersionAttribute = "v"
	return s
}

// lastWriterWins is a target that has one user of each city.
func lastWriterWins() spec.Spec {
	s := guarded()
	s.Targets[0].SortKey = nil
	s.Targets[0].OnKeyCollision = spec.LastWriterWins
	return s
}

package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/statement"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// function is a replicator in front of an in-memory table that fails on purpose, with its
// failure queue and its log.
type function struct {
	*Replicator
	db     *memorydb.DB
	faults *faults.Injector
	queue  *recordingQueue
	log    *bytes.Buffer
}

func newFunction(t *testing.T, s spec.Spec, rules ...faults.Rule) *function {
	t.Helper()
	f := &function{db: memorydb.New(), queue: &recordingQueue{}, log: &bytes.Buffer{}}
	createTarget(t, f.db, s.Targets[0])
	f.faults = faults.New(f.db, 1, rules...)
	f.Replicator = f.replicator(s)
	return f
}

func (f *function) replicator(s spec.Spec) *Replicator { return f.at(f.faults, s) }

// at returns a replicator whose requests go to a client.
func (f *function) at(client aws.HTTPClient, s spec.Spec) *Replicator {
	r := inMemory(client).replicator(s, slog.New(slog.NewJSONHandler(f.log, nil)))
	r.failureQueue.queue = f.queue
	return r
}

// singly makes the function send guarded writes one by one, as to a table that takes no
// statements.
func (f *function) singly() { singly(f.Replicator) }

func singly(r *Replicator) {
	for _, b := range r.writer.fallbacks {
		for by := range b {
			for range statement.MaxRefusedCalls {
				b[by].Refuse(errStatementDenied)
			}
			_ = b[by].Report() // it is not logged
		}
	}
}

// inMemory is the configuration of clients that send their requests to a Go value.
func inMemory(http aws.HTTPClient) config {
	return config{
		Config: awsconfig.Config{
			Region:      "us-east-1",
			Credentials: aws.AnonymousCredentials{},
			Endpoint:    func(string) *string { return aws.String("http://memory") },
		},
		inFlight: minInFlight,
		http:     http,
	}
}

// invoke delivers records as Lambda does, with a function timeout of 10 seconds,
// and returns the sequence numbers that must be redelivered.
func (f *function) invoke(t *testing.T, records ...string) []string {
	t.Helper()
	const timeout = 10 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	start := time.Now()
	answer, err := f.Invoke(ctx, payload(records...))
	if err != nil {
		t.Fatal(err)
	}
	if elapsed := time.Since(start); elapsed > timeout-minReserve {
		t.Errorf("F4: it answered after %s of %s", elapsed, timeout)
	}
	var response struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	var failed []string
	for _, failure := range response.BatchItemFailures {
		failed = append(failed, strings.TrimLeft(failure.ItemIdentifier, "0"))
	}
	return failed
}

// recordingQueue keeps the messages that it accepts.
type recordingQueue struct {
	bodies []string
	refuse func(body string) error
}

func (q *recordingQueue) send(_ context.Context, bodies []string) map[int]error {
	errs := map[int]error{}
	for i, body := range bodies {
		if q.refuse != nil {
			if err := q.refuse(body); err != nil {
				errs[i] = err
				continue
			}
		}
		q.bodies = append(q.bodies, body)
	}
	return errs
}

// messages returns the messages in the queue.
func (q *recordingQueue) messages(t *testing.T) []failurequeue.Message {
	t.Helper()
	var messages []failurequeue.Message
	for _, body := range q.bodies {
		var m failurequeue.Message
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		messages = append(messages, m)
	}
	return messages
}

// insertion returns a record that inserts an item of uniqueSpec.
func insertion(sequence int, id string, more ...string) string {
	return record("INSERT", sequence, item("id", id), "", item(append([]string{"id", id, "group", "g"}, more...)...))
}

// expiry is the record of an item that time to live deletes.
func expiry(sequence int, id, oldImage string) string {
	return strings.TrimSuffix(record("REMOVE", sequence, item("id", id), oldImage, ""), "}") +
		`,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}`
}

// selects returns a selection of the writes that contain text, for a rule.
func selects(text string) func(faults.Write) bool {
	return func(w faults.Write) bool { return bytes.Contains(w.Attributes, []byte(text)) }
}

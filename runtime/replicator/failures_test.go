package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// function is a replicator in front of an in-memory table that fails on purpose,
// with what it leaves behind.
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

func (f *function) replicator(s spec.Spec) *Replicator {
	r := inMemory(f.faults).replicator(s, slog.New(slog.NewJSONHandler(f.log, nil)))
	r.failureQueue.queue = f.queue
	return r
}

// inMemory is the configuration of clients that send their requests to a Go value.
func inMemory(http aws.HTTPClient) config {
	return config{
		region:      "us-east-1",
		credentials: aws.AnonymousCredentials{},
		endpoint:    func(string) *string { return aws.String("http://memory") },
		inFlight:    minInFlight,
		http:        http,
	}
}

// invoke delivers records as Lambda does, with a function timeout of 10 seconds,
// and returns the sequence numbers that must come again.
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
	if took := time.Since(start); took > timeout-minReserve {
		t.Errorf("F4: it answered after %s of %s", took, timeout)
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

// recordingQueue keeps what it takes.
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

// messages returns what is in the queue.
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

// insertion is a record that inserts an item into the unique mapping.
func insertion(sequence int, id string, more ...string) string {
	return record("INSERT", sequence, item("id", id), "", item(append([]string{"id", id, "group", "g"}, more...)...))
}

// selects makes a rule hit only writes that contain text.
func selects(text string) func(faults.Write) bool {
	return func(w faults.Write) bool { return bytes.Contains(w.Attributes, []byte(text)) }
}

func TestARecordThatCanNeverBeAppliedGoesToTheFailureQueueAndCountsAsDone(t *testing.T) {
	// F1. The neighbours are applied, and the shard goes on.
	bad := record("MODIFY", 2, item("id", "2"), item("id", "2", "group", "g", "secret", "s3cret"), `{"id":{"S":"2"},"group":{"N":"7"}}`)
	f := newFunction(t, uniqueSpec(all))
	if again := f.invoke(t, insertion(1, "1"), bad, insertion(3, "3")); again != nil {
		t.Errorf("records come again: %v", again)
	}
	if items := f.db.Items("target"); len(items) != 2 {
		t.Errorf("the neighbours must be applied: %v", items)
	}
	messages := f.queue.messages(t)
	if len(messages) != 1 {
		t.Fatalf("got %d messages, want 1", len(messages))
	}
	got := messages[0]
	want := failurequeue.Message{
		Version:        1,
		Reason:         `key attribute "group" has type N, the key schema says S`,
		TargetTable:    "target",
		StreamARN:      "arn:aws:dynamodb:eu-west-1:123456789012:table/source/stream/2026-01-02T03:04:05.678",
		EventName:      "MODIFY",
		SequenceNumber: fmt.Sprintf("%024d", 2),
		CreatedAt:      json.RawMessage("1700000002"),
		SourceKey:      json.RawMessage(`{"id":{"S":"2"}}`),
		OldImage:       json.RawMessage(item("id", "2", "group", "g", "secret", "s3cret")),
		NewImage:       json.RawMessage(`{"id":{"S":"2"},"group":{"N":"7"}}`),
	}
	if encodeMessage(got) != encodeMessage(want) {
		t.Errorf("got  %s\nwant %s", encodeMessage(got), encodeMessage(want))
	}
	if log := f.log.String(); !strings.Contains(log, "failure queue") || strings.Contains(log, "s3cret") {
		t.Errorf("the log must say that something was given up, and never what: %s", log)
	}
}

func TestARecordThatCannotBeDecodedGoesToTheFailureQueueWhole(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	bad := `{"eventName":"INSERT","dynamodb":{"SequenceNumber":"2","Keys":{"id":{"S":"2"}},"NewImage":["no image"]}}`
	if again := f.invoke(t, insertion(1, "1"), " \n"+bad, insertion(3, "3")); again != nil {
		t.Errorf("records come again: %v", again)
	}
	messages := f.queue.messages(t)
	if len(messages) != 1 || string(messages[0].Record) != bad || messages[0].TargetTable != "" || messages[0].LeftOut {
		t.Errorf("got %+v", messages)
	}
}

func TestAnItemThatTheTableRefusesIsFoundWithoutFailingItsNeighbours(t *testing.T) {
	// F1. One bad item refuses a whole BatchWriteItem call.
	for _, guarded := range []bool{false, true} {
		s := uniqueSpec(all)
		if guarded {
			s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
		}
		f := newFunction(t, s, faults.Rule{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
			return w.Put && bytes.Contains(w.Attributes, []byte("poison"))
		}})
		var records []string
		for i := range 60 {
			note := "fine"
			if i == 7 || i == 31 || i == 32 {
				note = "poison"
			}
			records = append(records, insertion(i, fmt.Sprint(i), "note", note))
		}
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("records come again: %v", again)
		}
		if n := len(f.db.Items("target")); n != 57 {
			t.Errorf("the target has %d items, want the 57 neighbours", n)
		}
		var keys []string
		for _, m := range f.queue.messages(t) {
			keys = append(keys, string(m.SourceKey))
		}
		if want := []string{item("id", "7"), item("id", "31"), item("id", "32")}; !slices.Equal(keys, want) {
			t.Errorf("the failure queue has %v, want %v", keys, want)
		}
		if log := f.log.String(); strings.Contains(log, "poison") {
			t.Errorf("the log quotes the item: %s", log)
		}
	}
}

func TestARefusedPutDoesNotLeaveAnOlderStateBehind(t *testing.T) {
	// D6: what the item was is no longer so, and its new state cannot be shown.
	f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
		return w.Put && bytes.Contains(w.Attributes, []byte("poison"))
	}})
	f.invoke(t, insertion(1, "1", "note", "fine"))
	f.invoke(t, record("MODIFY", 2, item("id", "1"), item("id", "1", "group", "g", "note", "fine"), item("id", "1", "group", "g", "note", "poison")))
	if items := f.db.Items("target"); len(items) != 0 {
		t.Errorf("the target still shows %v", items)
	}
}

func TestImagesThatDoNotFitAreLeftOutAndThatIsSaid(t *testing.T) {
	large := strings.Repeat("x", 600_000)
	f := newFunction(t, uniqueSpec(all))
	f.invoke(t,
		record("MODIFY", 1, item("id", "1"), item("id", "1", "group", "g", "note", large), `{"id":{"S":"1"},"group":{"BOOL":true},"note":{"S":"`+large+`"}}`),
		record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":{"BOOL":true},"note":{"S":"`+large+`"}}`))
	messages := f.queue.messages(t)
	if len(messages) != 2 || !messages[0].LeftOut || messages[0].NewImage != nil || messages[0].OldImage != nil || messages[0].SourceKey == nil {
		t.Fatalf("the first message must be without images and say so: %d messages", len(messages))
	}
	if messages[1].LeftOut || len(messages[1].NewImage) < len(large) {
		t.Error("the second message fits and must be whole")
	}
	for _, body := range f.queue.bodies {
		if len(body) > maxQueueBytes {
			t.Errorf("a message has %d bytes", len(body))
		}
	}
}

func TestAMessageHoldsOnlyCharactersThatSQSTakes(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	f.invoke(t, record("INSERT", 1, item("id", "1"), "", "{\"id\":{\"S\":\"1\"},\"group\":{\"BOOL\":true},\"note\":{\"S\":\"a\uffffb\ufffec<&>\"}}"))
	if body := f.queue.bodies[0]; strings.ContainsAny(body, "\ufffe\uffff") || !strings.Contains(body, `a\uffffb\ufffec<&>`) {
		t.Errorf("got %s", body)
	}
	if got := string(f.queue.messages(t)[0].NewImage); !strings.Contains(got, `\uffff`) {
		t.Errorf("the character is lost: %s", got)
	}
}

func TestWhatTheFailureQueueDoesNotTakeComesAgain(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	bad := func(n int) string {
		return record("INSERT", n, item("id", fmt.Sprint(n)), "", fmt.Sprintf(`{"id":{"S":"%d"},"group":{"BOOL":true}}`, n))
	}
	f.queue.refuse = func(body string) error {
		if strings.Contains(body, `{"id":{"S":"3"}}`) {
			return errors.New("no")
		}
		return nil
	}
	again := f.invoke(t, bad(1), insertion(2, "2"), bad(3), insertion(4, "4"))
	if !slices.Equal(again, []string{"3"}) {
		t.Errorf("got %v, want the one record that the queue did not take", again)
	}
	if len(f.queue.bodies) != 1 || len(f.db.Items("target")) != 2 {
		t.Errorf("the others are done: %d messages, %d items", len(f.queue.bodies), len(f.db.Items("target")))
	}
}

func TestAPermanentFailureBehindATransientOneWaitsForIt(t *testing.T) {
	// It comes again anyway, and one message is enough.
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: faults.Throttled, Probability: 1, Select: selects(`"S":"1"`)})
		bad := record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":{"BOOL":true}}`)
		if again := f.invoke(t, insertion(1, "1"), bad); !slices.Equal(again, []string{"1", "2"}) {
			t.Errorf("got %v, want both", again)
		}
		if len(f.queue.bodies) != 0 {
			t.Errorf("the queue has %d messages already", len(f.queue.bodies))
		}
		f.faults.Use()
		if again := f.invoke(t, insertion(1, "1"), bad); again != nil {
			t.Errorf("got %v", again)
		}
		if len(f.queue.bodies) != 1 {
			t.Errorf("the queue has %d messages, want 1", len(f.queue.bodies))
		}
	})
}

func TestATransientFailureKeepsTheWorkOfOtherItems(t *testing.T) {
	// F2. Every kind of transient failure, on one item for ever.
	for _, kind := range []faults.Kind{
		faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable, faults.ResetBefore, faults.Unprocessed,
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := uniqueSpec(all)
				s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
				if kind == faults.Unprocessed {
					s.Targets[0].VersionAttribute = "" // only a batch leaves something unprocessed
				}
				f := newFunction(t, s, faults.Rule{Kind: kind, Probability: 1, Select: selects(`"S":"2"`)})
				again := f.invoke(t, insertion(1, "1"), insertion(2, "2"), insertion(3, "3"),
					record("MODIFY", 4, item("id", "2"), item("id", "2", "group", "g"), item("id", "2", "group", "h")))
				if !slices.Equal(again, []string{"2"}) {
					t.Errorf("got %v, want the first record of the item that failed", again)
				}
				if items := f.db.Items("target"); len(items) != 2 {
					t.Errorf("the other items' work is kept: %v", items)
				}
				if f.faults.Injected()[kind] < 3 {
					t.Errorf("it was tried %d times only", f.faults.Injected()[kind])
				}
				if strings.Count(f.log.String(), "\n") != 1 {
					t.Errorf("one line says so:\n%s", f.log)
				}
			})
		})
	}
}

func TestASystemicFailureFailsTheBatchFromItsFirstRecordAndGivesNothingUp(t *testing.T) {
	// F3.
	bad := record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":{"BOOL":true}}`)
	for _, test := range []struct {
		kind   faults.Kind
		remedy string
	}{
		{faults.AccessDenied, "allow the function's role"},
		{faults.NotFound, "restore the target table"},
	} {
		f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: test.kind, Probability: 1})
		records := []string{insertion(1, "1"), bad}
		for i := 3; i < 500; i++ {
			records = append(records, insertion(i, fmt.Sprint(i)))
		}
		if again := f.invoke(t, records...); !slices.Equal(again, []string{"1"}) {
			t.Errorf("%s: got %v, want the first record", test.kind, again)
		}
		if len(f.queue.bodies) != 0 {
			t.Errorf("%s: %d records were given up", test.kind, len(f.queue.bodies))
		}
		if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, test.remedy) {
			t.Errorf("%s: one line must say what to do: %s", test.kind, log)
		}
	}
}

func TestATableWithAnotherKeySchemaIsASystemicFailure(t *testing.T) {
	// F3: every item would be refused; none of them is to blame.
	s := uniqueSpec(all)
	f := newFunction(t, s)
	other := s.Targets[0]
	other.TableName, other.PartitionKey.Name = "other", "elsewhere"
	createTarget(t, f.db, other)
	s.Targets[0].TableName = "other"
	f.Replicator = f.replicator(s)
	if again := f.invoke(t, insertion(1, "1"), insertion(2, "2")); !slices.Equal(again, []string{"1"}) {
		t.Errorf("got %v, want the first record", again)
	}
	if len(f.queue.bodies) != 0 || !strings.Contains(f.log.String(), "another key schema") {
		t.Errorf("%d records were given up; the log says %s", len(f.queue.bodies), f.log)
	}
}

func TestASlowTableNeverCostsARecord(t *testing.T) {
	// F4: a timeout of 10 seconds and requests of 6. f.invoke asserts the deadline.
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: faults.Slow, Probability: 0.5, Delay: 6 * time.Second})
		var records []string
		for i := range 1000 {
			records = append(records, insertion(i+1, fmt.Sprint(i)))
		}
		for rest := records; len(rest) > 0; {
			again := f.invoke(t, rest...)
			if again == nil {
				break
			}
			at := slices.IndexFunc(rest, func(r string) bool { return strings.Contains(r, fmt.Sprintf(`"SequenceNumber":"%024s"`, again[0])) })
			rest = rest[at:]
		}
		if n := len(f.db.Items("target")); n != len(records) {
			t.Errorf("the target has %d of %d items", n, len(records))
		}
	})
}

func TestPoisonAndThrottlingTogetherAccountForEveryRecord(t *testing.T) {
	// 1 % of the records can never be applied, 20 % of the requests are throttled.
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 1))
		f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: faults.Throttled, Probability: 0.2})
		shard := eventsource.Shard{ID: "shard"}
		poisoned := map[string]bool{}
		const records = 5000
		for i := range records {
			id := fmt.Sprint(i)
			text := insertion(i+1, id)
			if random.IntN(100) == 0 {
				poisoned[item("id", id)] = true
				text = strings.Replace(text, `"group":{"S":"g"}`, `"group":{"SS":["g"]}`, 1)
			}
			r, err := eventsource.ParseRecord([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			shard.Records = append(shard.Records, r)
		}
		m := eventsource.Mapping{
			BatchSize: 200, Bisect: true, PartialResponses: true, MaxRetryAttempts: 0, Timeout: 10 * time.Second,
			// With no retries at all: were a poison record ever to hold the shard, it
			// would be discarded here.
			OnFailure: func(d eventsource.Discarded) { t.Errorf("the shard stopped at %s", d.StartSequenceNumber) },
		}
		if _, err := m.Drain(t.Context(), []eventsource.Shard{shard}, f.Invoke); err != nil {
			t.Fatal(err)
		}
		given := map[string]bool{}
		for _, message := range f.queue.messages(t) {
			given[string(message.SourceKey)] = true
		}
		if items := len(f.db.Items("target")); items+len(given) != records || len(given) != len(poisoned) {
			t.Errorf("%d items and %d in the failure queue, want %d and %d", items, len(given), records-len(poisoned), len(poisoned))
		}
		for key := range given {
			if !poisoned[key] {
				t.Errorf("%s is in the failure queue and can be applied", key)
			}
		}
	})
}

func TestOneHotWriteHoldsNothingElseUp(t *testing.T) {
	// F2: one write in 25 is never taken, as when one partition is throttled. All
	// others are written, and also the old keys of items that moved are deleted.
	synctest.Test(t, func(t *testing.T) {
		hot := func(w faults.Write) bool { return bytes.Contains(w.Attributes, []byte(`"hot`)) }
		f := newFunction(t, uniqueSpec(all), faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: hot})
		var records []string
		for i := range 500 {
			id := fmt.Sprint(i)
			if i%25 == 0 {
				records = append(records, insertion(i+1, "hot"+id))
				continue
			}
			records = append(records, record("MODIFY", i+1, item("id", id), item("id", id, "group", "old"), item("id", id, "group", "new")))
			if i%2 == 0 { // its old target item is there
				f.invoke(t, record("INSERT", i+1, item("id", id), "", item("id", id, "group", "old")))
			}
		}
		again := f.invoke(t, records...)
		if len(again) != 20 {
			t.Errorf("%d records come again, want the 20 hot ones", len(again))
		}
		items := f.db.Items("target")
		if len(items) != 480 || strings.Contains(strings.Join(items, ""), `"old"`) {
			t.Errorf("the target has %d items, want the 480 that moved, under their new keys only", len(items))
		}
	})
}

func TestAConnectionThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel() // it takes answerTimeout
	db := memorydb.New()
	s := uniqueSpec(all)
	createTarget(t, db, s.Targets[0])
	var requests atomic.Int64
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			<-silent
			return
		}
		db.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer close(silent)
	c := inMemory(newHTTPClient(minInFlight))
	c.endpoint = func(string) *string { return &server.URL }
	ctx, cancel := context.WithTimeout(t.Context(), 10*answerTimeout)
	defer cancel()
	answer, err := c.replicator(s, slog.New(slog.DiscardHandler)).Invoke(ctx, payload(insertion(1, "1")))
	if err != nil || string(answer) != `{"batchItemFailures":[]}` || len(db.Items("target")) != 1 {
		t.Errorf("got %s, %v: the request must be sent again on another connection", answer, err)
	}
}

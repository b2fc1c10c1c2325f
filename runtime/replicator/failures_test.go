package replicator

import (
	"bytes"
	"context"
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

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

func TestATransientFailureKeepsTheWorkOfOtherItems(t *testing.T) {
	// F2. Every kind of transient failure, on one item, without end.
	for _, kind := range []faults.Kind{
		faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable, faults.ResetBefore,
		faults.Unprocessed,
	} {
		for how, s := range map[string]spec.Spec{
			"batch": uniqueSpec(all), "statements": guarded(uniqueSpec(all)), "singly": guarded(uniqueSpec(all)),
		} {
			switch {
			case how != "batch" && kind == faults.Unprocessed:
				continue // a single write is never unprocessed, and a statement can become one
			case how != "singly" && (kind == faults.ServiceUnavailable || kind == faults.ResetBefore),
				how == "batch" && kind != faults.Unprocessed:
				continue // it hits a whole request, and not because of one item
			}
			name := string(kind) + ", " + how
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFunction(t, s, faults.Rule{Kind: kind, Probability: 1, Select: selects(`"S":"2"`)})
					if how == "singly" {
						f.singly()
					}
					again := f.invoke(t, insertion(1, "1"), insertion(2, "2"), insertion(3, "3"),
						record("MODIFY", 4, item("id", "2"), item("id", "2", "group", "g"), item("id", "2", "group", "h")))
					if !slices.Equal(again, []string{"2"}) {
						t.Errorf("got %v, want the first record of the item that failed", again)
					}
					if items := f.db.Items("target"); len(items) != 2 {
						t.Errorf("the other items' work is kept: %v", items)
					}
					if f.faults.Injected()[kind] < 3 {
						t.Errorf("it was tried only %d times", f.faults.Injected()[kind])
					}
					if strings.Count(f.log.String(), "\n") != 1 {
						t.Errorf("one line says so:\n%s", f.log)
					}
				})
			})
		}
	}
}

func TestASystemicFailureFailsTheBatchFromItsFirstRecordAndQueuesNothing(t *testing.T) {
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
			t.Errorf("%s: %d records went to the failure queue", test.kind, len(f.queue.bodies))
		}
		if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, test.remedy) {
			t.Errorf("%s: one line must name the remedy: %s", test.kind, log)
		}
	}
}

func TestATableWithAnotherKeySchemaIsASystemicFailure(t *testing.T) {
	// F3: every item would be refused, and none of them is wrong.
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
		t.Errorf("%d records went to the failure queue; the log says %s", len(f.queue.bodies), f.log)
	}
}

func TestASlowTableNeverCostsARecord(t *testing.T) {
	// F4: the timeout is 10 seconds, and a request needs 6. f.invoke asserts the deadline.
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
			resume := fmt.Sprintf(`"SequenceNumber":"%024s"`, again[0])
			at := slices.IndexFunc(rest, func(r string) bool { return strings.Contains(r, resume) })
			rest = rest[at:]
		}
		if n := len(f.db.Items("target")); n != len(records) {
			t.Errorf("the target has %d of %d items", n, len(records))
		}
	})
}

func TestMovedItemsAdvanceAlthoughTheTableIsTooSlowForTheBatch(t *testing.T) {
	// F2: the timeout is 10 seconds, and there is time for 56 of 200 requests.
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, guardedSpec(), faults.Rule{Kind: faults.Slow, Probability: 1, Delay: time.Second})
		f.singly()
		var records []string
		for i := range 100 {
			id := fmt.Sprint(i)
			records = append(records, record("MODIFY", i+1, item("id", id),
				item("id", id, "group", "old"+id), item("id", id, "group", "new"+id)))
		}
		again := f.invoke(t, records...)
		if len(again) == 0 || again[0] != "25" {
			t.Errorf("redelivered from %v, want from 25: three rounds of 8 puts and 8 deletes", again)
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
			// Without retries, a poison record that held up the shard would be discarded here.
			OnFailure: func(d eventsource.Discarded) error {
				t.Errorf("the shard stopped at %s", d.StartSequenceNumber)
				return nil
			},
		}
		if _, err := m.Drain(t.Context(), []eventsource.Shard{shard}, f.Invoke); err != nil {
			t.Fatal(err)
		}
		queued := map[string]bool{}
		for _, message := range f.queue.messages(t) {
			queued[string(message.SourceKey)] = true
		}
		if items := len(f.db.Items("target")); items+len(queued) != records || len(queued) != len(poisoned) {
			t.Errorf("%d items and %d in the failure queue, want %d and %d",
				items, len(queued), records-len(poisoned), len(poisoned))
		}
		for key := range queued {
			if !poisoned[key] {
				t.Errorf("%s is in the failure queue and can be applied", key)
			}
		}
	})
}

func TestOneHotWriteDoesNotHoldUpOtherWrites(t *testing.T) {
	// F2: one write in 25 is never accepted, as when one partition is throttled. All others
	// are written, and the old keys of moved items are deleted.
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
			records = append(records,
				record("MODIFY", i+1, item("id", id), item("id", id, "group", "old"), item("id", id, "group", "new")))
			if i%2 == 0 { // its old target item exists
				f.invoke(t, record("INSERT", i+1, item("id", id), "", item("id", id, "group", "old")))
			}
		}
		again := f.invoke(t, records...)
		if len(again) != 20 {
			t.Errorf("%d records are redelivered, want the 20 hot ones", len(again))
		}
		items := f.db.Items("target")
		if len(items) != 480 || strings.Contains(strings.Join(items, ""), `"old"`) {
			t.Errorf("the target has %d items, want the 480 that moved, under their new keys only", len(items))
		}
	})
}

func TestARequestIsSentAgainWhenItsConnectionNeverAnswers(t *testing.T) {
	t.Parallel() // it lasts for awsconfig.AnswerTimeout
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
	c := inMemory(awsconfig.NewHTTPClient(minInFlight))
	c.Endpoint = func(string) *string { return &server.URL }
	ctx, cancel := context.WithTimeout(t.Context(), 10*awsconfig.AnswerTimeout)
	defer cancel()
	answer, err := c.replicator(s, slog.New(slog.DiscardHandler)).Invoke(ctx, payload(insertion(1, "1")))
	if err != nil || string(answer) != `{"batchItemFailures":[]}` || len(db.Items("target")) != 1 {
		t.Errorf("got %s, %v: the request must be sent again on another connection", answer, err)
	}
}

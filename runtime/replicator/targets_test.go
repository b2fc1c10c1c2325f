package replicator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// pairSpec maps id -> group and id, and id -> kind and id in a table of its own. Items
// without a kind have no item there.
func pairSpec() spec.Spec {
	s := uniqueSpec(all)
	second := s.Targets[0]
	second.TableName, second.PartitionKey.Name = "second", "kind"
	s.Targets = append(s.Targets, second)
	return s
}

// tables is a client whose tables fail one by one.
type tables struct {
	inner faults.Client
	// failing holds the error code of each table that fails.
	failing map[string]string

	mu       sync.Mutex
	requests map[string]int
}

func (c *tables) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	for table, code := range c.failing {
		// In a statement, the quote after the name is escaped.
		if bytes.Contains(body, []byte(`"`+table+`"`)) || bytes.Contains(body, []byte(`"`+table+`\"`)) {
			c.mu.Lock()
			c.requests[table]++
			c.mu.Unlock()
			return refusalAnswer(r, code), nil
		}
	}
	return c.inner.Do(r)
}

// refusalAnswer is DynamoDB's answer to a request that it refuses.
func refusalAnswer(r *http.Request, code string) *http.Response {
	text := fmt.Sprintf(`{"__type":"com.amazonaws#%s","message":"injected"}`, code)
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: r,
	}
}

// newPairFunction returns a function with two targets, and their tables.
func newPairFunction(t *testing.T, s spec.Spec) (*function, *tables) {
	t.Helper()
	f := newFunction(t, s)
	for _, target := range s.Targets[1:] {
		createTarget(t, f.db, target)
	}
	c := &tables{inner: f.faults, failing: map[string]string{}, requests: map[string]int{}}
	f.Replicator = f.at(c, s)
	return f, c
}

// both is a record that inserts an item into both targets.
func both(sequence int, id string) string { return insertion(sequence, id, "kind", "k") }

func TestATargetThatFailsStopsNoOther(t *testing.T) {
	// T1, T3: each class of failure of one target.
	for code, class := range map[string]class{
		"AccessDeniedException": systemic, "ThrottlingException": transient, "ItemCollectionSizeLimitExceededException": permanent,
	} {
		synctest.Test(t, func(t *testing.T) {
			f, c := newPairFunction(t, pairSpec())
			c.failing["second"] = code
			var records []string
			for i := range 100 {
				records = append(records, both(i+1, fmt.Sprint(i)))
			}
			again := f.invoke(t, records...)
			if items := f.db.Items("target"); len(items) != 100 {
				t.Errorf("%s: the other target has %d of 100 items", code, len(items))
			}
			if redelivered := len(again) > 0; redelivered != (class != permanent) {
				t.Errorf("%s: %v are redelivered", code, again)
			}
			if sent := len(f.queue.bodies); sent != map[bool]int{true: 100}[class == permanent] {
				t.Errorf("%s: %d messages", code, sent)
			}
		})
	}
}

func TestATargetThatFailsIsSetAsideAfterTheGraceTime(t *testing.T) {
	// T3.
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		c.failing["second"] = "ResourceNotFoundException"
		records := []string{
			both(1, "1"),
			record("MODIFY", 2, item("id", "1"), item("id", "1", "group", "g", "kind", "k"), item("id", "1", "group", "g", "kind", "l")),
			both(3, "2"),
			record("REMOVE", 4, item("id", "2"), item("id", "2", "group", "g", "kind", "k"), ""),
			insertion(5, "3"), // nothing for the second target
		}
		start := time.Now()
		for time.Since(start) < defaultGrace {
			if again := f.invoke(t, records...); !slices.Equal(again, []string{"1"}) || len(f.queue.bodies) > 0 {
				t.Fatalf("after %s: %v are redelivered, the queue has %d messages", time.Since(start), again, len(f.queue.bodies))
			}
			time.Sleep(time.Minute)
		}
		if log := f.log.String(); !strings.Contains(log, `"target":"second"`) || !strings.Contains(log, "restore the target table") {
			t.Errorf("the log must name the target and what to do: %s", log)
		}

		if again := f.invoke(t, records...); again != nil {
			t.Errorf("%v are redelivered, want none", again)
		}
		messages := f.queue.messages(t)
		want := []failurequeue.Item{
			{SourceKey: json.RawMessage(item("id", "1")), TargetKeys: []failurequeue.TargetKey{
				{Key: json.RawMessage(item("kind", "k", "id", "1"))}, {Key: json.RawMessage(item("kind", "l", "id", "1")), Last: true},
			}},
			{SourceKey: json.RawMessage(item("id", "2")), TargetKeys: []failurequeue.TargetKey{
				{Key: json.RawMessage(item("kind", "k", "id", "2"))},
			}},
		}
		if len(messages) != 1 || messages[0].Kind != failurequeue.KindKeys || messages[0].TargetTable != "second" ||
			!reflect.DeepEqual(messages[0].Items, want) ||
			strings.TrimLeft(messages[0].SequenceNumber, "0") != "1" || strings.TrimLeft(messages[0].LastSequenceNumber, "0") != "4" {
			t.Errorf("got %s", f.queue.bodies)
		}

		// From now on one request shows that the target still fails.
		tried := c.requests["second"]
		if again := f.invoke(t, both(6, "4"), both(7, "5"), both(8, "6")); again != nil || len(f.db.Items("target")) != 5 {
			t.Errorf("%v are redelivered, the other target has %d items", again, len(f.db.Items("target")))
		}
		if got := c.requests["second"] - tried; got != 1 || len(f.queue.messages(t)) != 2 {
			t.Errorf("%d requests, %d messages; want 1 and 2", got, len(f.queue.bodies))
		}

		// A success ends it.
		delete(c.failing, "second")
		f.invoke(t, both(9, "7"))
		c.failing["second"] = "ResourceNotFoundException"
		if again := f.invoke(t, both(10, "8")); !slices.Equal(again, []string{"10"}) {
			t.Errorf("%v are redelivered: the grace time must begin again", again)
		}
	})
}

func TestAYoungProcessSetsATargetAsideAfterAMinuteWhenTheRecordsAreOld(t *testing.T) {
	// T3: the records' time is 1700000000, long before this process began.
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		time.Sleep(time.Until(time.Unix(1_700_000_000, 0).Add(time.Hour)))
		f.Replicator = f.at(c, pairSpec())
		c.failing["second"] = "AccessDeniedException"
		if again := f.invoke(t, both(1, "1")); again == nil {
			t.Error("the target is set aside at once")
		}
		time.Sleep(minFailing)
		if again := f.invoke(t, both(1, "1")); again != nil || len(f.queue.bodies) != 1 {
			t.Errorf("%v are redelivered, %d messages", again, len(f.queue.bodies))
		}
	})
}

func TestWhenAllTargetsFailNoneIsSetAside(t *testing.T) {
	// T3, F3. The second target has nothing to write at last, and counts as before.
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		c.failing["target"], c.failing["second"] = "AccessDeniedException", "AccessDeniedException"
		f.invoke(t, both(1, "1"))
		time.Sleep(2 * defaultGrace)
		for _, record := range []string{both(1, "1"), insertion(1, "1")} {
			if again := f.invoke(t, record); !slices.Equal(again, []string{"1"}) || len(f.queue.bodies) > 0 {
				t.Errorf("%v are redelivered, %d messages", again, len(f.queue.bodies))
			}
		}
	})
}

func TestWhatWasSetAsideIsRedeliveredWhenTheQueueDoesNotTakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		c.failing["second"] = "AccessDeniedException"
		f.invoke(t, both(1, "1"))
		time.Sleep(2 * defaultGrace)
		f.queue.refuse = func(string) error { return fmt.Errorf("no") }
		if again := f.invoke(t, insertion(1, "0"), both(2, "1")); !slices.Equal(again, []string{"2"}) {
			t.Errorf("%v are redelivered, want the record of the item", again)
		}
	})
}

func TestAsManyKeysAsFitAreInAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		c.failing["second"] = "AccessDeniedException"
		long := strings.Repeat("x", 1000)
		var records []string
		for i := range 2500 {
			records = append(records, both(i+1, fmt.Sprintf("%s%d", long, i)))
		}
		f.invoke(t, records[0])
		time.Sleep(2 * defaultGrace)
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("%d are redelivered", len(again))
		}
		items := 0
		for i, m := range f.queue.messages(t) {
			items += len(m.Items)
			if size := len(f.queue.bodies[i]); size > maxQueueBytes || i == 0 && size < maxQueueBytes-10_000 {
				t.Errorf("message %d has %d bytes", i, size)
			}
		}
		if items != len(records) {
			t.Errorf("the messages have %d of %d items", items, len(records))
		}
	})
}

func TestOnlyAGuardedTargetNeedsWhatAVersionIsDerivedFrom(t *testing.T) {
	// T1: a record without a time cannot have a version.
	s := pairSpec()
	s.Targets[1].VersionAttribute = spec.DefaultVersionAttribute
	f, _ := newPairFunction(t, s)
	timeless := strings.Replace(both(1, "1"), "ApproximateCreationDateTime", "x", 1)
	if again := f.invoke(t, timeless); again != nil || len(f.db.Items("target")) != 1 {
		t.Errorf("%v are redelivered, the target has %v", again, f.db.Items("target"))
	}
	if messages := f.queue.messages(t); len(messages) != 1 || messages[0].TargetTable != "second" {
		t.Errorf("got %s", f.queue.bodies)
	}
}

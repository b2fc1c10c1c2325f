package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// Each test of this file is a history in which a simpler protocol leaves a wrong target for ever. What
// the application and the replicator do meanwhile happens between two requests of the Reconciler.

// lowest is the sequence part of the lowest version.
var lowest = "0/" + strings.Repeat("0", mapping.MaxSequenceNumberDigits)

// sequence is the sequence part of a change's version.
func sequence(number int) string {
	return fmt.Sprintf("2026-01-02T03:04:05.678/%0*d", mapping.MaxSequenceNumberDigits, number)
}

// names is the fingerprint of attribute names.
func names(of ...string) string {
	list := make([][]byte, len(of))
	for i := range of {
		list[i] = []byte(of[i])
	}
	return mapping.Fingerprint(list)
}

// version is the version attribute of a LAST_WRITER_WINS item.
func version(at int, seq, fingerprint string) string {
	return fmt.Sprintf(`v={"M":{"at":{"N":"%d"},"names":{"S":%q},"seq":{"S":%q}}}`, at, fingerprint, seq)
}

func TestAnItemThatChangedAfterItWasReadIsNotOverwritten(t *testing.T) {
	h := start(t, unique(), Options{})
	h.put("source", "id=a", "city=1", "note=old")
	h.before = func(operation string, number int) {
		if operation == "BatchExecuteStatement" && number == 1 {
			h.put("source", "id=a", "city=1", "note=new")
			h.put("target", "id=a", "city=1", "note=new")
		}
	}
	h.run(Backfill, 1)
	h.want("target", item("id=a", "city=1", "note=new"))
}

func TestAnItemThatMovedAfterItWasReadLeavesNoOrphan(t *testing.T) {
	for _, now := range []string{"moved", "deleted"} {
		h := start(t, unique(), Options{})
		h.put("source", "id=a", "city=1")
		h.put("source", "id=b", "city=1")
		h.before = func(operation string, number int) {
			if operation != "BatchExecuteStatement" || number > 1 {
				return
			}
			// The replicator is not behind: there is nothing to delete yet.
			if now == "moved" {
				h.put("source", "id=a", "city=2")
				h.put("target", "id=a", "city=2")
			} else {
				h.delete("source", "id=a")
			}
		}
		c := h.run(Backfill, 1)
		want := []string{item("id=b", "city=1")}
		if now == "moved" {
			want = append(want, item("id=a", "city=2"))
		}
		h.want("target", want...)
		if c.Put != 1 || c.Changed != 1 {
			t.Errorf("%s: %+v", now, c)
		}
	}
}

func TestAnAttributeThatWasAddedIsSeenAfterTheTransaction(t *testing.T) {
	h := start(t, unique(), Options{})
	h.put("source", "id=a", "city=1", "note=1")
	h.put("target", "id=a", "city=1")
	h.before = func(operation string, number int) {
		if operation == "TransactWriteItems" && number == 1 {
			h.put("source", "id=a", "city=1", "note=1", "added=2")
			h.put("target", "id=a", "city=1", "note=1", "added=2")
		}
	}
	if got := h.reconcile(item("id=a")).Targets[0].Outcome; got != Written {
		t.Errorf("the outcome is %d", got)
	}
	h.want("target", item("id=a", "city=1", "note=1", "added=2"))
}

func TestAnAttributeBeyondTheLimitOfAConditionIsSeenAfterTheTransaction(t *testing.T) {
	h := start(t, unique(), Options{})
	many := []string{"id=a", "city=1"}
	for i := range 200 {
		many = append(many, fmt.Sprintf("attribute%03d=1", i))
	}
	changed := slices.Clone(many)
	changed[len(changed)-1] = "attribute199=2"
	h.put("source", many...)
	h.before = func(operation string, number int) {
		if operation == "TransactWriteItems" && number == 1 {
			h.put("source", changed...)
		}
	}
	h.reconcile(item("id=a"))
	h.want("target", item(changed...))
}

func TestABackfillThatWasKilledWithinAPageNeedsTheReversePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		h.put("source", "id=a", "city=1")
		ctx, kill := context.WithCancel(t.Context())
		h.before = func(operation string, number int) {
			switch {
			case operation == "BatchExecuteStatement" && number == 1:
				h.put("source", "id=a", "city=2")
				h.put("target", "id=a", "city=2")
			case operation == "Scan" && number == 2:
				kill()
			}
		}
		s := Segment{Pass: h.r.Passes(Backfill)[0], Of: 1}
		if err := h.r.Page(ctx, &s, h.save); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if len(h.segments) != 1 || !h.segments[0].Begun {
			t.Fatalf("saved %+v", h.segments)
		}
		resumed := h.segments[0]
		h.finish(&resumed)
		if !resumed.Interrupted || !resumed.Done || resumed.Begun {
			t.Errorf("resumed: %+v", resumed)
		}

		orphan, live := item("id=a", "city=1"), item("id=a", "city=2")
		h.want("target", orphan, live)
		reverse := Segment{Pass: h.r.Passes(Backfill)[1], Of: 1}
		h.finish(&reverse)
		h.want("target", live)
		if c := reverse.Counts; c.Extra != 1 || c.Repaired != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestTheReversePassDoesNotDeleteWhatTheItemHasMovedBackTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		// The stream lags: the target shows the first of three states.
		h.put("source", "id=a", "city=2")
		h.put("target", "id=a", "city=1")
		h.before = func(operation string, number int) {
			if operation == "TransactWriteItems" && number == 1 {
				h.put("source", "id=a", "city=1")
			}
		}
		s := Segment{Pass: Pass{Operation: Repair, Target: "target"}, Of: 1}
		h.finish(&s)
		h.want("target", item("id=a", "city=1"))
		if c := s.Counts; c.Repaired != 0 || c.Differences(true) != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestTheReversePassWaitsForTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		h.put("source", "id=a", "city=2")
		h.put("target", "id=a", "city=1")
		time.AfterFunc(10*time.Second, func() {
			h.put("target", "id=a", "city=2")
			h.delete("target", "id=a", "city=1")
		})
		if c := h.run(Repair, 1); c.Repaired > 1 || h.sent["TransactWriteItems"] > 1 {
			t.Errorf("%+v, %v", c, h.sent)
		}
		h.want("target", item("id=a", "city=2"))
	})
}

func TestRepairKeepsTheVersionThatItFinds(t *testing.T) {
	h := start(t, lastWriterWins(), Options{})
	fingerprint := names("city", "id", "note")
	h.put("source", "id=a", "city=1", "note=new")
	h.put("target", "id=a", "city=1", "note=old", "more=1", version(100, sequence(7), names("city", "id", "note", "more")))
	h.reconcile(item("id=a"))
	h.want("target", item("id=a", "city=1", "note=new", version(100, sequence(7), fingerprint)))

	h = start(t, guarded(), Options{})
	h.put("source", "id=a", "city=1", "note=new")
	h.put("target", "id=a", "city=1", "note=old", "v="+sequence(7)) // an earlier release has no fingerprint
	h.reconcile(item("id=a"))
	h.want("target", item("id=a", "city=1", "note=new", "v="+sequence(7)+"/"+fingerprint))
}

func TestABackfilledItemIsOlderThanEveryChange(t *testing.T) {
	h := start(t, guarded(), Options{})
	h.put("source", "id=a", "city=1")
	h.run(Backfill, 1)
	h.want("target", item("id=a", "city=1", "v="+lowest+"/"+names("city", "id")))

	h = start(t, lastWriterWins(), Options{})
	h.put("source", "id=a", "city=1")
	h.run(Backfill, 1)
	h.want("target", item("id=a", "city=1", version(0, lowest, names("city", "id"))))
}

func TestAnItemThatReplacesAnotherOwnersIsNewerThanItsChangesAndOlderThanItsOwn(t *testing.T) {
	h := start(t, lastWriterWins(), Options{})
	h.put("source", "id=a", "city=1")
	h.put("source", "id=b", "city=2")
	h.put("target", "id=b", "city=1", version(100, sequence(9), names("city", "id")))
	if got := h.reconcile(item("id=a")).Targets[0].Outcome; got != Written {
		t.Errorf("the outcome is %d", got)
	}
	h.want("target", item("id=a", "city=1", version(101, lowest, names("city", "id"))))
}

func TestALiveOwnerKeepsItsKey(t *testing.T) {
	for _, when := range []string{"before", "meanwhile"} {
		h := start(t, lastWriterWins(), Options{})
		other := item("id=b", "city=1", version(100, sequence(9), names("city", "id")))
		h.put("source", "id=a", "city=1")
		h.put("target", "id=b", "city=1", version(100, sequence(9), names("city", "id")))
		if when == "before" {
			h.put("source", "id=b", "city=1")
		}
		h.before = func(operation string, _ int) {
			if operation == "TransactWriteItems" {
				h.put("source", "id=b", "city=1")
			}
		}
		if got := h.reconcile(item("id=a")).Targets[0].Outcome; got != Collision {
			t.Errorf("%s: the outcome is %d", when, got)
		}
		h.want("target", other)
	}
}

func TestNothingWritesToTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, s := range []func() *harness{
			func() *harness { return start(t, unique(), Options{}) },
			func() *harness { return start(t, lastWriterWins(), Options{}) },
		} {
			h := s()
			for i := range 30 {
				h.put("source", fmt.Sprint("id=", i), fmt.Sprint("city=", i%4))
				h.put("target", fmt.Sprint("id=", i+10), fmt.Sprint("city=", i%3))
			}
			source := h.db.Items("source")
			h.run(Backfill, 2)
			h.run(Repair, 2)
			h.want("source", source...)
			if c := h.run(Verify, 2); c.Differences(false) != 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestASavedSegmentThatCannotBeSavedWritesNothing(t *testing.T) {
	h := start(t, unique(), Options{})
	h.put("source", "id=a", "city=1")
	full := errors.New("the disk is full")
	s := Segment{Pass: Pass{Operation: Backfill}, Of: 1}
	if err := h.r.Page(t.Context(), &s, func(Segment) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	h.want("target")
}

func TestReconcileDeletesWhatOtherKeysHold(t *testing.T) {
	h := start(t, unique(), Options{})
	h.put("source", "id=a", "city=3")
	h.put("target", "id=a", "city=1")
	h.put("target", "id=a", "city=2")
	h.put("target", "id=b", "city=1")
	h.reconcile(item("id=a"),
		Key{TargetTable: "target", Key: json.RawMessage(item("id=a", "city=1"))},
		Key{TargetTable: "target", Key: json.RawMessage(item("id=a", "city=2"))},
		Key{TargetTable: "target", Key: json.RawMessage(item("id=a", "city=3"))},
		Key{TargetTable: "target", Key: json.RawMessage(item("id=b", "city=1"))})
	h.want("target", item("id=a", "city=3"), item("id=b", "city=1"))
}

func TestAWriteReplacesOnlyWhatWasRead(t *testing.T) {
	fingerprint := names("city", "id", "note")
	v := func(number int) string { return "v=" + sequence(number) + "/" + fingerprint }
	h := start(t, guarded(), Options{})
	h.put("source", "id=a", "city=1", "note=new")
	h.put("target", "id=a", "city=1", "note=old", v(7))
	h.before = func(operation string, number int) {
		if operation == "TransactWriteItems" && number == 1 {
			h.put("target", "id=a", "city=1", "note=new", v(9)) // the stream
		}
	}
	h.reconcile(item("id=a"))
	h.want("target", item("id=a", "city=1", "note=new", v(9)))

	// The key gets another owner, with the same version.
	fingerprint = names("city", "id")
	h = start(t, lastWriterWins(), Options{})
	h.put("target", "id=a", "city=1", version(100, sequence(7), fingerprint))
	other := item("id=b", "city=1", version(100, sequence(7), fingerprint))
	h.before = func(operation string, number int) {
		if operation == "TransactWriteItems" && number == 1 {
			h.put("target", "id=b", "city=1", version(100, sequence(7), fingerprint))
		}
	}
	h.reconcile(item("id=a"), Key{TargetTable: "target", Key: json.RawMessage(item("city=1"))})
	h.want("target", other)
}

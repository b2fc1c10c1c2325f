package reconciler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

func TestFaultsOnlyCostTime(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			h := start(t, []func() spec.Spec{unique, guarded, lastWriterWins}[seed](), Options{})
			h.faults = faults.New(h.db, seed)
			for _, kind := range []faults.Kind{
				faults.Throttled, faults.InternalServerError, faults.ResetBefore, faults.ResetAfter, faults.Unprocessed,
				faults.Conflict,
			} {
				h.faults.Use(faults.Rule{Kind: kind, Probability: 0.3})
				for i := range 40 {
					h.put("source", fmt.Sprint(kind, "=", i), fmt.Sprint("id=", kind, i), fmt.Sprint("city=", i))
					if i%9 == 0 {
						h.put("target", fmt.Sprint("id=", kind, i), fmt.Sprint("city=", i), "note=stale")
					}
				}
				h.run(Backfill, 2)
				h.run(Repair, 1)
			}
			h.faults.Use()
			c := h.run(Verify, 1)
			if c.Differences(true) != 0 || seed < 2 && c.Equal != 240 || c.Equal+c.Collisions != 240 {
				t.Errorf("seed %d: %+v", seed, c)
			}
		})
	}
}

func TestAThrottledTableIsUsedLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{WriteUnits: 1000})
		h.put("source", "id=a", "city=1")
		h.faults.Use(faults.Rule{Kind: faults.Throttled, Probability: 1, Operation: "BatchExecuteStatement"})
		h.before = func(_ string, number int) {
			if number == 5 {
				h.faults.Use()
			}
		}
		if c := h.run(Backfill, 1); c.Throttles != 4 || c.Put != 1 {
			t.Errorf("%+v", c)
		}
		if rate := h.r.targets[0].write.rate; rate < 250 || rate > 500 {
			t.Errorf("the rate is %.0f", rate)
		}
	})
}

func TestATableThatCannotBeUsedIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []faults.Kind{faults.AccessDenied, faults.NotFound, faults.InternalServerError} {
			h := start(t, unique(), Options{})
			h.put("source", "id=secret", "city=secret")
			h.faults.Use(faults.Rule{Kind: kind, Probability: 1})
			s := Segment{Pass: Pass{Operation: Backfill}, Of: 1}
			err := h.r.Page(t.Context(), &s, h.save)
			if api := smithy.APIError(nil); err == nil || !errors.As(err, &api) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", kind, err)
			}
			if s.Done || len(s.Cursor) > 0 {
				t.Errorf("%s: %+v", kind, s)
			}
		}
	})
}

func TestAPassThatDoesNotExistIsAnError(t *testing.T) {
	h := start(t, unique(), Options{})
	for _, pass := range []Pass{{}, {Operation: "mend"}, {Operation: Backfill, Target: "target"}, {Operation: Verify, Target: "x"}} {
		s := Segment{Pass: pass, Of: 1}
		if err := h.r.Page(t.Context(), &s, h.save); err == nil || s.Done || len(h.sent) > 0 {
			t.Errorf("%+v: %v, sent %v", pass, err, h.sent)
		}
	}
}

func TestWhatAStatementCannotSayIsPutByItself(t *testing.T) {
	h := start(t, unique(), Options{})
	long := strings.Repeat("n", 9000) + "=1"
	h.put("source", "id=a", "city=1", long)
	h.put("source", "id=b", "city=1")
	if c := h.run(Backfill, 1); c.Put != 2 || h.sent["PutItem"] != 1 {
		t.Errorf("%+v, %v", c, h.sent)
	}
	h.want("target", item("id=a", "city=1", long), item("id=b", "city=1"))
}

func TestWithoutTheRightToStatementsItemsArePutOneByOne(t *testing.T) {
	h := start(t, guarded(), Options{})
	h.faults.Use(faults.Rule{Kind: faults.AccessDenied, Probability: 1, Operation: "BatchExecuteStatement"})
	for i := range 200 {
		h.put("source", fmt.Sprint("id=", i), "city=1")
	}
	if c := h.run(Backfill, 1); c.Put != 200 || h.sent["BatchExecuteStatement"] > 10 {
		t.Errorf("%+v, %v", c, h.sent)
	}
}

func TestAnItemThatTheTableRefusesIsUnmappableAndLeavesNothing(t *testing.T) {
	for _, seed := range []uint64{1, 2} { // two ways to be refused
		for _, operation := range []string{"backfill", "reconcile"} {
			s := unique()
			s.Targets = append(s.Targets, s.Targets[0])
			s.Targets[1].TableName = "other"
			h := start(t, s, Options{})
			poisoned := func(w faults.Write) bool {
				return w.Put && w.Table == "target" && strings.Contains(string(w.Attributes), "poison")
			}
			h.faults = faults.New(h.db, seed, faults.Rule{Kind: faults.Poison, Probability: 1, Select: poisoned,
				Message: faults.TooLarge})
			h.put("source", "id=a", "city=1", "note=poison")
			h.put("target", "id=a", "city=1", "note=old")
			h.put("target", "id=a", "city=2", "note=older")
			if operation == "backfill" {
				c := h.run(Backfill, 1)
				if c.Unmappable != 1 || c.Put != 1 || c.Changed != 0 {
					t.Errorf("%+v", c)
				}
				h.want("target", item("id=a", "city=2", "note=older"))
			} else {
				key := Key{TargetTable: "target", Key: []byte(item("id=a", "city=2"))}
				got := h.reconcile(item("id=a"), key)
				want := []Outcome{Unmappable, Written}
				if r := got.Targets; !slices.Equal(want, []Outcome{r[0].Outcome, r[1].Outcome}) || r[0].Reason == "" {
					t.Errorf("%+v", got)
				}
				h.want("target")
			}
			h.want("other", item("id=a", "city=1", "note=poison"))
		}
	}
}

func TestARefusalIsOfTheStateThatWasRefused(t *testing.T) {
	// The item becomes smaller, and the stream puts it, before the next attempt.
	h := start(t, guarded(), Options{})
	h.put("source", "id=a", "city=1", "x="+strings.Repeat("x", 400<<10-40))
	small := []string{"id=a", "city=1", "x=small"}
	target := append(slices.Clone(small), "v="+sequence(7)+"/"+names("city", "id", "x"))
	h.before = func(operation string, number int) {
		if operation == "BatchGetItem" && number == 3 {
			h.put("source", small...)
			h.put("target", target...)
		}
	}
	if got := h.reconcile(item("id=a")).Targets[0]; got.Outcome != Right {
		t.Errorf("%+v", got)
	}
	h.want("target", item(target...))
}

func TestAnItemThatExpiresAfterItWasRefusedIsKept(t *testing.T) {
	// R5: what is left of the refused item is to be deleted, when it becomes smaller, and expires.
	s := unique()
	s.Targets[0].ExpiredItems = spec.KeepExpired
	h := start(t, s, Options{})
	h.put("source", "id=a", "city=1", "x="+strings.Repeat("x", 400<<10-10))
	h.put("target", "id=a", "city=1", "x=old")
	h.faults = faults.New(h.db, 1, faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.TooLarge,
		Select: func(w faults.Write) bool { return w.Put }})
	h.before = func(operation string, number int) {
		if operation == "TransactWriteItems" && number == 2 {
			h.put("target", "id=a", "city=1", "x=small")
			h.delete("source", "id=a")
		}
	}
	if got := h.reconcile(item("id=a")); !got.Gone || got.Targets[0].Outcome != Kept {
		t.Errorf("%+v", got)
	}
	h.want("target", item("id=a", "city=1", "x=small"))
}

func TestWhatAWrongTableRefusesIsNotDeleted(t *testing.T) {
	// F7: somebody has added an index whose key has another type than the attribute.
	for _, seed := range []uint64{1, 2} { // two ways to be refused
		h := start(t, unique(), Options{})
		h.faults = faults.New(h.db, seed, faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey,
			Select: func(w faults.Write) bool { return w.Put && w.Table == "target" }})
		h.put("source", "id=a", "city=1", "note=new")
		h.put("target", "id=a", "city=1", "note=old")
		h.put("target", "id=a", "city=2", "note=older")
		key := Key{TargetTable: "target", Key: []byte(item("id=a", "city=2"))}
		if r := h.reconcile(item("id=a"), key).Targets[0]; r.Outcome != Refused || !strings.Contains(r.Reason, "index") {
			t.Errorf("%+v", r)
		}
		h.want("target", item("id=a", "city=1", "note=old"), item("id=a", "city=2", "note=older"))
	}
}

func TestATableThatRefusesEverythingIsWrong(t *testing.T) {
	// F7: the reason is not known. 25 items in a row may be at fault themselves, and more may not.
	h := start(t, unique(), Options{InFlight: 1})
	h.faults = faults.New(h.db, 1, faults.Rule{Kind: faults.Poison, Probability: 1, Message: "Something else",
		Select: func(w faults.Write) bool { return w.Put && w.Table == "target" }})
	for i := range 100 {
		id := fmt.Sprint("id=", i)
		h.put("source", id, "city=1", "note=new")
		h.put("target", id, "city=1", "note=old")
	}
	c := h.run(Backfill, 1)
	if left := len(h.db.Items("target")); left != 75 || c.Unmappable != 25 || c.Unrepaired != 75 {
		t.Errorf("the target has %d items, %+v", left, c)
	}
}

func TestWhatABackfillHasPutGoesEvenIfTheTableIsWrong(t *testing.T) {
	// The item moves after the put, and the table refuses it under its new key.
	h := start(t, unique(), Options{})
	h.faults = faults.New(h.db, 1, faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey,
		Select: func(w faults.Write) bool {
			return w.Put && w.Table == "target" && strings.Contains(string(w.Attributes), "new")
		}})
	h.put("source", "id=a", "city=1")
	h.before = func(operation string, number int) {
		if operation == "Scan" && number == 2 {
			h.put("source", "id=a", "city=2", "note=new")
		}
	}
	if c := h.run(Backfill, 1); c.Unrepaired != 1 {
		t.Errorf("%+v", c)
	}
	h.want("target")
}

func TestADryRunWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{DryRun: true})
		h.put("source", "id=missing", "city=1")
		h.put("source", "id=there", "city=1")
		h.put("target", "id=there", "city=1")
		h.put("source", "id=stale", "city=1", "note=1")
		h.put("target", "id=stale", "city=1")
		h.put("target", "id=extra", "city=1")
		before := h.db.Items("target")
		if c := h.run(Backfill, 1); c.Put != 1 || c.There != 1 || c.Changed != 1 {
			t.Errorf("backfill: %+v", c)
		}
		if c := h.run(Repair, 1); c.Missing != 1 || c.Stale != 1 || c.Extra != 1 || c.Unrepaired != 3 || c.Equal != 1 {
			t.Errorf("repair: %+v", c)
		}
		if got := h.reconcile(item("id=missing")); got.Targets[0].Outcome != Written {
			t.Errorf("reconcile: %+v", got)
		}
		h.want("target", before...)
		if len(h.segments) != 3 { // one after each page
			t.Errorf("saved %+v", h.segments)
		}
	})
}

package replicator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/statement"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// counting is a client that counts the requests by operation.
type counting struct {
	inner faults.Client
	mu    sync.Mutex
	sent  map[string]int
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.mu.Lock()
	c.sent[operation]++
	c.mu.Unlock()
	return c.inner.Do(r)
}

// newCounting returns a function and the counts of its requests.
func newCounting(t *testing.T, s spec.Spec, rules ...faults.Rule) (*function, *counting) {
	t.Helper()
	f := newFunction(t, s, rules...)
	c := &counting{inner: f.faults, sent: map[string]int{}}
	f.Replicator = f.at(c, s)
	return f, c
}

// expect compares the counts, and starts them again.
func (c *counting) expect(t *testing.T, why string, want map[string]int) {
	t.Helper()
	if fmt.Sprint(c.sent) != fmt.Sprint(want) {
		t.Errorf("%s: sent %v, want %v", why, c.sent, want)
	}
	c.sent = map[string]int{}
}

func TestGuardedWritesGo25ARequest(t *testing.T) {
	f, c := newCounting(t, guarded(uniqueSpec(all)))
	records := func(event string, note func(i int) (before, after string)) (list []string) {
		for i := range 1000 {
			id := fmt.Sprint(i)
			before, after := note(i)
			var images [2]string
			for n, text := range []string{before, after} {
				if text != "" {
					images[n] = item("id", id, "group", "g", text, "x")
				}
			}
			list = append(list, record(event, len(list)+1+1000*len(before), item("id", id), images[0], images[1]))
		}
		return list
	}
	inserts := records("INSERT", func(int) (string, string) { return "", "a" })
	f.invoke(t, inserts...)
	c.expect(t, "inserts", map[string]int{"BatchExecuteStatement": 40})

	f.invoke(t, inserts...)
	c.expect(t, "a batch redelivered whole", map[string]int{"BatchExecuteStatement": 40, "BatchGetItem": 10})

	changes := records("MODIFY", func(i int) (string, string) { return "a", []string{"a", "bc"}[i%2] })
	f.invoke(t, changes...)
	c.expect(t, "half of them unchanged, the others with another name", map[string]int{"BatchExecuteStatement": 20})

	stale := records("MODIFY", func(int) (string, string) { return "other", "new" })
	f.invoke(t, stale...)
	c.expect(t, "the items have names that no image shows",
		map[string]int{"BatchExecuteStatement": 40, "BatchGetItem": 10, "PutItem": 1000})
	for _, item := range f.db.Items("target") {
		if !strings.Contains(item, `"new":{"S":"x"}`) || strings.Contains(item, `"a"`) || strings.Contains(item, `"bc"`) {
			t.Fatalf("an item has other attributes than its source item: %s", item)
		}
	}
}

func TestOneKeyIsNeverTwiceInACall(t *testing.T) {
	// K3: two source items meet on one key, and each of 30 has both in one batch.
	f, c := newCounting(t, guardedSpec())
	var records []string
	for i := range 30 {
		for _, id := range []string{"a", "b"} {
			records = append(records, record("INSERT", len(records)+1, item("id", fmt.Sprint(id, i)), "",
				item("id", fmt.Sprint(id, i), "group", fmt.Sprint("g", i))))
		}
	}
	if again := f.invoke(t, records...); again != nil || len(f.db.Items("target")) != 30 {
		t.Errorf("%v are redelivered, the target has %d items", again, len(f.db.Items("target")))
	}
	fallback := &f.writer.fallbacks[0][byInsert]
	for range statement.MaxRefusedCalls - 1 {
		fallback.Refuse(errStatementDenied) // if it was refused before, this turns it on
	}
	if calls := c.sent["BatchExecuteStatement"]; calls < 3 || calls > 4 || fallback.IsOn() {
		t.Errorf("sent %v", c.sent)
	}
}

func TestAReadDecidesInWhateverFormTheTimeIs(t *testing.T) {
	for _, test := range []struct {
		time string // of both items' changes
		want map[string]int
	}{
		{"1700000000", map[string]int{"BatchExecuteStatement": 1, "BatchGetItem": 1}},
		{"1700000000.000", map[string]int{"BatchExecuteStatement": 1, "BatchGetItem": 1}},
		{"1.7E9", map[string]int{"BatchExecuteStatement": 1, "BatchGetItem": 1}},
		{"1700000000.00000000001", map[string]int{"BatchExecuteStatement": 1, "BatchGetItem": 1, "PutItem": 1}},
	} {
		f, c := newCounting(t, guardedSpec())
		at := func(time string, sequence int, id string) string {
			r := record("INSERT", sequence, item("id", id), "", item("id", id, "group", "g"))
			return strings.Replace(r, fmt.Sprint(1700000000+sequence), time, 1)
		}
		f.invoke(t, at("1700000000", 2, "a"))
		c.sent = map[string]int{}
		if again := f.invoke(t, at(test.time, 1, "b")); again != nil {
			t.Errorf("%s: %v are redelivered", test.time, again)
		}
		c.expect(t, test.time, test.want)
	}
}

func TestWhatNoStatementCanCarryIsPutByItself(t *testing.T) {
	long := strings.Repeat("n", statement.MaxBytes)
	for _, test := range []struct {
		name, why     string
		before, after []string // names
		want          map[string]int
	}{
		{"a long name", "a statement has at most 8,192 characters", nil, []string{long}, map[string]int{"PutItem": 1}},
		{"a long name that goes", "its removal is a part of the statement", []string{long}, []string{"a"},
			map[string]int{"PutItem": 1}},
		{"a name like a placeholder", "DynamoDB refuses it in an UPDATE", []string{"a"}, []string{"#a"},
			map[string]int{"PutItem": 1}},
		{"a new item with such a name", "DynamoDB takes it in an INSERT", nil, []string{"#a", ":b"},
			map[string]int{"BatchExecuteStatement": 1}},
		{"quotes in names", "they are doubled", []string{`'a''"b"`}, []string{`"`, `'`, `"'`},
			map[string]int{"BatchExecuteStatement": 1}},
		{"names that JSON escapes", "a statement is a JSON string", []string{"\x00\n"}, []string{`\`, "é\t"},
			map[string]int{"BatchExecuteStatement": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, c := newCounting(t, guarded(uniqueSpec(all)))
			image := func(names []string) string {
				text := `{"id":{"S":"1"},"group":{"S":"g"}`
				for _, name := range names {
					text += "," + dynamodbjson.Quote(name) + `:{"S":"x"}`
				}
				return text + "}"
			}
			before, event := "", "INSERT"
			if test.before != nil {
				before, event = image(test.before), "MODIFY"
				f.invoke(t, record("INSERT", 1, item("id", "1"), "", before))
				c.sent = map[string]int{}
			}
			if again := f.invoke(t, record(event, 2, item("id", "1"), before, image(test.after))); again != nil {
				t.Errorf("%v are redelivered: %s", again, f.log)
			}
			c.expect(t, test.why, test.want)
			items := f.db.Items("target")
			if len(items) != 1 || strings.Count(items[0], `{"S":"x"}`) != len(test.after) {
				t.Errorf("%s: the target has %.300s", test.why, items)
			}
		})
	}
}

func TestARoleWithoutTheRightToStatementsWritesOneByOneAndSaysSoOnce(t *testing.T) {
	anyWrite := func(faults.Write) bool { return true }
	for seed, name := range []string{"a statement is denied", "a call is denied"} {
		t.Run(name, func(t *testing.T) {
			s := guarded(uniqueSpec(all))
			f, c := newCounting(t, s)
			c.inner = faults.New(f.db, uint64(seed), faults.Rule{Kind: faults.AccessDenied, Probability: 1,
				Operation: "BatchExecuteStatement", Select: anyWrite})
			for batch := range 4 {
				var records []string
				for i := range 30 {
					n := batch*30 + i
					records = append(records, insertion(n+1, fmt.Sprint(n)))
				}
				if again := f.invoke(t, records...); again != nil {
					t.Errorf("%v are redelivered", again)
				}
			}
			if got := c.sent["PutItem"]; got != 120 || c.sent["BatchExecuteStatement"] > 4 {
				t.Errorf("sent %v", c.sent)
			}
			if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "PartiQLInsert") {
				t.Errorf("one line says so: %s", log)
			}
			if len(f.db.Items("target")) != 120 {
				t.Error("not all items were written")
			}
		})
	}
}

func TestARoleWithoutTheRightToReadPutsWhatWasRefused(t *testing.T) {
	f, c := newCounting(t, guarded(uniqueSpec(all)), faults.Rule{Kind: faults.AccessDenied, Probability: 1,
		Operation: "BatchGetItem"})
	records := []string{insertion(1, "1"), insertion(2, "2")}
	f.invoke(t, records...)
	c.sent = map[string]int{}
	if again := f.invoke(t, records...); again != nil {
		t.Errorf("%v are redelivered", again)
	}
	c.expect(t, "redelivered", map[string]int{"BatchExecuteStatement": 1, "BatchGetItem": 1, "PutItem": 2})
}

func TestATableThatFailsAsAWholeDoesNotEndTheStatements(t *testing.T) {
	s := guarded(uniqueSpec(all))
	for _, kind := range []faults.Kind{faults.AccessDenied, faults.NotFound} {
		f, c := newCounting(t, s, faults.Rule{Kind: kind, Probability: 1})
		var records []string
		for i := range 200 {
			records = append(records, insertion(i+1, fmt.Sprint(i)))
		}
		f.invoke(t, records...)
		f.faults.Use()
		c.sent = map[string]int{}
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("%v are redelivered", again)
		}
		// One put by itself shows that the table works again.
		c.expect(t, string(kind), map[string]int{"BatchExecuteStatement": 8, "BatchGetItem": 1, "PutItem": 1})
	}
}

func TestStatementsDoNotHideThatPutsAreDenied(t *testing.T) {
	// T3: what statements cannot carry is denied, and everything else is written meanwhile.
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		s.Targets[1].VersionAttribute = spec.DefaultVersionAttribute
		f, c := newPairFunction(t, s)
		f.Replicator = f.at(doFunc(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") {
				return refusalAnswer(r, "AccessDeniedException"), nil
			}
			return c.Do(r)
		}), s)
		long := insertion(1, "1", "kind", "k", strings.Repeat("n", statement.MaxBytes), "x")
		expectSetAsideAfterTheGraceTime(t, f, []string{long, both(2, "2"), both(3, "3")})
	})
}

func TestAStatementsTransientErrorHoldsUpOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newCounting(t, guarded(uniqueSpec(all)), faults.Rule{Kind: faults.Throttled, Probability: 1,
			Operation: "BatchExecuteStatement", Select: selects("hot")})
		start := time.Now()
		again := f.invoke(t, insertion(1, "1"), insertion(2, "2", "note", "hot"), insertion(3, "3"))
		if !slices.Equal(again, []string{"2"}) || len(f.db.Items("target")) != 2 || time.Since(start) < time.Second {
			t.Errorf("%v are redelivered, the target has %v", again, f.db.Items("target"))
		}
	})
}

func TestNewNamesInEveryItemDoNotFillTheMemory(t *testing.T) {
	f, _ := newCounting(t, guarded(uniqueSpec(all)))
	for batch := range 20 {
		var records []string
		for i := range 100 {
			n := batch*100 + i
			records = append(records, insertion(n+1, fmt.Sprint(n), fmt.Sprint("name", n, strings.Repeat("n", 1000)), "x"))
		}
		f.invoke(t, records...)
		bytes, shapes := f.writer.encoders[0].shapes.known.Kept()
		if bytes > statement.MaxShapeBytes || shapes > statement.MaxShapeBytes/2000 {
			t.Fatalf("%d bytes of %d shapes are kept", bytes, shapes)
		}
	}
	if len(f.db.Items("target")) != 2000 {
		t.Error("not all items were written")
	}
}

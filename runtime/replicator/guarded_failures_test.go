package replicator

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// refuseRequests refuses some requests of a function. refuse returns the error's code, or "".
func (f *function) refuseRequests(s spec.Spec, refuse func(operation, body string) (code string)) {
	f.Replicator = f.at(doFunc(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		code := refuse(operation, string(body))
		if code == "" {
			return f.faults.Do(r)
		}
		a := refusalAnswer(r, code)
		if code == "InternalServerError" {
			a.StatusCode = http.StatusInternalServerError
		}
		return a, nil
	}), s)
}

func TestAFewBadItemsAreNoWrongTable(t *testing.T) {
	// F7: the good puts of a call are stored before its bad ones are refused, which then come
	// in a row. Every 33rd item is bad.
	f := newFunction(t, guarded(uniqueSpec(all)), refusing("refused"))
	var records []string
	for i := range 1000 {
		note := "fine"
		if i%33 == 0 {
			note = "refused"
		}
		records = append(records, insertion(i+1, fmt.Sprint(i), "note", note))
	}
	for _, when := range []string{"at first", "redelivered"} {
		f.queue.bodies = nil
		if again := f.invoke(t, records...); again != nil || len(f.queue.bodies) != 31 || len(f.db.Items("target")) != 969 {
			t.Errorf("%s: %d are redelivered, %d messages, %d items", when, len(again), len(f.queue.bodies),
				len(f.db.Items("target")))
		}
	}
}

func TestAWriteDoesNotWaitForOtherRequests(t *testing.T) {
	// F2: what the table takes by itself is written, whatever is wrong with statements or reads.
	before, after := item("id", "1", "group", "g", "x", "y"), item("id", "1", "group", "g", "z", "y")
	for _, test := range []struct {
		name, why string
		operation string
		code      string
	}{
		{"reads are throttled", "a put needs no read capacity", "BatchGetItem",
			"ProvisionedThroughputExceededException"},
		{"statements are a server error", "the service may not know their form", "BatchExecuteStatement",
			"InternalServerError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := guarded(uniqueSpec(all))
				f := newFunction(t, s)
				f.singly() // the item has other names than the next old image
				f.invoke(t, insertion(1, "1"))
				f.refuseRequests(s, func(operation, _ string) string {
					if operation != test.operation {
						return ""
					}
					return test.code
				})
				if again := f.invoke(t, record("MODIFY", 2, item("id", "1"), before, after)); again != nil {
					t.Errorf("%v are redelivered: %s", again, test.why)
				}
				if items := f.db.Items("target"); len(items) != 1 || !strings.Contains(items[0], `"z"`) {
					t.Errorf("the target has %v", items)
				}
			})
		})
	}
}

func TestAMissingRightCostsRequestsForAWhile(t *testing.T) {
	// Each of the rights to statements and reads can be missing without the others.
	for _, test := range []struct {
		missing string
		denies  func(operation, body string) bool
	}{
		{"dynamodb:PartiQLInsert", func(_, body string) bool { return strings.Contains(body, `"Statement":"INSERT`) }},
		{"dynamodb:PartiQLUpdate", func(_, body string) bool { return strings.Contains(body, `"Statement":"UPDATE`) }},
		{"dynamodb:PartiQLDelete", func(_, body string) bool { return strings.Contains(body, `"Statement":"DELETE`) }},
		{"dynamodb:BatchGetItem", func(operation, _ string) bool { return operation == "BatchGetItem" }},
	} {
		t.Run(test.missing, func(t *testing.T) {
			s := guarded(uniqueSpec(all))
			f := newFunction(t, s)
			denied := 0
			f.refuseRequests(s, func(operation, body string) string {
				if !test.denies(operation, body) {
					return ""
				}
				denied++
				return "AccessDeniedException"
			})
			for n := range 20 { // an insert, the same again, a change, a move
				id := fmt.Sprint(n)
				image := func(group, note string) string { return item("id", id, "group", group, "note", note) }
				for i, r := range []string{
					record("INSERT", 4*n+1, item("id", id), "", image("g", "a")),
					record("INSERT", 4*n+1, item("id", id), "", image("g", "a")),
					record("MODIFY", 4*n+2, item("id", id), image("g", "a"), image("g", "b")),
					record("MODIFY", 4*n+3, item("id", id), image("g", "b"), image("h", "b")),
				} {
					if again := f.invoke(t, r); again != nil {
						t.Fatalf("record %d of item %d is redelivered", i, n)
					}
				}
			}
			if denied != statement.MaxRefusedCalls {
				t.Errorf("%d calls were denied, not %d", denied, statement.MaxRefusedCalls)
			}
			if lines := strings.Count(f.log.String(), "one by one from now on"); lines != 1 ||
				!strings.Contains(f.log.String(), `"action":"`+test.missing+`"`) {
				t.Errorf("the log does not name the right once: %s", f.log)
			}
			if items := f.db.Items("target"); len(items) != 20 {
				t.Errorf("the target has %d items", len(items))
			}
		})
	}
}

func TestAnAnswerWithoutStatementsIsNoSuccess(t *testing.T) {
	s := guarded(uniqueSpec(all))
	f := newFunction(t, s)
	f.Replicator = f.at(doFunc(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchExecuteStatement") {
			return f.faults.Do(r)
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: 2,
			Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
	}), s)
	if again := f.invoke(t, insertion(1, "1")); again != nil || len(f.db.Items("target")) != 1 {
		t.Errorf("%v are redelivered, the target has %v", again, f.db.Items("target"))
	}
}

func TestKeysThatNoStatementCanNameGoSingly(t *testing.T) {
	for _, name := range []string{"#group", ":group"} {
		s := guarded(uniqueSpec(all))
		s.Targets[0].PartitionKey.Name = name
		f, c := newCounting(t, s)
		image := func(value string) string { return item("id", "1", name, value) }
		f.invoke(t, record("INSERT", 1, item("id", "1"), "", image("g")),
			record("INSERT", 2, item("id", "2"), "", item("id", "2", name, "g")))
		f.invoke(t, record("MODIFY", 3, item("id", "1"), image("g"), image("h")))
		c.expect(t, name, map[string]int{"PutItem": 3, "DeleteItem": 1})
		if items := f.db.Items("target"); len(items) != 2 {
			t.Errorf("the target has %v", items)
		}
	}
}

func TestAnEmptyNameEndsNothing(t *testing.T) {
	// DynamoDB has none. An event that was made by hand may.
	f := newFunction(t, guarded(uniqueSpec(all)))
	f.invoke(t, insertion(1, "1"))
	f.invoke(t, record("MODIFY", 2, item("id", "1"), item("id", "1", "group", "g"),
		`{"id":{"S":"1"},"group":{"S":"g"},"":{"S":"x"}}`))
}

// A put and a delete of the second target were refused in one outage. Statements must not hide
// that the failure of the puts is over.
func TestAnOutageIsOverWhenAllKindsOfWritesSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := guardedPair(t)
		if again := f.invoke(t, both(1, "1"), both(2, "2")); again != nil {
			t.Fatal(again)
		}
		c.failing["second"] = "AccessDeniedException"
		gone := record("REMOVE", 4, item("id", "1"), item("id", "1", "group", "g", "kind", "k"), "")
		f.invoke(t, both(3, "3"))
		f.invoke(t, gone)
		delete(c.failing, "second")
		f.invoke(t, gone)
		for n := range 20 {
			time.Sleep(time.Minute)
			if again := f.invoke(t, both(5+n, fmt.Sprint(5+n))); again != nil {
				t.Fatal(again)
			}
		}
		c.failing["second"] = "AccessDeniedException"
		if again := f.invoke(t, both(30, "30")); len(f.queue.bodies) > 0 || !slices.Equal(again, []string{"30"}) {
			t.Errorf("T3: set aside at the first refusal after 20 minutes: %v are redelivered, %d messages",
				again, len(f.queue.bodies))
		}
	})
}

func TestATargetThatWasSetAsideGetsOneRequestOfAnyKind(t *testing.T) {
	f, c := guardedPair(t)
	f.grace = 1
	c.failing["second"] = "ResourceNotFoundException"
	f.invoke(t, both(1, "1"))
	var gone []string
	for i := range 100 {
		id := fmt.Sprint(i)
		gone = append(gone, record("REMOVE", 10+i, item("id", id), item("id", id, "group", "g", "kind", "k"), ""))
	}
	before := c.requests["second"]
	f.invoke(t, gone...)
	if n := c.requests["second"] - before; n != 1 {
		t.Errorf("T3: %d requests, not 1", n)
	}
}

// guardedPair returns a function whose second target is guarded.
func guardedPair(t *testing.T) (*function, *tables) {
	t.Helper()
	s := pairSpec()
	s.Targets[1].VersionAttribute = spec.DefaultVersionAttribute
	return newPairFunction(t, s)
}

package replicator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/statement"
	"github.com/replicatedtable/cdk-go/internal/test/emf"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// functionName is the dimension of the metrics in tests.
const functionName = "function"

// measured is a function and what it writes to its metrics.
type measured struct {
	*function
	written bytes.Buffer
}

func measure(f *function) *measured {
	m := &measured{function: f}
	f.WriteMetrics(&m.written, functionName)
	return m
}

// values returns the values that are not 0 since the last call, by metric: "Writes" of the
// batch, "target Writes" of a target. Zero values are in the documents of the spec's lists,
// or not at all.
func (m *measured) values(t *testing.T) map[string]int {
	t.Helper()
	samples, others, err := emf.Read(m.written.Bytes())
	if err != nil || len(others) > 0 {
		t.Fatal(err, others)
	}
	m.written.Reset()

	values := map[string]int{}
	for _, s := range samples {
		name := s.Name
		if target := s.Dimensions[spec.TargetDimension]; target != "" {
			name = target + " " + name
		}
		if s.Namespace != spec.MetricsNamespace || s.Dimensions[spec.FunctionDimension] != functionName {
			t.Errorf("the metric is %s", s.Metric())
		}
		if _, again := values[name]; again {
			t.Errorf("%s is there twice", name)
		}
		values[name] = int(s.Value)
	}

	return values
}

// nonZero returns values without those that are 0 or depend on the clock.
func nonZero(values map[string]int) map[string]int {
	maps.DeleteFunc(values, func(name string, value int) bool {
		return value == 0 || strings.HasSuffix(name, spec.MetricDuration.Name) || name == spec.MetricLag.Name
	})
	return values
}

func TestTheMetricsCountWhatBecomesOfEachChange(t *testing.T) {
	grouped := func(id, group string) string { return item("id", id, "group", group) }
	sparse := `{"id":{"S":"7"}}`
	illTyped := `{"id":{"S":"9"},"group":{"BOOL":true}}`
	filtered := uniqueSpec(all)
	filtered.Targets[0].Filter = &spec.Condition{Operator: spec.Equals, Path: []string{"group"}, Values: []spec.Value{{Type: "S", Text: "g"}}}

	for _, tt := range []struct {
		name, why string
		spec      spec.Spec
		rules     []faults.Rule
		records   []string
		want      map[string]int
	}{
		{"puts", "each is a write", uniqueSpec(all), nil,
			[]string{insertion(1, "1"), insertion(2, "2")}, map[string]int{"Records": 2, "Writes": 2}},
		{"statements", "they are writes too", guarded(uniqueSpec(all)), nil,
			[]string{insertion(1, "1"), insertion(2, "2")}, map[string]int{"Records": 2, "Writes": 2}},
		{"a move", "it is a put and a delete", uniqueSpec(all), nil,
			[]string{record("MODIFY", 1, item("id", "1"), grouped("1", "g"), grouped("1", "h"))},
			map[string]int{"Records": 1, "Writes": 2}},
		{"coalesced", "only the last change of an item is written", uniqueSpec(all), nil,
			[]string{
				insertion(1, "1"),
				record("MODIFY", 2, item("id", "1"), grouped("1", "g"), item("id", "1", "group", "g", "a", "1")),
				record("MODIFY", 3, item("id", "1"), item("id", "1", "group", "g", "a", "1"), item("id", "1", "group", "g", "a", "2")),
			}, map[string]int{"Records": 3, "Writes": 1, "Elided": 2}},
		{"unchanged", "the projection leaves out what changed", uniqueSpec(spec.Projection{Type: spec.KeysOnly}), nil,
			[]string{record("MODIFY", 1, item("id", "1"), grouped("1", "g"), item("id", "1", "group", "g", "a", "1"))},
			map[string]int{"Records": 1, "Elided": 1}},
		{"sparse", "there was no target item and is none", uniqueSpec(all), nil,
			[]string{record("INSERT", 1, item("id", "7"), "", sparse), record("REMOVE", 2, item("id", "7"), sparse, "")},
			map[string]int{"Records": 2, "Unmapped": 2}},
		{"filtered", "an item that leaves the filter is deleted, one that never met it is nothing", filtered, nil,
			[]string{
				record("MODIFY", 1, item("id", "1"), grouped("1", "g"), grouped("1", "h")),
				record("INSERT", 2, item("id", "2"), "", grouped("2", "h")),
			}, map[string]int{"Records": 2, "Writes": 1, "Unmapped": 1}},
		{"ill-typed", "the failure queue has a message; nothing was there to delete", uniqueSpec(all), nil,
			[]string{record("INSERT", 1, item("id", "9"), "", illTyped)}, map[string]int{"Records": 1, "Failed": 1}},
		{"ill-typed from now on", "the item's older state is deleted", uniqueSpec(all), nil,
			[]string{record("MODIFY", 1, item("id", "9"), grouped("9", "g"), illTyped)},
			map[string]int{"Records": 1, "Failed": 1, "Writes": 1}},
		{"undecodable", "it belongs to no target", uniqueSpec(all), nil,
			[]string{`{"eventName":"INSERT"}`, insertion(2, "2")}, map[string]int{"Records": 2, "Failed": 1, "Writes": 1}},
		{"refused by the table", "the message is sent, and its older state deleted", uniqueSpec(all),
			[]faults.Rule{{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
				return w.Put && bytes.Contains(w.Attributes, []byte(`"S":"1"`))
			}}},
			[]string{insertion(1, "1"), insertion(2, "2")}, map[string]int{"Records": 2, "Failed": 1, "Writes": 2}},
		{"denied", "the target fails as a whole", uniqueSpec(all),
			[]faults.Rule{{Kind: faults.AccessDenied, Probability: 1}},
			bothOf(100, 1), map[string]int{"Records": 100, "target SystemicFailures": 1}},
		{"denied, guarded", "nothing is sent again", guarded(uniqueSpec(all)),
			[]faults.Rule{{Kind: faults.AccessDenied, Probability: 1}},
			bothOf(100, 1), map[string]int{"Records": 100, "target SystemicFailures": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			m := measure(newFunction(t, tt.spec, tt.rules...))
			m.invoke(t, tt.records...)
			if got := nonZero(m.values(t)); !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestARedeliveredBatchOfGuardedWritesIsStale(t *testing.T) {
	for name, s := range map[string]spec.Spec{"unique": guarded(uniqueSpec(all)), "last writer": usersSpec()} {
		for _, singly := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", singly ", singly), func(t *testing.T) {
				m := measure(newFunction(t, s))
				want := map[string]int{"Records": 1, "Stale": 1}
				if singly {
					m.singly()
					want["target SingleWrites"] = 1
				}
				put := insertion(1, "1")
				if name == "last writer" {
					put = record("INSERT", 1, item("email", "e"), "", item("email", "e", "state", "s", "city", "c"))
				}
				m.invoke(t, put)
				m.values(t)
				m.invoke(t, put)
				if got := nonZero(m.values(t)); !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

func TestOnlyWritesWhoseOwnWayIsClosedCountAsSentSingly(t *testing.T) {
	m := measure(newFunction(t, guarded(uniqueSpec(all))))
	for range statement.MaxRefusedCalls {
		m.writer.fallbacks[0][byDelete].Refuse(errStatementDenied)
	}
	m.invoke(t, insertion(1, "1"), insertion(2, "2"), insertion(3, "3"))
	if got := nonZero(m.values(t))["target SingleWrites"]; got != 0 {
		t.Errorf("%d puts were sent singly, but only deletes are refused", got)
	}
	m.singly()
	m.invoke(t, insertion(4, "4"), insertion(5, "5"))
	if got := nonZero(m.values(t))["target SingleWrites"]; got != 2 {
		t.Errorf("got %d writes that were sent singly, want 2", got)
	}
}

func TestOnlyWritesThatAreSentCountAsSentSingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := faults.Rule{Kind: faults.Slow, Probability: 1, Delay: 2 * time.Second}
		m := measure(newFunction(t, guarded(uniqueSpec(all)), slow))
		m.singly()
		var records []string
		for i := range 400 {
			records = append(records, insertion(i+1, fmt.Sprint(i+1)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := m.Invoke(ctx, payload(records...)); err != nil {
			t.Fatal(err)
		}
		got := nonZero(m.values(t))
		if got["target SingleWrites"] != got["Writes"]+got["Retried"] || got["Writes"] == 0 || got["Writes"] == 400 {
			t.Errorf("got %v, want as many single writes as were carried out or have no answer", got)
		}
	})
}

func TestARecordThatFailsTwiceForATargetCountsOnce(t *testing.T) {
	illTyped := `{"id":{"S":"9"},"group":{"BOOL":true}}`
	poison := faults.Rule{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool { return !w.Put }}
	for _, s := range []spec.Spec{uniqueSpec(all), guarded(uniqueSpec(all))} {
		m := measure(newFunction(t, s, poison))
		m.invoke(t, record("MODIFY", 1, item("id", "9"), item("id", "9", "group", "g"), illTyped))
		if got := nonZero(m.values(t)); got["Failed"] != 1 {
			t.Errorf("got %v, want one failed record", got)
		}
	}
}

func TestWritesThatAreSentAgainCountAsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, s := range map[string]spec.Spec{"batch": uniqueSpec(all), "statements": guarded(uniqueSpec(all))} {
			kind := faults.Unprocessed
			if name == "statements" {
				kind = faults.Throttled // after another passing error the write goes by itself
			}
			m := measure(newFunction(t, s, faults.Rule{Kind: kind, Probability: 1, Select: selects(`"S":"2"`)}))
			m.invoke(t, insertion(1, "1"), insertion(2, "2"))
			got := nonZero(m.values(t))
			if again := got["Retried"]; again < 3 || got["Writes"] != 1 || len(got) != 3 {
				t.Errorf("%s: got %v, want one write and several retries of the other", name, got)
			}
		}
	})
}

func TestTheMetricsOfATargetThatIsSetAsideNameIt(t *testing.T) {
	// T3.
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		m := measure(f)
		c.failing["second"] = "AccessDeniedException"
		m.invoke(t, both(1, "1"), both(2, "2"))
		want := map[string]int{"Records": 2, "Writes": 2, "second SystemicFailures": 1}
		if got := nonZero(m.values(t)); !maps.Equal(got, want) {
			t.Errorf("before the grace time: got %v, want %v", got, want)
		}

		time.Sleep(2 * defaultGrace)
		m.invoke(t, both(1, "1"), both(2, "2"))
		want["SetAside"], want["second SetAside"] = 2, 2
		if got := nonZero(m.values(t)); !maps.Equal(got, want) {
			t.Errorf("set aside: got %v, want %v", got, want)
		}

		m.invoke(t, insertion(9, "9"))
		want = map[string]int{"Records": 1, "Writes": 1, "Unmapped": 1, "second SystemicFailures": 1}
		if got := nonZero(m.values(t)); !maps.Equal(got, want) {
			t.Errorf("without a change for it: got %v, want %v", got, want)
		}

		delete(c.failing, "second")
		m.invoke(t, both(3, "3"))
		want = map[string]int{"Records": 1, "Writes": 3} // one of them showed that the target is back
		if got := nonZero(m.values(t)); !maps.Equal(got, want) {
			t.Errorf("repaired: got %v, want %v", got, want)
		}
	})
}

func TestAllTargetsFailWhenTheFunctionReadsTheWrongStream(t *testing.T) {
	f, _ := newPairFunction(t, pairSpec())
	m := measure(f)
	m.invoke(t, strings.Replace(both(1, "1"), "table/source/", "table/other/", 1))
	want := map[string]int{"Records": 1, "target SystemicFailures": 1, "second SystemicFailures": 1}
	if got := nonZero(m.values(t)); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestADocumentHasTheMetricsOfItsLevel(t *testing.T) {
	names := func(prefix string, metrics []spec.Metric) []string {
		var list []string
		for _, m := range metrics {
			list = append(list, prefix+m.Name)
		}
		return list
	}
	invocation := names("", spec.InvocationMetrics())
	for _, tt := range []struct {
		level spec.MetricsLevel
		fails bool
		want  [][]string
	}{
		{"", false, [][]string{invocation}},
		{spec.MetricsBasic, false, [][]string{invocation}},
		{spec.MetricsBasic, true, [][]string{invocation, names("second ", spec.TroubleMetrics())}},
		{spec.MetricsPerTarget, false, [][]string{
			invocation, names("target ", spec.TargetMetrics()), names("second ", spec.TargetMetrics()),
		}},
		{spec.MetricsNone, true, nil},
	} {
		t.Run(fmt.Sprintf("%q, fails %v", tt.level, tt.fails), func(t *testing.T) {
			s := pairSpec()
			s.Metrics = tt.level
			f, c := newPairFunction(t, s)
			m := measure(f)
			if tt.fails {
				c.failing["second"] = "AccessDeniedException"
			}
			m.invoke(t, both(1, "1"))

			got, count := m.values(t), 0
			for _, list := range tt.want {
				for _, name := range list {
					if _, found := got[name]; !found {
						t.Errorf("%s is missing", name)
					}
					count++
				}
			}
			if len(got) != count {
				t.Errorf("got %d metrics, want %d: %v", len(got), count, got)
			}
		})
	}
}

func TestATargetWithNothingToReportHasNoDocument(t *testing.T) {
	s := pairSpec()
	s.Metrics = spec.MetricsPerTarget
	f, _ := newPairFunction(t, s)
	m := measure(f)
	m.invoke(t, `{"eventName":"INSERT"}`) // no target can have it
	for name := range m.values(t) {
		if strings.Contains(name, " ") {
			t.Errorf("%s is a metric of a target", name)
		}
	}
}

func TestTheLagIsTheAgeOfTheOldestRecordAndTheDurationThatOfTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := uniqueSpec(all)
		s.Metrics = spec.MetricsPerTarget
		m := measure(newFunction(t, s,
			faults.Rule{Kind: faults.Slow, Probability: 1, Delay: 3 * time.Second, Operation: "BatchWriteItem"}))
		written := time.Now().Add(-time.Minute).Unix()
		old := strings.Replace(insertion(1, "1"), "1700000001", fmt.Sprint(written), 1)
		young := strings.Replace(insertion(2, "2"), "1700000002", fmt.Sprint(written+50), 1)
		m.invoke(t, old, young)
		got := m.values(t)
		if got["Lag"] != 63_000 || got["Duration"] != 3000 || got["target Duration"] != 3000 {
			t.Errorf("got %v, want a lag of 63 s and durations of 3 s", got)
		}

		ahead := strings.Replace(insertion(3, "3"), "1700000003", fmt.Sprint(time.Now().Add(time.Hour).Unix()), 1)
		m.invoke(t, ahead)
		if lag := m.values(t)["Lag"]; lag != 0 {
			t.Errorf("the lag of a record from the future is %d", lag)
		}
	})
}

func TestEveryLineOfAnInvocationHasItsRequestID(t *testing.T) {
	f, c := newPairFunction(t, pairSpec())
	m := measure(f)
	c.failing["second"] = "AccessDeniedException"
	const id = `6f0b5c4e-0000-4000-8000-"quoted"`
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id})
	if _, err := m.Invoke(ctx, payload(both(1, "1"), record("INSERT", 2, item("id", "9"), "", `{"id":{"S":"9"},"group":{"BOOL":true}}`))); err != nil {
		t.Fatal(err)
	}
	lines := m.log.String() + m.written.String()
	if n := strings.Count(lines, "\n"); n < 4 || strings.Count(lines, `"requestId":"6f0b5c4e-0000-4000-8000-\"quoted\""`) != n {
		t.Errorf("not every line has the ID:\n%s", lines)
	}
	if _, _, err := emf.Read(m.written.Bytes()); err != nil {
		t.Error(err)
	}
}

func TestABatchWithoutRecordsHasNoMetrics(t *testing.T) {
	m := measure(newFunction(t, uniqueSpec(all)))
	m.invoke(t)
	if m.written.Len() > 0 {
		t.Errorf("got %s", m.written.String())
	}
}

func TestMetricsAllocateNothingForARecord(t *testing.T) {
	r := newReplicator(orders.Several(5), nil, nil, minInFlight, nil)
	r.WriteMetrics(io.Discard, functionName)
	w := r.workspace()
	e, _, err := w.decoder.decode(orders.Inserts(1000, orders.Large))
	if err != nil {
		t.Fatal(err)
	}
	effects, _ := w.projector.project(e)
	plan, rest := w.planner.plan(e, effects)
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "id"})
	if n := testing.AllocsPerRun(10, func() {
		w.counts.reset()
		w.counts.planned(effects, rest, plan.chains)
		w.counts.judged(nil, r.writer.healths)
		w.counts.sent(nil)
		r.measure(ctx, w, time.Now())
	}); n != 0 {
		t.Errorf("%v allocations for a batch of 1,000 records", n)
	}
}

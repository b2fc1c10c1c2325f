package reconciler

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// twoTargets is the spec of an orders table with two views. The rules that are tested with it do
// not look at mappings.
func twoTargets() spec.Spec {
	table := func(name string) spec.Table { return spec.Table{TableName: name} }
	return spec.Spec{Source: table("orders"), Targets: []spec.Target{{Table: table("by-a")}, {Table: table("by-b")}}}
}

func TestTheInputOfAnExecution(t *testing.T) {
	for _, tt := range []struct {
		name, input string
		want        input
		problem     string
	}{
		{"the smallest", `{"operation":"backfill"}`, input{Operation: Backfill}, ""},
		{"everything", `{"operation":"verify","segments":200,"writeUnits":2000,"readUnits":50,"graceSeconds":5,` +
			`"strict":true,"dryRun":true}`,
			input{Operation: Verify, Segments: 200, WriteUnits: 2000, ReadUnits: 50, GraceSeconds: 5, Strict: true, DryRun: true}, ""},
		{"few segments need few units", `{"operation":"repair","segments":2,"writeUnits":10}`,
			input{Operation: Repair, Segments: 2, WriteUnits: 10}, ""},
		{"no operation", `{}`, input{}, `operation is "": use "backfill", "verify" or "repair"`},
		{"an unknown operation", `{"operation":"delete"}`, input{}, `operation is "delete": use "backfill", "verify" or "repair"`},
		{"two problems", `{"operation":"verify","segments":1001,"graceSeconds":-1}`, input{},
			"segments is 1001: use 1 to 1000, or leave it out\ngraceSeconds is -1: use 1 to 300, or leave it out"},
		{"too few units", `{"operation":"backfill","writeUnits":49}`, input{},
			"writeUnits is 49: use at least 50, which is 5 a second for each of the segments that are in progress at once, or leave it out"},
		{"an unknown field", `{"operation":"backfill","write-units":1000}`, input{},
			`the input has the unknown field "write-units": use an object like {"operation": "verify"}`},
		{"a wrong type", `{"operation":"backfill","segments":"100"}`, input{},
			`the input has a string for segments: use an object like {"operation": "verify"}`},
		{"no object", `"backfill"`, input{}, `the input is not an object: use an object like {"operation": "verify"}`},
		{"nothing", ``, input{}, `the input is empty: use an object like {"operation": "verify"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readInput([]byte(tt.input), 10)
			if problem := text(err); problem != tt.problem {
				t.Fatalf("got the problem  %s\nwant the problem %s", problem, tt.problem)
			}
			if err == nil && got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// execute runs an execution whose segments have these counts, and the first of them interrupted. It
// hands each state on as JSON, as the state machine does.
func execute(t *testing.T, input string, interrupted bool, counts ...Counts) (passes []Pass, last decision) {
	t.Helper()
	w := &worker{spec: twoTargets()}
	state := fmt.Sprintf(`{"Input":%s}`, input)
	for {
		var p progress
		if err := json.Unmarshal([]byte(state), &p); err != nil {
			t.Fatal(err)
		}
		next, err := w.plan(t.Context(), task{Plan: &p, MaxConcurrency: 10, FunctionName: "Orders-Function"})
		if err != nil {
			t.Fatal(err)
		}
		if next.Next != nextPass {
			return passes, next
		}

		passes = append(passes, next.Run.Pass)
		results := make([]segmentResult, len(next.Segments))
		for i := range results {
			results[i] = segmentResult{Interrupted: interrupted && i == 0, Counts: numbersOf(counts[i])}
		}
		content, err := json.Marshal(map[string]any{"Next": next.Next, "Run": next.Run, "Segments": next.Segments, "Results": results})
		if err != nil {
			t.Fatal(err)
		}
		state = string(content)
	}
}

func TestAnExecutionForAnotherTableFailsAtOnce(t *testing.T) {
	own := twoTargets().Source.TableName
	for _, tt := range []struct {
		table, function string
		want            next
	}{
		{own, "Orders-Function", nextSucceeded},
		{own, "Users-Function", nextFailed},
		{"users", "Orders-Function", nextFailed},
	} {
		input := fmt.Sprintf(`{"operation":"verify","segments":1,"sourceTable":%q,"functionName":%q}`, tt.table, tt.function)
		if _, last := execute(t, input, false, Counts{}); last.Next != tt.want {
			t.Errorf("%s, %s: %+v", tt.table, tt.function, last)
		}
	}
}

func TestAnExecutionHasThePassesThatItNeeds(t *testing.T) {
	reverse := func(o Operation) []Pass { return []Pass{{o, "by-a"}, {o, "by-b"}} }
	for _, tt := range []struct {
		name, input string
		interrupted bool
		want        []Pass
	}{
		{"a backfill", `{"operation":"backfill","segments":2}`, false, []Pass{{Operation: Backfill}}},
		{"an interrupted backfill", `{"operation":"backfill","segments":2}`, true,
			append([]Pass{{Operation: Backfill}}, reverse(Repair)...)},
		{"an interrupted dry run has written nothing", `{"operation":"backfill","segments":2,"dryRun":true}`, true,
			[]Pass{{Operation: Backfill}}},
		{"verify", `{"operation":"verify","segments":2}`, false, append([]Pass{{Operation: Verify}}, reverse(Verify)...)},
		{"repair", `{"operation":"repair","segments":2}`, false, append([]Pass{{Operation: Repair}}, reverse(Repair)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			passes, last := execute(t, tt.input, tt.interrupted, Counts{Read: 3}, Counts{Read: 4})
			if fmt.Sprint(passes) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", passes, tt.want)
			}
			if last.Next != nextSucceeded || last.Output.Counts.Read != int64(7*len(passes)) {
				t.Errorf("got %+v", last)
			}
		})
	}
}

func TestAnExecutionFailsWhenDifferencesAreLeft(t *testing.T) {
	for _, tt := range []struct {
		name, input string
		counts      Counts
		want        string
	}{
		{"verify finds some", `{"operation":"verify","segments":1}`, Counts{Equal: 9, Missing: 1, WrongOwner: 2},
			"9 differences are left (found: 3 missing, 0 extra, 0 stale, 6 with a wrong owner, 0 unclaimed; repaired: 0; equal: 27). "},
		{"an unclaimed key is none", `{"operation":"verify","segments":1}`, Counts{Unclaimed: 2}, ""},
		{"but when it is strict", `{"operation":"verify","segments":1,"strict":true}`, Counts{Unclaimed: 2}, "6 differences are left"},
		{"repair has mended all", `{"operation":"repair","segments":1}`, Counts{Stale: 3, Repaired: 3}, ""},
		{"repair has not", `{"operation":"repair","segments":1}`, Counts{Stale: 3, Repaired: 2, Unrepaired: 1},
			"3 differences are left (found: 0 missing, 0 extra, 9 stale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, last := execute(t, tt.input, false, tt.counts)
			if tt.want == "" {
				if last.Next != nextSucceeded {
					t.Errorf("got %+v, want success", last)
				}
				return
			}
			if last.Next != nextFailed || last.Error != "Differences" || !strings.HasPrefix(last.Cause, tt.want) {
				t.Errorf("got %+v, want %s", last, tt.want)
			}
			if !strings.HasSuffix(last.Cause, "or run: replicatedtable repair -function Orders-Function") {
				t.Errorf("the cause %q does not say what to do", last.Cause)
			}
		})
	}
}

func TestADeploymentThatChangesTheMappingEndsAnExecution(t *testing.T) {
	changed := decision{Next: nextFailed, Error: "FunctionChanged",
		Cause: "the function's mapping has changed since the execution began: start another one"}
	another := spec.Target{Table: spec.Table{TableName: "another"}}
	for _, tt := range []struct {
		name   string
		change func(s *spec.Spec)
		slice  bool // the change was undone, but a slice has seen it
		ends   bool
	}{
		{"nothing", func(*spec.Spec) {}, false, false},
		{"a target in front of the others", func(s *spec.Spec) { s.Targets = slices.Insert(s.Targets, 0, another) }, false, true},
		{"a target behind them", func(s *spec.Spec) { s.Targets = append(s.Targets, another) }, false, true},
		{"a table", func(s *spec.Spec) { s.Targets[0].TableName = "another" }, false, true},
		{"the rules", func(s *spec.Spec) { s.MappingVersion++ }, false, true},
		{"what has nothing to do with it", func(s *spec.Spec) {
			s.FailureQueueURL, s.SetAsideSeconds, s.LogLevel = "https://queue", 60, spec.LogDebug
			s.Targets[0].WriteBrakeDisabled = true
		}, false, false},
		{"a mapping that was changed back", func(*spec.Spec) {}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &worker{spec: twoTargets()}
			plan := func(p progress) decision {
				d, err := w.plan(t.Context(), task{Plan: &p, MaxConcurrency: 10})
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			d := plan(progress{Input: json.RawMessage(`{"operation":"verify","segments":1}`)})
			tt.change(&w.spec)
			result := segmentResult{Counts: numbersOf(Counts{}), MappingChanged: tt.slice}
			got := plan(progress{Run: d.Run, Results: []segmentResult{result}})
			if tt.ends && !reflect.DeepEqual(got, changed) {
				t.Errorf("got %+v, want %+v", got, changed)
			}
			if !tt.ends && (got.Next != nextPass || got.Run.Pass.Target != "by-a") {
				t.Errorf("got %+v, want the next pass", got)
			}
		})
	}
}

func TestAnInputThatCannotBeUsedFailsAtOnce(t *testing.T) {
	passes, last := execute(t, `{"operation":"x","segments":-1}`, false)
	want := decision{Next: nextFailed, Error: "InputError",
		Cause: `operation is "x": use "backfill", "verify" or "repair"; segments is -1: use 1 to 1000, or leave it out`}
	if len(passes) > 0 || !reflect.DeepEqual(last, want) {
		t.Errorf("got %v, %+v, want %+v", passes, last, want)
	}
}

// Step Functions hands at most 256 KiB from state to state, and fails an execution of days otherwise.
func TestTheResultsOfAllSegmentsFitOneState(t *testing.T) {
	const maxBytes = 256 << 10
	full := make(numbers, len(numbersOf(Counts{})))
	for i := range full {
		full[i] = 9_999_999.5 // 10^10 items in all segments, and as many in each of the counts
	}
	results := make([]segmentResult, spec.MaxSegments)
	for i := range results {
		results[i] = segmentResult{Interrupted: i%100 == 0, Counts: full}
	}
	r := &run{Input: input{Operation: Repair}, Segments: spec.MaxSegments}
	for range 20 {
		r.Finished = append(r.Finished, passResult{Pass: Pass{Repair, strings.Repeat("t", 255)}, Counts: Counts{Read: 1e12, Equal: 1e12}})
	}
	content, err := json.Marshal(map[string]any{"Run": r, "Segments": make([]int, spec.MaxSegments), "Results": results})
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > maxBytes {
		t.Errorf("the state has %d bytes, and may have %d", len(content), maxBytes)
	}
}

func TestCountsComeBackAsTheyWere(t *testing.T) {
	want := Counts{Pages: 1, Read: 1 << 40, Throttles: 3, TargetWriteUnits: 2.5}
	if got, err := numbersOf(want).counts(); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := numbersOf(want)[1:].counts(); err == nil {
		t.Error("the counts of another release are added up")
	}
}

func TestATableHasOneSegmentPerGigabyteOrAsManyAsAreInProgress(t *testing.T) {
	for _, tt := range []struct {
		size int64
		want int
	}{{0, 10}, {9 << 30, 10}, {250 << 30, 250}, {5000 << 30, spec.MaxSegments}} {
		if got := defaultSegments(tt.size, 10); got != tt.want {
			t.Errorf("%d bytes: got %d, want %d", tt.size, got, tt.want)
		}
	}
}

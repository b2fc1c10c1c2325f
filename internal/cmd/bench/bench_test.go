package main

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/endpoint"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

func TestMain(m *testing.M) { process.TestMain(roles, m.Run) }

// small are the workloads of the benchmark with few records.
func small() []workload {
	return []workload{
		inserts("inserts", "inserts", orders.Unique(), 60, orders.Small),
		{
			name: "no-ops", title: "no-ops", spec: orders.Unique(), records: 60, items: 60, unchanged: 54,
			payload: func() []byte { return orders.Checks(60, orders.Small) },
			warmUp:  func() []byte { return orders.Checks(6, orders.Small) },
		},
		{
			name: "changes", title: "changes", spec: orders.Unique(), records: 60, items: 20,
			payload: func() []byte { return orders.Changes(20, 3, orders.Large) },
			warmUp:  func() []byte { return orders.Changes(2, 3, orders.Large) },
		},
		inserts("conditional", "conditional", orders.Colliding(), 60, orders.Large),
		inserts("several", "several", orders.Several(severalTargets), 60, orders.Large),
	}
}

func TestEveryVariantWritesTheSameItems(t *testing.T) {
	for _, w := range small() {
		for _, v := range variantsFor(w) {
			t.Run(w.name+"/"+v.name, func(t *testing.T) {
				e := endpoint.New(0, tables()...)
				server := httptest.NewServer(e)
				defer server.Close()
				for name, value := range map[string]string{
					spec.EnvironmentVariable:      w.specFor(v).Encode(),
					"AWS_REGION":                  "eu-west-1",
					"AWS_ACCESS_KEY_ID":           "bench",
					"AWS_SECRET_ACCESS_KEY":       "bench",
					"AWS_ENDPOINT_URL":            server.URL,
					"AWS_CONFIG_FILE":             os.DevNull,
					"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
				} {
					t.Setenv(name, value)
				}
				h, err := v.handler(t.Context(), w.specFor(v))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := invoke(t.Context(), h, w.payload()); err != nil {
					t.Fatal(err)
				}
				totals, err := e.Settle(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				want := wanted(t, w.payload(), v)
				for _, target := range w.specFor(v).Targets {
					got := without(t, totals.Items[target.TableName], target.VersionAttribute)
					if len(want) != w.written(v) || !slices.Equal(got, want) {
						t.Errorf("wrote %d items to %s:\n%s\nwant %d, by the workload %d:\n%s", len(got), target.TableName,
							strings.Join(got, "\n"), len(want), w.written(v), strings.Join(want, "\n"))
					}
				}
			})
		}
	}
}

type attributes = map[string]map[string]any

// wanted returns what a variant leaves in an empty target table. The article's
// function keeps items that should go, and loses attributes that are neither strings
// nor booleans. Ours leave out what has not changed in the target.
func wanted(t *testing.T, payload []byte, v variant) []string {
	t.Helper()
	var event struct {
		Records []struct {
			DynamoDB struct{ Keys, OldImage, NewImage attributes } `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Fatal(err)
	}
	last := map[any]attributes{}
	for _, r := range event.Records {
		item, id := r.DynamoDB.NewImage, r.DynamoDB.Keys[orders.OrderID]["S"]
		if v.name == "article" {
			maps.DeleteFunc(item, func(_ string, value map[string]any) bool {
				_, isString := value["S"]
				_, isBoolean := value["BOOL"]
				return !isString && !isBoolean
			})
		} else {
			delete(item, orders.InternalNote)
			delete(r.DynamoDB.OldImage, orders.InternalNote)
		}
		if v.yardstick || last[id] != nil || !reflect.DeepEqual(item, r.DynamoDB.OldImage) {
			last[id] = item
		}
	}
	var items []string
	for _, item := range last {
		items = append(items, canonical(t, item))
	}
	slices.Sort(items)
	return items
}

// without returns items without one attribute: each variant that guards its writes
// has a version of its own form.
func without(t *testing.T, items []string, name string) []string {
	t.Helper()
	var rest []string
	for _, text := range items {
		var item attributes
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		delete(item, name)
		rest = append(rest, canonical(t, item))
	}
	slices.Sort(rest)
	return rest
}

func canonical(t *testing.T, item attributes) string {
	t.Helper()
	text, err := json.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	c, err := memorydb.Canonical(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCommandPrintsEveryVariantOfEveryCase(t *testing.T) {
	cases := small()[2:] // one for every set of variants
	var out strings.Builder
	if err := run(t.Context(), options{cases: cases, runs: 2}, &out); err != nil {
		t.Fatal(err)
	}
	for _, w := range cases {
		_, table, found := strings.Cut(out.String(), "## "+w.title+"\n")
		if !found {
			t.Errorf("no table of %s", w.name)
		}
		table, _, _ = strings.Cut(table, "\n## ")
		for _, v := range variantsFor(w) {
			if !regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(v.title) + ` \|.* 2 \|$`).MatchString(table) {
				t.Errorf("no row of two runs of %s in\n%s", v.name, table)
			}
		}
		lines := []string{
			"ratio " + w.name + " requests:typed/ours256 1.00\n",
			"ratio " + w.name + " write_units:typed/ours256 1.00\n",
			"ratio " + w.name + " allocations_per_record:ours1280 ",
			"ratio " + w.name + " requests:ours256/silent256 1.00\n",
		}
		if w.spec.Targets[0].VersionAttribute != "" { // one request for each item, and for 25
			lines = []string{"ratio " + w.name + " requests:typed/ours256 20.0\n"}
		}
		if len(w.spec.Targets) > 1 {
			lines = []string{"ratio " + w.name + " write_units:ours256/one256 5.00\n"}
		}
		for _, line := range lines {
			if !strings.Contains(out.String(), line) {
				t.Errorf("no line %q in\n%s", line, out.String())
			}
		}
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name, why string
		args      []string
		want      string
	}{
		{"an unknown case", "a typing error would measure nothing", []string{"-cases", "200x5,x"}, `there is no case "x"`},
		{"no runs", "there is no median of nothing", []string{"-runs", "0"}, "-runs is 0"},
		{"a negative delay", "no answer comes before its request", []string{"-delay", "-1ms"}, "-delay is -1ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parse(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %s", tt.why, err, tt.want)
			}
		})
	}
	o, err := parse([]string{"-cases", "200x5"})
	if err != nil || len(o.cases) != 1 || o.cases[0].name != "200x5" {
		t.Errorf("got %v, %v", o.cases, err)
	}
}

func TestALongRunGetsFewTurns(t *testing.T) {
	a := allowance{all: 10 * time.Second, one: 20 * time.Second}
	for estimate, want := range map[time.Duration]int{
		0: 7, time.Second: 7, 4 * time.Second: 2, 15 * time.Second: 1, time.Minute: 0,
	} {
		if got := a.turns(7, estimate); got != want {
			t.Errorf("a run of %v gets %d turns, want %d", estimate, got, want)
		}
	}
}

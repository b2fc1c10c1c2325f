package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Verify finds each kind of difference in 20,000 items, and repair mends these and nothing else.
func TestVerifyFindsAndRepairMendsPlantedDifferences(t *testing.T) {
	const items = 20_000
	r := newRig(t)
	s := worldSpec("planted")
	s.Targets = s.Targets[:1]
	source := users(t, items)
	r.existing(s, source)
	var target []attributes
	for _, item := range source {
		if byCity, _ := mapped(item); byCity != nil {
			target = append(target, byCity)
		}
	}

	random := rand.New(rand.NewPCG(2, 2))
	missing := random.IntN(len(target))
	target = append(target[:missing], target[missing+1:]...)
	target[100]["name"] = text("stale")
	target[200]["id"] = text("user-wrong")
	orphan, _ := mapped(attributes{"id": text("user-none"), "city": text("city-1"), "zip": text("zip-1"),
		"status": text("")})
	r.fill(s.Targets[0].TableName, append(target, orphan))
	file := r.file("spec.json", s.Encode())

	found := r.want(exitDifferences, "", "verify", "-spec", file, "-grace", "1s", "-json").lastCounts(t)
	// Seen from the source, the key has a wrong owner; seen from the target, the owner is not there.
	wantCounts(t, found, map[string]float64{"Missing": 1, "Extra": 2, "Stale": 1, "WrongOwner": 1})
	found = r.want(exitDone, "", "repair", "-spec", file, "-grace", "1s", "-json").lastCounts(t)
	wantCounts(t, found, map[string]float64{"Missing": 1, "Extra": 1, "Stale": 1, "WrongOwner": 1,
		"Repaired": 4, "Unrepaired": 0})
	found = r.want(exitDone, "", "verify", "-spec", file, "-grace", "1s", "-json").lastCounts(t)
	wantCounts(t, found, map[string]float64{"Missing": 0, "Extra": 0, "Stale": 0, "WrongOwner": 0})
}

// A dry run counts and writes nothing. Key values are printed only if that is wanted.
func TestADryRunWritesNothing(t *testing.T) {
	r := newRig(t)
	s := worldSpec("dry")
	s.Targets = s.Targets[:1]
	items := users(t, 50)
	items[7]["city"] = text("a-city-to-print")
	r.existing(s, items)
	file := r.file("spec.json", s.Encode())

	total := 0
	for _, item := range items {
		if byCity, _ := mapped(item); byCity != nil {
			total++
		}
	}
	dry := r.want(exitDone, "", "backfill", "-spec", file, "-dry-run", "-json").lastCounts(t)
	wantCounts(t, dry, map[string]float64{"Put": float64(total), "Unmappable": 0})
	dry = r.want(exitDifferences, "", "repair", "-spec", file, "-grace", "1s", "-dry-run", "-json").lastCounts(t)
	wantCounts(t, dry, map[string]float64{"Missing": float64(total), "Repaired": 0})
	if found := r.scan(s.Targets[0].TableName); len(found) > 0 {
		t.Errorf("a dry run has written %d items", len(found))
	}

	e := r.want(exitDifferences, "", "verify", "-spec", file, "-grace", "1s")
	if strings.Contains(e.String(), "a-city-to-print") {
		t.Errorf("without -keys, a key value was printed: %s", e)
	}
	r.want(exitDifferences, "a-city-to-print", "verify", "-spec", file, "-grace", "1s", "-keys")
	r.want(exitDone, fmt.Sprintf("%d put", total), "backfill", "-spec", file)
	r.wantMapped(s)
}

func TestOneTargetIsFilledAlone(t *testing.T) {
	r := newRig(t)
	s := worldSpec("alone")
	r.existing(s, users(t, 50))
	file := r.file("spec.json", s.Encode())
	r.want(exitDone, "done", "backfill", "-spec", file, "-target", s.Targets[1].TableName)
	if found := r.scan(s.Targets[0].TableName); len(found) > 0 {
		t.Errorf("the other target has %d items", len(found))
	}
	r.want(exitDone, "done", "verify", "-spec", file, "-grace", "1s", "-target", s.Targets[1].TableName)
	r.want(exitDifferences, "missing", "verify", "-spec", file, "-grace", "1s")
	r.want(exitDone, "repaired", "repair", "-spec", file, "-grace", "1s")
	r.wantMapped(s)
}

// Under LAST_WRITER_WINS, a key without an item is not a difference: a table that was never filled has
// none, and somebody has to be told.
func TestVerifyWarnsOfAnEmptyTarget(t *testing.T) {
	r := newRig(t)
	s := usersSpec("empty")
	s.Targets[0].SortKey = nil
	s.Targets[0].OnKeyCollision, s.Targets[0].VersionAttribute = spec.LastWriterWins, "v"
	r.create(s)
	file := r.file("spec.json", s.Encode())
	verify := func(code int, warns bool, more ...string) {
		t.Helper()
		e := r.run(append([]string{"verify", "-spec", file, "-grace", "1s"}, more...)...)
		warning := "warning: " + s.Targets[0].TableName + " is empty, and 2 source items"
		if e.code != code || strings.Contains(e.stderr, warning) != warns {
			t.Errorf("want exit code %d, and a warning: %v\n%s", code, warns, e)
		}
	}

	verify(exitDone, false) // there is nothing to put
	r.fill(s.Source.TableName, []attributes{
		{"id": text("a"), "city": text("Rome")}, {"id": text("b"), "city": text("Oslo")}})
	verify(exitDone, true)
	verify(exitDifferences, true, "-strict")
	r.want(exitDone, "2 put", "backfill", "-spec", file)
	verify(exitDone, false)
}

func wantCounts(t testing.TB, found, want map[string]float64) {
	t.Helper()
	for name, count := range want {
		if found[name] != count {
			t.Errorf("%s: %v, want %v", name, found[name], count)
		}
	}
}

// A progress file of a finished run says how the tables were then. Run again, the operation reads them.
func TestAFinishedVerifyOrRepairBeginsAgain(t *testing.T) {
	r := newRig(t)
	s := usersSpec("again")
	r.create(s)
	file := r.file("spec.json", s.Encode())
	run := func(code int, text, operation string) ended {
		t.Helper()
		return r.want(code, text, operation, "-spec", file, "-grace", "1s", "-progress", operation+".json", "-json")
	}
	first := run(exitDone, "", "verify")
	if strings.Contains(first.stderr, "begins again") {
		t.Errorf("the first run begins again: %s", first)
	}
	run(exitDone, "", "repair")

	r.fill(s.Source.TableName, []attributes{
		{"id": text("a"), "city": text("Rome")}, {"id": text("b"), "city": text("Rome")}})
	const again = "was finished on"
	wantCounts(t, run(exitDifferences, again, "verify").lastCounts(t), map[string]float64{"Read": 2, "Missing": 2})
	wantCounts(t, run(exitDone, again, "repair").lastCounts(t), map[string]float64{"Read": 4, "Repaired": 2})
	wantCounts(t, run(exitDone, again, "verify").lastCounts(t), map[string]float64{"Read": 4, "Missing": 0, "Equal": 2})
}

package replicator

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sourceBug is a change of the source text.
type sourceBug struct{ file, from, to string }

// reconcilerBugs are designs of a reconciler that look right and lose data. BUG in a text is true
// when the bug is chosen.
var reconcilerBugs = []struct {
	name string
	// test is the test of package reconciler that finds it.
	test string
	// model says that the model test finds it soon. The others need a change of one item within a
	// few requests.
	model   bool
	changes []sourceBug
}{
	{"what was read is put without a condition", "TestAnItemThatChangedAfterItWasReadIsNotOverwritten", true, []sourceBug{
		{"put_absent.go", `(w.shape.Insert == "" ||`, `(w.shape.Insert == "" || BUG ||`},
		{"write.go", "dst = append(dst, `,\"ConditionExpression\":\"attribute_not_exists(#k)\"",
			"any := `\"`\n\tif BUG {\n\t\tany = ` OR attribute_exists(#k)\"`\n\t}\n" +
				"\tdst = append(dst, `,\"ConditionExpression\":\"attribute_not_exists(#k)`+any+`"},
		{"backfill.go", "a.maybePut.Load()", "a.maybePut.Load() && !BUG"},
	}},
	{"there is no second look at a page", "TestAnItemThatMovedAfterItWasReadLeavesNoOrphan", false, []sourceBug{
		{"backfill.go", "a.maybePut.Load()", "a.maybePut.Load() && !BUG"}}},
	{"a transaction checks the keys only, and the source item is not read again", "TestAnAttributeThatWasAddedIsSeenAfterTheTransaction", false, []sourceBug{
		{"condition.go", "if c.isFull() {", "if c.isFull() || BUG {"},
		{"effort.go", "now := found[e.key.identity]\n", "now := found[e.key.identity]\n\tif BUG {\n\t\treturn true, nil\n\t}\n"},
	}},
	{"a page that was killed is continued without a reverse pass", "TestABackfillThatWasKilledWithinAPageNeedsTheReversePass", false, []sourceBug{
		{"page.go", "s.Interrupted || s.Begun", "s.Interrupted || s.Begun && !BUG"}}},
	{"extra items are deleted without a condition", "TestTheReversePassDoesNotDeleteWhatTheItemHasMovedBackTo", false, []sourceBug{
		{"reverse.go", "result, err := p.r.reconcile(ctx, &p.tally, h.owner,",
			"if BUG {\n\t\t\tx := p.r.exchanges.get()\n\t\t\tdefer p.r.exchanges.put(x)\n" +
				"\t\t\tx.body.Bytes = append(x.body.Bytes[:0], `{\"TransactItems\":[{\"Delete\":{\"TableName\":\"`+t.name+`\",\"Key\":`...)\n" +
				"\t\t\tx.body.Bytes = append(append(x.body.Bytes, h.key.json...), `}}]}`...)\n" +
				"\t\t\tp.repaired(f, TargetResult{TargetTable: t.name, Outcome: Written})\n" +
				"\t\t\treturn p.r.sendWrite(ctx, &p.tally, &t.table, transactWriteItems, x)\n\t\t}\n" +
				"\t\tresult, err := p.r.reconcile(ctx, &p.tally, h.owner,"}}},
	{"the version of an item is dropped", "TestRepairKeepsTheVersionThatItFinds", true, []sourceBug{
		{"duty.go", "have.item)); ok {", "have.item)); ok && !BUG {"}}},
	{"the source item is put again as it is", "TestNothingWritesToTheSource", true, []sourceBug{
		{"effort.go", "for _, t := range e.transactions(",
			"if BUG && source.exists() {\n\t\tx := e.r.exchanges.get()\n\t\tdefer e.r.exchanges.put(x)\n" +
				"\t\tx.body.Bytes = append(x.body.Bytes[:0], `{\"TableName\":\"`+e.r.source.name+`\",\"Item\":`...)\n" +
				"\t\tx.body.Bytes = append(append(x.body.Bytes, source.item.Raw...), '}')\n" +
				"\t\treturn true, false, e.r.sendWrite(ctx, e.tally, e.r.source, putItem, x)\n\t}\n" +
				"\tfor _, t := range e.transactions("}}},
	{"the version is the position of another shard", "TestABackfilledItemIsOlderThanEveryChange", true, []sourceBug{
		{"version.go", "func replacing(", "func lowestVersion() mapping.Version {\n\tif BUG {\n\t\treturn mapping.Version{" +
			"At: []byte(\"1700000100\"), Label: []byte(\"" + modelLabel + "\"), " +
			"Number: []byte(\"5000000000000000000000000000000000000100\")}\n\t}\n\treturn mapping.LowestVersion()\n}\n\nfunc replacing("},
		{"write.go", "dst = t.appendVersion(dst, mapping.LowestVersion(), w.shape)", "dst = t.appendVersion(dst, lowestVersion(), w.shape)"},
		{"duty.go", "version := mapping.LowestVersion()", "version := lowestVersion()"}}},
	{"the version is a position that is too old", "TestRepairKeepsTheVersionThatItFinds", true, []sourceBug{
		{"duty.go", "version = found\n",
			"version = found\n\t\t\tif BUG {\n\t\t\t\tversion.Number = []byte(\"100000000000000000000\")\n\t\t\t}\n"}}},
	{"another owner's item is replaced with the lowest version", "TestAnItemThatReplacesAnotherOwnersIsNewerThanItsChangesAndOlderThanItsOwn", true, []sourceBug{
		{"version.go", "ok && err == nil", "ok && err == nil && !BUG"}}},
	{"another owner's item is replaced with its version", "TestAnItemThatReplacesAnotherOwnersIsNewerThanItsChangesAndOlderThanItsOwn", true, []sourceBug{
		{"version.go", "v := mapping.LowestVersion()\n", "v := mapping.LowestVersion()\n\tif BUG && ok {\n\t\treturn found\n\t}\n"}}},
	{"what was put counts as left over when the item is gone", "TestABackfillDoesNotDeleteWhatTheStreamHasKept", false,
		[]sourceBug{{"backfill.go", "last: true", "last: w.step != put || !BUG"}}},
	{"what is left of a refused item counts as left over when the item is gone", "TestAnItemThatExpiresAfterItWasRefusedIsKept", false,
		[]sourceBug{{"duty.go", "last: true", "last: !BUG"}}},
	{"another owner is replaced without a look at its source item", "TestALiveOwnerKeepsItsKey", false, []sourceBug{
		{"duty.go", "if !d.target.mapping.Collisions || !ok {", "if !d.target.mapping.Collisions || !ok || BUG {"}}},
}

// TestTheBugsOfAReconcilerAreFound builds the tests of package reconciler, and the model test, with all
// of these bugs.
func TestTheBugsOfAReconcilerAreFound(t *testing.T) {
	tests, model := buildWithBugs(t, "../reconciler"), buildWithBugs(t, ".")
	find := func(t *testing.T, bug, folder, program, test string, flags ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append(flags, "-test.run", "^"+test+"$")...)
		c.Dir = folder
		c.Env = append(os.Environ(), bugVariable+"="+bug)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--- FAIL: "+test) {
			t.Errorf("%s did not notice: %v", test, err)
		}
		return string(out)
	}
	for _, bug := range reconcilerBugs {
		t.Run(bug.name, func(t *testing.T) {
			find(t, bug.name, "../reconciler", tests, bug.test)
			if !bug.model {
				return
			}
			out := find(t, bug.name, ".", model, "TestTheTargetIsTheOracleAfterAnyHistory",
				"-model.steps=400000", "-model.reduce=false", "-model.operated=1")
			if !strings.Contains(out, "seed ") {
				t.Errorf("it did not fail by a divergence:\n%s", out)
			}
		})
	}
}

// bugVariable is the variable of the environment that chooses a bug.
const bugVariable = "REPLICATEDTABLE_BUG"

// buildWithBugs builds the tests of a package with a reconciler that has all bugs. Only the compiler
// sees them (go build -overlay).
func buildWithBugs(t *testing.T, tests string) (program string) {
	t.Helper()
	folder := t.TempDir()
	reconciler, err := filepath.Abs("../reconciler")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"bug.go": fmt.Sprintf("package reconciler\n\nimport \"os\"\n\n"+
		"func isBug(name string) bool { return os.Getenv(%q) == name }\n", bugVariable)}
	for _, bug := range reconcilerBugs {
		for _, change := range bug.changes {
			text, read := texts[change.file]
			if !read {
				source, err := os.ReadFile(filepath.Join(reconciler, change.file))
				if err != nil {
					t.Fatal(err)
				}
				text = string(source)
			}
			if n := strings.Count(text, change.from); n != 1 {
				t.Fatalf("%s holds %q %d times: the bug no longer fits the source", change.file, change.from, n)
			}
			to := strings.ReplaceAll(change.to, "BUG", fmt.Sprintf("isBug(%q)", bug.name))
			texts[change.file] = strings.Replace(text, change.from, to, 1)
		}
	}

	replace := map[string]string{}
	for name, text := range texts {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(reconciler, name)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(folder, "bugs.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlayFile, "-o", program, tests).
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	return program
}

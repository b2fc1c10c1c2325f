package replicatedtable

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// The hashes of the assets do not depend on the function's code or the machine: the
// tests skip the build, and then the CDK hashes the settings of the build instead.
func TestTheTemplateIsTheGoldenOne(t *testing.T) {
	k := allKinds(t)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")

	if err := encoder.Encode(*k.synthesized.ToJSON()); err != nil {
		t.Fatal(err)
	}
	golden(t, "template.golden.json", text.String(), "read the difference, it is what a deployment would change")
}

func TestTheLogicalIDsAreTheGoldenOnes(t *testing.T) {
	k := allKinds(t)
	var lines []string
	for id, r := range k.template.Resources {
		lines = append(lines, id+" "+r.Type+"\n")
	}
	sort.Strings(lines)

	golden(t, "logical_ids.golden.txt", strings.Join(lines, ""),
		"a changed ID replaces the resource and what it holds, which is a breaking change for CHANGELOG.md")
}

// golden compares got with a file in testdata, or rewrites it with -update.
func golden(t *testing.T, name, got, onChange string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: %s; go test ./replicatedtable -update rewrites it.\ngot:\n%s", path, onChange, got)
	}
}

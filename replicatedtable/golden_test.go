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

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// goldenTemplates are the templates that have golden files. internal/test/templates reads
// these files, so cdk-nag and cfn-lint check a new row, too.
var goldenTemplates = []struct {
	// name begins the names of the golden files.
	name, why  string
	synthesize func(*testing.T) assertions.Template
}{
	{
		"each_kind", "unique, colliding and guarded target keys, with the defaults and with every prop",
		func(t *testing.T) assertions.Template { return allKinds(t).synthesized },
	},
	{"existing_tables", "tables of each kind that the construct does not define", existingTables},
	{"several_targets", "one function for three targets, guarded and not", severalTargets},
	{"reconcilers", "a state machine and a function, with the defaults and with every prop", reconcilers},
	{"monitored", "every metric, every alarm and the dashboard of three targets", monitored},
	{"customer_keys", "the role has rights on exactly the keys of its tables", tablesWithKeys},
}

// The hashes of the assets do not depend on the function's code or the machine: the
// tests skip the build, and then the CDK hashes the settings of the build instead.
func TestTheTemplatesAndTheirLogicalIDsAreTheGoldenOnes(t *testing.T) {
	for _, tt := range goldenTemplates {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			synthesized := tt.synthesize(t)
			golden(t, filepath.Join("testdata", tt.name+".golden.json"), indented(t, synthesized),
				"read the difference, it is what a deployment would change")
			golden(t, filepath.Join("testdata", tt.name+".logical_ids.txt"), logicalIDs(decode(t, synthesized)),
				"a changed ID replaces the resource and what it holds, which is a breaking change for CHANGELOG.md")
		})
	}
}

func indented(t *testing.T, synthesized assertions.Template) string {
	t.Helper()

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(*synthesized.ToJSON()); err != nil {
		t.Fatal(err)
	}

	return text.String()
}

// logicalIDs has a line for each resource, with its type.
func logicalIDs(tpl template) string {
	var lines []string
	for id, r := range tpl.Resources {
		lines = append(lines, id+" "+r.Type+"\n")
	}
	sort.Strings(lines)

	return strings.Join(lines, "")
}

// golden compares got with a file, or rewrites it with -update.
func golden(t *testing.T, path, got, onChange string) {
	t.Helper()
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

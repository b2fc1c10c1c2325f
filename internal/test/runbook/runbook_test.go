package runbook_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/runbook"
)

func TestParse(t *testing.T) {
	const document = "# Title\n\n## First\n\n```console\n$ a -b 'c' \\\n    -d\n$ e\n# exit code 0, or 1 when it differs\n```\n" +
		"\n### Second\n\n- In a list:\n\n  ```console\n  $ f\n  # exit code 1\n  ```\n"
	want := &runbook.Runbook{
		Headings: []string{"First", "Second"},
		Commands: []runbook.Command{
			{Heading: "First", Number: 6, Line: "a -b 'c' -d", ExitCodes: []int{0}},
			{Heading: "First", Number: 8, Line: "e", ExitCodes: []int{0, 1}},
			{Heading: "Second", Number: 17, Line: "f", ExitCodes: []int{1}},
		},
	}
	got, err := runbook.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}

	if commands, err := got.Under("First"); err != nil || len(commands) != 2 {
		t.Errorf("under First there are %v, %v", commands, err)
	}
	if commands, err := got.Under("Third"); err == nil {
		t.Errorf("a heading that does not exist has %v", commands)
	}
}

// What a test would not run is refused, so that nothing in the document goes unnoticed.
func TestParseRefusesWhatNoTestWouldRun(t *testing.T) {
	for name, tt := range map[string]struct{ document, want string }{
		"another language":      {"```sh\na\n```\n", "blocks of console"},
		"no prompt":             {"```console\na\n```\n", "has no prompt"},
		"no end of the block":   {"```console\n$ a\n", "has no end"},
		"no end of a command":   {"```console\n$ a \\\n```\n", "within a command"},
		"what a command prints": {"```console\n$ a\nb\n```\n", "names no exit code"},
		"a code of nothing":     {"```console\n# exit code 1\n```\n", "of a command"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runbook.Parse(tt.document)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

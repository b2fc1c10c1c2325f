package templates

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// finding is what cdk-nag or cfn-lint says about one resource of a template.
type finding struct {
	file, resource, rule, text string
}

// acceptedRule is a rule that a template may break, and the reason.
type acceptedRule struct {
	// rule is a regular expression for the whole ID of the rule. The ID has what cdk-nag
	// found in brackets, as in AwsSolutions-IAM5[Resource::*].
	rule string
	// file is the template that may break the rule. Empty, it is every template.
	file string
	why  string
}

func (a acceptedRule) covers(f finding) bool {
	return (a.file == "" || a.file == f.file) && regexp.MustCompile(`^(?:`+a.rule+`)$`).MatchString(f.rule)
}

// wantOnlyAccepted fails on every finding whose rule is not accepted. It also fails on
// every accepted rule that no template breaks, so a tool that reads no templates fails.
func wantOnlyAccepted(t *testing.T, findings []finding, accepted []acceptedRule) {
	t.Helper()

	for _, f := range findings {
		if !slices.ContainsFunc(accepted, func(a acceptedRule) bool { return a.covers(f) }) {
			t.Errorf("%s: %s breaks %s: %s", f.file, f.resource, f.rule, f.text)
		}
	}
	for _, a := range accepted {
		if !slices.ContainsFunc(findings, a.covers) {
			t.Errorf("%s: nothing breaks %s, which is accepted: remove the row (%s)",
				cmp.Or(a.file, "all templates"), a.rule, a.why)
		}
	}
}

// templateFiles are the golden templates of the construct and of the examples.
func templateFiles(t *testing.T) []string {
	t.Helper()

	var files []string
	for _, pattern := range []string{
		"../../../replicatedtable/testdata/*.golden.json", "../../../examples/*/testdata/*.golden.json",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Fatalf("no golden template is called %s", pattern)
		}
		files = append(files, found...)
	}

	return files
}

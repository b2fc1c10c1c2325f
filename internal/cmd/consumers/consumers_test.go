package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// make test-consumers takes long and needs the network, so it runs rarely. These tests
// keep its tables in step with the repository.

func TestEveryFaultBreaksTheLibraryInSituationsThatExist(t *testing.T) {
	for _, fault := range faults {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", fault.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), fault.before); n != 1 {
			t.Errorf("%s: %s contains %q %d times, want once", fault.name, fault.file, fault.before, n)
		}
		for _, name := range slices.Concat(fault.fails, fault.passes) {
			if !slices.ContainsFunc(situations, func(s situation) bool { return s.name == name }) {
				t.Errorf("%s: no situation is called %q", fault.name, name)
			}
		}
	}
}

func TestEverySituationHasItsOwnNameAndAShapeThatExists(t *testing.T) {
	names := map[string]bool{}
	for _, s := range situations {
		if names[s.name] || s.why == "" {
			t.Errorf("%q: the name is taken, or the reason is missing", s.name)
		}
		names[s.name] = true
		if s.shape != "" && !strings.Contains(shapesApp, fmt.Sprintf("%q:", s.shape)) {
			t.Errorf("%q: the app has no shape %q", s.name, s.shape)
		}
	}
}

func TestAVerdictNeedsTheExpectedEnd(t *testing.T) {
	for _, tt := range []struct {
		why       string
		situation situation
		err       error
		want      verdict
	}{
		{"it was synthesized", situation{}, nil, passes},
		{"it ought to be synthesized", situation{}, errors.New("no"), fails},
		{"it was refused in our words", situation{refusal: "install Go"}, errors.New("App: install Go"), refuses},
		{"it was refused in other words", situation{refusal: "install Go"}, errors.New("exit 127"), fails},
		{"it ought to be refused", situation{refusal: "install Go"}, nil, fails},
		{"the CDK refused it", situation{refusalOfCDK: "mismatch"}, errors.New("a mismatch"), cdkRefuses},
		{"a version cannot be had here", situation{}, unavailableError{errors.New("403")}, unavailable},
	} {
		if got := tt.situation.verdict(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestTheSameDependenciesMustLeadToOneFunction(t *testing.T) {
	l := &lab{functions: map[string]built{}}
	for _, step := range []struct{ why, versions, processor, hash, want string }{
		{"the first one decides", "", "arm64", "a", ""},
		{"the same again", "", "arm64", "a", ""},
		{"another processor", "", "x86_64", "b", ""},
		{"other dependencies", "newer SDK", "arm64", "c", ""},
		{"another function", "", "arm64", "d", "another function than before"},
	} {
		got := assembly{functions: map[string]string{step.processor: step.hash}}
		err := l.compare(situation{versions: step.versions}, got)
		if (err == nil) != (step.want == "") || !strings.Contains(fmt.Sprint(err), step.want) {
			t.Errorf("%s: got %v, want %q", step.why, err, step.want)
		}
	}
}

func TestAnAssemblyMustHaveWhatTheSituationAsksFor(t *testing.T) {
	table := resource{Type: "AWS::DynamoDB::GlobalTable"}
	function := map[string]string{"arm64": "a"}
	for _, tt := range []struct {
		why       string
		situation situation
		assembly  assembly
		want      string
	}{
		{"all is there", situation{}, assembly{functions: function, resources: []resource{table, table}}, ""},
		{"nothing is there", situation{}, assembly{functions: function}, "0 tables, want 2"},
		{"nothing was built", situation{}, assembly{resources: []resource{table, table}}, "no function"},
		{"a function that nothing asks for", situation{},
			assembly{functions: map[string]string{"reconciler for arm64": "a"}, resources: []resource{table, table}},
			"1 functions of reconcilers, want 0"},
		{"a property is missing", situation{every: map[string]string{table.Type: "Tags"}},
			assembly{functions: function, resources: []resource{table, table}}, "has no Tags"},
		{"a text is missing", situation{contains: "Pipeline"},
			assembly{functions: function, resources: []resource{table, table}}, `no template contains "Pipeline"`},
	} {
		err := tt.situation.accept(tt.assembly)
		if (err == nil) != (tt.want == "") || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.why, err, tt.want)
		}
	}
}

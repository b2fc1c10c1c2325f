package runbook_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/runbook"
)

// read returns the repository's runbook, parsed and as text.
func read(t *testing.T) (root string, book *runbook.Runbook, text string) {
	t.Helper()
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	if book, err = runbook.Read(root); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, runbook.File))
	if err != nil {
		t.Fatal(err)
	}

	return root, book, string(content)
}

// anchor is what a link to a heading ends with on GitHub.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), " ", "-") }

// Somebody who follows the link of an alarm lands at commands for it, and no section is about an alarm
// that does not exist.
func TestEveryAlarmHasItsSection(t *testing.T) {
	root, book, _ := read(t)
	linked := anchorsOfAlarms(t, root)
	var sections []string
	for _, heading := range book.Headings {
		if strings.HasSuffix(heading, "Alarm") {
			sections = append(sections, anchor(heading))
			if _, err := book.Under(heading); err != nil {
				t.Error(err)
			}
		}
	}
	slices.Sort(sections)
	if !slices.Equal(linked, sections) {
		t.Errorf("the alarms link to\n%q, and there are the sections\n%q", linked, sections)
	}
}

// anchorsOfAlarms returns where the descriptions of all alarms in the golden templates link to.
func anchorsOfAlarms(t *testing.T, root string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "replicatedtable", "testdata", "*.golden.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d golden templates, %v", len(files), err)
	}

	found := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Type       string
				Properties struct{ AlarmDescription string }
			}
		}
		if err := json.Unmarshal(content, &template); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for id, r := range template.Resources {
			if r.Type != "AWS::CloudWatch::Alarm" && r.Type != "AWS::CloudWatch::CompositeAlarm" {
				continue
			}
			_, link, ok := strings.Cut(r.Properties.AlarmDescription, runbook.File+"#")
			if !ok {
				t.Errorf("%s: the description of %s has no link to the runbook", file, id)
			}
			found[link] = true
		}
	}

	return slices.Sorted(maps.Keys(found))
}

func TestEveryLinkWithinTheRunbookLeadsToAHeading(t *testing.T) {
	_, book, text := read(t)
	links := regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1)
	for _, m := range links {
		if !slices.ContainsFunc(book.Headings, func(heading string) bool { return anchor(heading) == m[1] }) {
			t.Errorf("#%s is no heading of %q", m[1], book.Headings)
		}
	}
	if len(links) == 0 {
		t.Error("the runbook has no link")
	}
}

// The sections are in the order of the table at the beginning, which is that of their urgency.
func TestTheSectionsAreInTheOrderOfTheirUrgency(t *testing.T) {
	_, book, text := read(t)
	var listed, sections []string
	for _, m := range regexp.MustCompile(`(?m)^\| \[([A-Za-z]+Alarm)\]`).FindAllStringSubmatch(text, -1) {
		listed = append(listed, m[1])
	}
	for _, heading := range book.Headings {
		if strings.HasSuffix(heading, "Alarm") {
			sections = append(sections, heading)
		}
	}
	if !slices.Equal(listed, sections) {
		t.Errorf("the table lists\n%q, and the sections are\n%q", listed, sections)
	}
}

// A role that has what "Before you begin" lists can run every command.
func TestTheRunbookNamesTheActionsOfItsCommands(t *testing.T) {
	_, _, text := read(t)
	needed := map[string]bool{}
	for _, m := range regexp.MustCompile(`\baws ([a-z]+) ([a-z]+(?:-[a-z]+)+)`).FindAllStringSubmatch(text, -1) {
		service := strings.Replace(m[1], "stepfunctions", "states", 1)
		action := ""
		for word := range strings.SplitSeq(m[2], "-") {
			action += strings.ToUpper(word[:1]) + word[1:]
		}
		needed[service+":"+action] = true
	}
	listed := map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "- `") {
			for _, m := range regexp.MustCompile("`([a-z]+:[A-Z][A-Za-z]+)`").FindAllStringSubmatch(line, -1) {
				listed[m[1]] = true
			}
		}
	}
	if !maps.Equal(needed, listed) {
		t.Errorf("the commands need\n%q, and listed are\n%q",
			slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(listed)))
	}
}

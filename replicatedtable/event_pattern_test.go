package replicatedtable

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// conditionCase is a condition, with the items for which it holds or not. The cases
// drive a test of the replicator too, so that Lambda and the function agree about a
// filter. Items are as DynamoDB writes them. Numbers have other notations only where
// Lambda does not evaluate the condition.
type conditionCase struct {
	Name       string
	Condition  spec.Condition
	PushedDown bool
	Items      []conditionItem
}

type conditionItem struct {
	Item  any
	Holds bool
}

func conditionCases(t *testing.T) []conditionCase {
	t.Helper()

	text, err := os.ReadFile("../internal/spec/testdata/conditions.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []conditionCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}

	return cases
}

func TestPatternsLetThroughExactlyTheRecordsWithAnImageThatMeetsTheFilter(t *testing.T) {
	for _, c := range conditionCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			patterns := eventPatterns(&c.Condition)
			if pushedDown := patterns != nil; pushedDown != c.PushedDown {
				t.Fatalf("pushed down is %t, want %t: %s", pushedDown, c.PushedDown, patterns)
			}
			if !c.PushedDown {
				return
			}

			for _, record := range records(c.Items) {
				if got := letThrough(t, patterns, record.record); got != record.holds {
					t.Errorf("%s\n%s: let through is %t, want %t",
						strings.Join(patterns, "\n"), toJSON(t, record.record), got, record.holds)
				}
			}
		})
	}
}

// streamRecord is a stream record and whether one of its images meets a condition.
type streamRecord struct {
	record map[string]any
	holds  bool
}

// records has every insertion, deletion and modification of the items.
func records(items []conditionItem) []streamRecord {
	var all []streamRecord
	add := func(event string, images map[string]any, holds bool) {
		all = append(all, streamRecord{map[string]any{"eventName": event, "dynamodb": images}, holds})
	}
	for _, a := range items {
		add("INSERT", map[string]any{"NewImage": a.Item}, a.Holds)
		add("REMOVE", map[string]any{"OldImage": a.Item}, a.Holds)
		for _, b := range items {
			add("MODIFY", map[string]any{"OldImage": a.Item, "NewImage": b.Item}, a.Holds || b.Holds)
		}
	}

	return all
}

// letThrough reports whether an event source mapping with the patterns lets a record
// through: whether one of them matches. Source: AWS Lambda Developer Guide, "Control
// which events Lambda sends to your function", filter rule syntax.
func letThrough(t *testing.T, patterns []string, record any) bool {
	t.Helper()

	for _, text := range patterns {
		var p any
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%s is not JSON: %v", text, err)
		}
		if matches(t, p, record) {
			return true
		}
	}
	return false
}

// matches reports whether a part of a pattern matches a part of an event. An object
// does when the event has all its names and each matches, a list when one of its
// matchers does.
func matches(t *testing.T, pattern, event any) bool {
	t.Helper()

	switch pattern := pattern.(type) {
	case map[string]any:
		members, _ := event.(map[string]any)
		for name, part := range pattern {
			if name == "$or" {
				t.Fatal("$or is a rule and not a name")
			}
			member, found := members[name]
			if !found || !matches(t, part, member) {
				return false
			}
		}
		return true
	case []any:
		for _, matcher := range pattern {
			if matchesOne(t, matcher, event) {
				return true
			}
		}
		return false
	default:
		t.Fatalf("a part of a pattern is neither an object nor a list: %v", pattern)
		return false
	}
}

// matchesOne reports whether one matcher of a list matches a value: by JSON type and
// value, or by prefix. Patterns use no other rules.
func matchesOne(t *testing.T, matcher, value any) bool {
	t.Helper()

	switch matcher := matcher.(type) {
	case string, bool:
		text, isText := value.(string)
		truth, isTruth := value.(bool)
		return isText && matcher == text || isTruth && matcher == truth
	case map[string]any:
		prefix, ok := matcher["prefix"].(string)
		if !ok || len(matcher) != 1 {
			t.Fatalf("%v is not a rule that this test knows", matcher)
		}
		text, isText := value.(string)
		return isText && strings.HasPrefix(text, prefix)
	default:
		t.Fatalf("%v is not a rule that this test knows", matcher)
		return false
	}
}

func TestWithoutAFilterThereAreNoPatterns(t *testing.T) {
	if patterns := eventPatterns(nil); patterns != nil {
		t.Errorf("got %v", patterns)
	}
}

func TestAPatternMayFillLambdasLimitExactly(t *testing.T) {
	equals := func(length int) *spec.Condition {
		text := spec.Value{Type: "S", Text: strings.Repeat("<", length)}
		return &spec.Condition{Path: []string{"a"}, Operator: spec.Equals, Values: []spec.Value{text}}
	}
	room := maxPatternBytes - len(eventPatterns(equals(0))[0])
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		if got := eventPatterns(equals(length)) != nil; got != fits {
			t.Errorf("%d characters where %d are left: pushed down is %t, want %t", length, room, got, fits)
		}
	}
}

func TestAFilterOfTooManyAlternativesHasNoPatterns(t *testing.T) {
	var filter spec.Condition
	for i := range 64 { // 2^64 alternatives, so the test ends only if nothing builds them
		path := []string{fmt.Sprint(i)}
		equals := func(text string) spec.Condition {
			values := []spec.Value{{Type: "S", Text: text}}
			return spec.Condition{Path: path, Operator: spec.Equals, Values: values}
		}
		filter.All = append(filter.All, spec.Condition{Any: []spec.Condition{equals("x"), equals("y")}})
	}
	if patterns := eventPatterns(&filter); patterns != nil {
		t.Errorf("got %v", patterns)
	}
}

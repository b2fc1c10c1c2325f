package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// keyless are the fields of a target whose rules do not depend on the keys.
var keyless = []string{"Projection", "Filter", "ExpiredItems"}

// specProblems lists the problems of the spec in the words of the props. While a key
// is incomplete, rules that compare keys would only repeat that in other words. So
// then it lists the problems of the keyless fields alone.
func specProblems(r replication, keysComplete bool) []spec.Problem {
	var problems []spec.Problem
	for _, p := range r.longest().Problems() {
		if slices.Contains([]string{"SetAsideSeconds", "LogLevel", "Metrics"}, p.Path) {
			continue // setAsideProblems, functionProblems and metricsProblems say it of the prop
		}
		target, field := r.targetOf(p.Path)
		name, _, _ := strings.Cut(field, ".")
		if keysComplete || target != "" && slices.Contains(keyless, name) {
			problems = append(problems, inProps(target, field, r.inNames(p.Text)))
		}
	}
	return problems
}

// targetOf splits the path of a spec's field into what messages call the target, and
// the field there. The field of another part of the spec has no target.
func (r replication) targetOf(path string) (target, field string) {
	for i, name := range r.names {
		if field, ok := strings.CutPrefix(path, fmt.Sprintf("Targets[%d].", i)); ok {
			return name, field
		}
	}
	return "", path
}

// inNames calls the targets in a text as messages do.
func (r replication) inNames(text string) string {
	for i, name := range r.names {
		text = strings.ReplaceAll(text, fmt.Sprintf("Targets[%d]", i), name)
	}
	return text
}

// inWords says in the words of the props what the spec calls otherwise.
var inWords = strings.NewReplacer(
	"is empty: give a Path with an Operator, or conditions in All or Any",
	"is nil: create a condition with a function such as Condition_Equals",
	`compares with a value of type "": use S, N or BOOL`,
	"compares with nil: create a value with Value_String, Value_Number or Value_Boolean",
	string(spec.BeginsWith)+" has a value of type",
	"Condition_BeginsWith has a value of type",
	string(spec.In)+" has 0 values: give at least 1",
	"Condition_In has no operands: give at least 1",
)

// inProps says a problem of the spec in the words of the props. The fields have the
// names of the props, but for the table's and the two that
// Ordering sets.
func inProps(target, field, text string) spec.Problem {
	if target == "" {
		return spec.Problem{Path: field, Text: text}
	}

	switch field {
	case "OnKeyCollision":
		field = "Ordering"
		text = strings.Replace(text, string(spec.LastWriterWins), "Ordering_LastWriterWins", 1)
	case "VersionAttribute":
		field = "Ordering.Attribute"
	case "TableName":
		field = "Table"
	default:
		if start, ok := strings.CutSuffix(text, "set OnKeyCollision"); ok {
			text = start + "choose Ordering_LastWriterWins"
		}
	}

	return spec.Problem{Path: target + "." + field, Text: inWords.Replace(text)}
}

package replicatedtable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// tokenProblems lists the names and values of a target, apart from its key schema,
// that are tokens.
func tokenProblems(t spec.Target) []spec.Problem {
	var problems []spec.Problem
	check := func(path string, texts ...string) {
		for _, text := range texts {
			if isToken(text) {
				problems = append(problems, tokenProblem(path, text))
			}
		}
	}

	for _, name := range slices.Sorted(maps.Keys(t.KeySources)) {
		source := t.KeySources[name]
		check("KeySources", append(slices.Concat(source.Parts...), name, source.Separator)...)
	}
	check("Projection", t.Projection.Attributes...)
	for _, from := range slices.Sorted(maps.Keys(t.Projection.Renames)) {
		check("Projection", from, t.Projection.Renames[from])
	}
	if t.Filter != nil {
		check("Filter", literals(*t.Filter)...)
	}
	check("VersionAttribute", t.VersionAttribute)

	return problems
}

// literals lists every name and value in a condition.
func literals(c spec.Condition) []string {
	texts := slices.Clone(c.Path)
	for _, v := range c.Values {
		texts = append(texts, v.Text)
	}
	for _, sub := range slices.Concat(c.All, c.Any) {
		texts = append(texts, literals(sub)...)
	}
	return texts
}

// isToken recognises the text that stands for a string, or for a list of
// strings, that only deployment knows. Source: aws-cdk-lib,
// core/lib/private/encoding.ts.
func isToken(text string) bool {
	return strings.Contains(text, "${Token[") || strings.HasPrefix(text, "#{Token[")
}

func tokenProblem(path, text string) spec.Problem {
	return spec.Problem{Path: path, Text: fmt.Sprintf("%q is a token: "+
		"names and values of the mapping must be known at synthesis; write it out", text)}
}

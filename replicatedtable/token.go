package replicatedtable

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// tokenProblems lists the names and values of the target called name, apart from its
// key, that are tokens.
func tokenProblems(name string, t spec.Target) []spec.Problem {
	var problems []spec.Problem
	check := func(prop string, texts ...string) {
		for _, text := range texts {
			if isToken(text) {
				problems = append(problems, tokenProblem(name+"."+prop, text))
			}
		}
	}

	for _, key := range sortedKeys(t.KeySources) {
		source := t.KeySources[key]
		check("KeySources", append(slices.Concat(source.Parts...), key, source.Separator)...)
	}
	check("Projection", t.Projection.Attributes...)
	for _, from := range sortedKeys(t.Projection.Renames) {
		check("Projection", from, t.Projection.Renames[from])
	}
	if t.Filter != nil {
		check("Filter", literals(*t.Filter)...)
	}
	check("Ordering.Attribute", t.VersionAttribute)

	return problems
}

// sortedKeys lists the keys of a map in one order, which keeps messages the same.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

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

package replicatedtable

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// filterRules checks a target's filter for conditions that no item with a target item can
// meet, or that every one meets. The rules of the spec allow both, because they harm
// nothing: only the caller did not mean them.
type filterRules struct {
	path     string
	target   spec.Target
	source   spec.KeySchema
	problems []spec.Problem
}

// filterProblems lists what is senseless in the filter of the target called name.
func filterProblems(name string, source spec.KeySchema, target spec.Target) []spec.Problem {
	if target.Filter == nil {
		return nil
	}
	r := filterRules{path: name + ".Filter", target: target, source: source}
	r.check(*target.Filter, false)
	return r.problems
}

func (r *filterRules) add(format string, args ...any) {
	r.problems = append(r.problems, spec.Problem{Path: r.path, Text: fmt.Sprintf(format, args...)})
}

// check checks a condition, and those in it. What is part of a Condition_All is checked for
// contradictions together with that one.
func (r *filterRules) check(c spec.Condition, inAll bool) {
	if c.Operator != "" && len(c.Path) > 0 {
		r.comparison(c)
	}
	for _, sub := range c.All {
		r.check(sub, true)
	}
	for _, sub := range c.Any {
		r.check(sub, false)
	}
	if c.All != nil && !inAll {
		r.contradictions(c)
	}
}

// comparison checks one comparison by itself.
func (r *filterRules) comparison(c spec.Condition) {
	for _, v := range c.Values {
		if text := numberProblem(v); text != "" {
			r.add("compares %s with %s", pathText(c.Path), text)
		}
	}

	name := c.Path[0]
	if source, derived := r.derivedFrom(name); derived {
		r.add("names %q, a key attribute of the target table that is derived: the filter looks at the source item; "+
			"name what it is derived from, %s", name, source)
		return
	}
	key := r.key(name)
	switch {
	case key == nil:
	case len(c.Path) > 1:
		r.add("leads into the key attribute %q, which has type %s and no members: no item can have %s; "+
			"if the dot belongs to a name, write AttributePath(%q)", name, key.Type, pathText(c.Path), strings.Join(c.Path, "."))
	case c.Operator == spec.BeginsWith && key.Type != spec.String:
		r.add("asks whether the key attribute %q begins with a string: it has type %s, and never does", name, key.Type)
	case c.Operator != spec.BeginsWith:
		r.keyValues(c, *key)
	}
}

// keyValues checks the values that a key attribute is compared with.
func (r *filterRules) keyValues(c spec.Condition, key spec.Attribute) {
	for _, v := range c.Values {
		if v.Type == "" || v.Type == string(key.Type) {
			continue // a value without a type has a rule of its own
		}
		always := "never equals it"
		if c.Operator == spec.NotEquals {
			always = "always differs from it"
		}
		r.add("compares the key attribute %q of type %s with %s, a value of type %s: it %s",
			c.Path[0], key.Type, strconv.Quote(v.Text), v.Type, always)
	}
}

// key returns the key attribute of the source or the target table that an attribute of the
// source item is, or nil.
func (r *filterRules) key(name string) *spec.Attribute {
	attributes := r.source.Attributes()
	for _, a := range r.target.Attributes() {
		if _, derived := r.target.KeySources[a.Name]; !derived {
			attributes = append(attributes, a)
		}
	}
	for i := range attributes {
		if attributes[i].Name == name {
			return &attributes[i]
		}
	}
	return nil
}

// derivedFrom reports whether name is a derived key attribute, and from what. An attribute
// of the source item that has this name and is left out or renamed is not meant.
func (r *filterRules) derivedFrom(name string) (paths string, derived bool) {
	k, derived := r.target.KeySources[name]
	_, isRenamed := r.target.Projection.Renames[name]
	if !derived || isRenamed || !r.target.Projection.Selects(name) || k.Contains(name) {
		return "", false
	}

	texts := make([]string, len(k.Parts))
	for i, part := range k.Parts {
		texts[i] = pathText(part)
	}
	return strings.Join(texts, " and "), true
}

// contradictions checks that the conditions of All on each attribute can hold together.
func (r *filterRules) contradictions(c spec.Condition) {
	var order []string
	byPath := map[string][]spec.Condition{}
	for _, comparison := range flattened(c) {
		path := pathText(comparison.Path)
		if byPath[path] == nil {
			order = append(order, path)
		}
		byPath[path] = append(byPath[path], comparison)
	}
	for _, path := range order {
		if exclude(byPath[path]) {
			r.add("has conditions on %s in Condition_All that exclude each other: no item meets all of them; "+
				"remove one, or use Condition_Any or Condition_In", path)
		}
	}
}

// flattened returns the comparisons that must all hold for c to hold.
func flattened(c spec.Condition) []spec.Condition {
	var comparisons []spec.Condition
	for _, sub := range c.All {
		if sub.Operator != "" {
			comparisons = append(comparisons, sub)
		}
		comparisons = append(comparisons, flattened(sub)...)
	}
	return comparisons
}

// exclude reports whether no value meets all the comparisons of one attribute.
func exclude(comparisons []spec.Condition) bool {
	// Only the values of one Equals or In can meet them all.
	at := slices.IndexFunc(comparisons, func(c spec.Condition) bool {
		return c.Operator == spec.Equals || c.Operator == spec.In
	})
	if at < 0 {
		return differentPrefixes(comparisons)
	}

	return !slices.ContainsFunc(comparisons[at].Values, func(v spec.Value) bool {
		return !slices.ContainsFunc(comparisons, func(c spec.Condition) bool { return !meets(v, c) })
	})
}

// meets reports whether a value meets a comparison.
func meets(v spec.Value, c spec.Condition) bool {
	equals := func(other spec.Value) bool { return sameValue(v, other) }
	switch c.Operator {
	case spec.Equals, spec.In:
		return slices.ContainsFunc(c.Values, equals)
	case spec.NotEquals:
		return !slices.ContainsFunc(c.Values, equals)
	case spec.BeginsWith:
		return v.Type == "S" && len(c.Values) == 1 && strings.HasPrefix(v.Text, c.Values[0].Text)
	default:
		return true
	}
}

// differentPrefixes reports whether no string begins with all the prefixes.
func differentPrefixes(comparisons []spec.Condition) bool {
	longest := ""
	for _, c := range comparisons {
		if c.Operator == spec.BeginsWith && len(c.Values) == 1 && len(c.Values[0].Text) > len(longest) {
			longest = c.Values[0].Text
		}
	}
	return slices.ContainsFunc(comparisons, func(c spec.Condition) bool {
		return c.Operator == spec.BeginsWith && len(c.Values) == 1 && !strings.HasPrefix(longest, c.Values[0].Text)
	})
}

// sameValue reports whether two values are equal in DynamoDB.
func sameValue(a, b spec.Value) bool {
	if a.Type != b.Type || a.Type != "N" {
		return a == b
	}
	first, err := canonical(a.Text)
	second, err2 := canonical(b.Text)
	return err == nil && err2 == nil && bytes.Equal(first, second)
}

func canonical(number string) ([]byte, error) {
	return dynamodbjson.AppendCanonicalNumber(nil, []byte(strconv.Quote(number)))
}

const (
	numberRemedy     = "no attribute can have it"
	numberTextLength = 60
)

// numberProblem says why no attribute can have a number, or returns nothing. A text that is
// not a number has a rule of its own.
func numberProblem(v spec.Value) string {
	form, err := canonical(v.Text)
	if v.Type != "N" || err != nil {
		return ""
	}
	digits, power, found := strings.Cut(strings.TrimPrefix(string(form), "-"), "e")
	exponent, _ := strconv.Atoi(power) // AppendCanonicalNumber has written it
	text := v.Text
	if len(text) > numberTextLength {
		text = text[:numberTextLength] + "…"
	}
	switch {
	case !found: // zero
		return ""
	case len(digits) > dynamodbjson.MaxDigits:
		return fmt.Sprintf("%s, which has %d significant digits: DynamoDB keeps %d, so %s",
			text, len(digits), dynamodbjson.MaxDigits, numberRemedy)
	case exponent-1 > dynamodbjson.MaxExponent || exponent-1 < dynamodbjson.MinExponent:
		return fmt.Sprintf("%s: DynamoDB's numbers reach from 1e%d to 9.99e%d, so %s",
			text, dynamodbjson.MinExponent, dynamodbjson.MaxExponent, numberRemedy)
	default:
		return ""
	}
}

// pathText writes a path as the caller would.
func pathText(path []string) string { return strconv.Quote(*AttributePath(path...)) }

// keyPartProblems lists the sources of target keys that lead into a key attribute of the
// source table.
func keyPartProblems(name string, source spec.KeySchema, target spec.Target) []spec.Problem {
	var problems []spec.Problem
	for _, key := range sortedKeys(target.KeySources) {
		for _, part := range target.KeySources[key].Parts {
			for _, a := range source.Attributes() {
				if len(part) > 1 && part[0] == a.Name {
					problems = append(problems, spec.Problem{Path: name + ".KeySources", Text: fmt.Sprintf(
						"%q leads into the source key %q, which has type %s and no members: no item can have %s; "+
							"if the dot belongs to a name, write AttributePath(%q)",
						key, a.Name, a.Type, pathText(part), strings.Join(part, "."))})
				}
			}
		}
	}
	return problems
}

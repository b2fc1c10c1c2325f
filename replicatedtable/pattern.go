package replicatedtable

import (
	"maps"
	"regexp"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

const (
	// maxPatterns is how many patterns an event source mapping has, unless AWS
	// raised that for the account. Source: AWS Lambda Developer Guide, "Control
	// which events Lambda sends to your function".
	maxPatterns = 5

	// maxPatternBytes is the length of one pattern. Source: AWS Lambda API
	// Reference, Filter. That counts characters, of which there are never more
	// than bytes.
	maxPatternBytes = 4096
)

// images are the parts of a stream record that show an item. An item that no
// longer meets the filter has to leave the target table, so a pattern on the new
// image alone would lose records.
var images = []string{"NewImage", "OldImage"}

// A pattern is an event pattern, or a part of one: under each name there is
// another part, or a list of matchers of which one must match. All names must
// match.
type pattern map[string]any

// eventPatterns returns patterns of which one lets a record through exactly when
// one of its images meets the filter. There are none without a filter, and none
// for a filter that patterns cannot express exactly.
func eventPatterns(filter *spec.Condition) []string {
	if filter == nil {
		return nil
	}
	alternatives, exact := alternativesOf(*filter)
	if !exact || len(images)*len(alternatives) > maxPatterns {
		return nil
	}
	var texts []string
	for _, image := range images {
		for _, alternative := range alternatives {
			text := encode(pattern{"dynamodb": pattern{image: alternative}})
			if len(text) > maxPatternBytes {
				return nil
			}
			texts = append(texts, text)
		}
	}
	return texts
}

// alternativesOf returns patterns on an image of which one matches exactly when
// c holds. It gives up on more than an event source mapping could have.
func alternativesOf(c spec.Condition) (alternatives []pattern, exact bool) {
	switch {
	case c.Any != nil:
		for _, sub := range c.Any {
			more, exact := alternativesOf(sub)
			if !exact {
				return nil, false
			}
			alternatives = append(alternatives, more...)
		}
		return alternatives, true
	case c.All != nil:
		alternatives = []pattern{{}}
		for _, sub := range c.All {
			more, exact := alternativesOf(sub)
			if !exact {
				return nil, false
			}
			if alternatives, exact = bothOfEach(alternatives, more); !exact {
				return nil, false
			}
		}
		return alternatives, true
	default:
		return comparison(c)
	}
}

// bothOfEach returns a pattern for each of a with each of b.
func bothOfEach(a, b []pattern) (each []pattern, exact bool) {
	if len(a)*len(b) > maxPatterns {
		return nil, false
	}
	for _, left := range a {
		for _, right := range b {
			pattern, exact := both(left, right)
			if !exact {
				return nil, false
			}
			each = append(each, pattern)
		}
	}
	return each, true
}

// both returns the pattern that matches what a and b both match. There is none
// when they speak about the same value: a pattern names it once, and the matchers
// in a list are alternatives.
func both(a, b pattern) (joined pattern, exact bool) {
	joined = maps.Clone(a)
	for name, right := range b {
		left, shared := joined[name]
		if !shared {
			joined[name] = right
			continue
		}
		leftPart, leftGoesOn := left.(pattern)
		rightPart, rightGoesOn := right.(pattern)
		if !leftGoesOn || !rightGoesOn {
			return nil, false
		}
		if joined[name], exact = both(leftPart, rightPart); !exact {
			return nil, false
		}
	}
	return joined, true
}

// or is the name that means something else than an attribute in a pattern.
// Source: as maxPatterns, filter rule syntax.
const or = "$or"

// plainInteger is a number that DynamoDB returns as it is written here: without
// an exponent, a point, a plus or a zero that could be left out, and at most 38
// digits. Source: Amazon DynamoDB Developer Guide, "Supported data types and
// naming rules", numbers.
var plainInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,37})$`)

// comparison returns the alternatives for one operator on one attribute. Each
// type of values is an alternative, because the type is a name in the image.
func comparison(c spec.Condition) (alternatives []pattern, exact bool) {
	if slices.Contains(c.Path, or) {
		return nil, false
	}
	matchers := map[string][]any{} // by type
	switch c.Operator {
	case spec.Equals, spec.In:
		for _, v := range c.Values {
			switch {
			case v.Type == "BOOL":
				matchers[v.Type] = append(matchers[v.Type], v.Text == "true")
			case v.Type == "N" && !plainInteger.MatchString(v.Text):
				// A number in an image is a string, so only its own notation matches.
				return nil, false
			default:
				matchers[v.Type] = append(matchers[v.Type], v.Text)
			}
		}
	case spec.BeginsWith:
		prefix := c.Values[0].Text
		if prefix == "" {
			return nil, false // AWS does not say that every string begins with the empty one
		}
		matchers["S"] = []any{map[string]string{"prefix": prefix}}
	default:
		// What NOT_EQUALS and EXISTS say holds for values of any type, and for
		// none; a pattern speaks only about scalars of a type it names.
		return nil, false
	}
	for _, typ := range slices.Sorted(maps.Keys(matchers)) { // templates stay the same
		alternatives = append(alternatives, at(c.Path, pattern{typ: matchers[typ]}))
	}
	return alternatives, true
}

// at returns the pattern on an image that matches when value matches at path.
func at(path []string, value pattern) pattern {
	for i := len(path) - 1; i > 0; i-- {
		value = pattern{"M": pattern{path[i]: value}}
	}
	return pattern{path[0]: value}
}

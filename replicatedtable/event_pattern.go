package replicatedtable

import (
	"maps"
	"regexp"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

const (
	// maxPatterns is the limit for the patterns of one event source mapping, unless
	// AWS raised it for the account. Source: AWS Lambda Developer Guide, "Control
	// which events Lambda sends to your function".
	maxPatterns = 5

	// maxPatternBytes is the limit for the length of one pattern. Source: AWS Lambda
	// API Reference, Filter. It counts characters, which are never more than bytes.
	maxPatternBytes = 4096
)

// images are the parts of a stream record that show an item. An item that no longer
// meets the filter must leave the target table, so patterns on the new image alone
// would lose records.
var images = []string{"NewImage", "OldImage"}

// pattern is an event pattern or a part of one. All its names must match. Under each
// name is another part, or a list of matchers, of which one must match.
type pattern map[string]any

// commonFilter is the condition that a source item meets when any of the targets needs
// it. It is nil when a target has no filter, and so needs every item.
func commonFilter(targets []spec.Target) *spec.Condition {
	common := &spec.Condition{}
	for _, target := range targets {
		if target.Filter == nil {
			return nil
		}
		common.Any = append(common.Any, *target.Filter)
	}
	return common
}

// eventPatterns returns patterns that let a record through exactly when one of its
// images meets the filter. It returns none without a filter, and none for a filter
// that patterns cannot express exactly.
func eventPatterns(filter *spec.Condition) []string {
	if filter == nil {
		return nil
	}
	alternatives, exact := alternativesOf(*filter)
	if !exact {
		return nil
	}

	var texts []string
	for _, image := range images {
		for _, alternative := range alternatives {
			text := encode(pattern{"dynamodb": pattern{image: alternative}})
			if slices.Contains(texts, text) { // targets may have the same filter
				continue
			}
			texts = append(texts, text)
			if len(text) > maxPatternBytes || len(texts) > maxPatterns {
				return nil
			}
		}
	}

	return texts
}

// alternativesOf returns patterns on an image, of which one matches exactly when c
// holds. It stops at more patterns than an event source mapping can have.
func alternativesOf(c spec.Condition) (alternatives []pattern, exact bool) {
	switch {
	case c.Any != nil:
		return alternativesOfAny(c.Any)
	case c.All != nil:
		return alternativesOfAll(c.All)
	default:
		return alternativesOfComparison(c)
	}
}

func alternativesOfAny(conditions []spec.Condition) (alternatives []pattern, exact bool) {
	for _, c := range conditions {
		more, exact := alternativesOf(c)
		if !exact {
			return nil, false
		}
		alternatives = append(alternatives, more...)
	}
	return alternatives, true
}

func alternativesOfAll(conditions []spec.Condition) (alternatives []pattern, exact bool) {
	alternatives = []pattern{{}}
	for _, c := range conditions {
		more, exact := alternativesOf(c)
		if !exact {
			return nil, false
		}
		if alternatives, exact = joinEach(alternatives, more); !exact {
			return nil, false
		}
	}
	return alternatives, true
}

// joinEach joins each pattern of a with each of b.
func joinEach(a, b []pattern) (joined []pattern, exact bool) {
	if len(a)*len(b) > maxPatterns {
		return nil, false
	}

	for _, left := range a {
		for _, right := range b {
			both, exact := join(left, right)
			if !exact {
				return nil, false
			}
			joined = append(joined, both)
		}
	}

	return joined, true
}

// join returns the pattern that matches when a and b both match. No pattern does
// when both have matchers for the same value: a pattern names a value once, and the
// matchers in a list are alternatives.
func join(a, b pattern) (joined pattern, exact bool) {
	joined = maps.Clone(a)
	for name, right := range b {
		left, shared := joined[name]
		if !shared {
			joined[name] = right
			continue
		}
		leftPart, leftIsPart := left.(pattern)
		rightPart, rightIsPart := right.(pattern)
		if !leftIsPart || !rightIsPart {
			return nil, false
		}
		if joined[name], exact = join(leftPart, rightPart); !exact {
			return nil, false
		}
	}

	return joined, true
}

// or is a name that does not stand for an attribute in a pattern. Source: as for
// maxPatterns, filter rule syntax.
const or = "$or"

// alternativesOfComparison returns an alternative for each type of the values,
// because the type is a name in the image.
func alternativesOfComparison(c spec.Condition) (alternatives []pattern, exact bool) {
	if slices.Contains(c.Path, or) {
		return nil, false
	}
	matchers, exact := matchersByType(c)
	if !exact {
		return nil, false
	}

	for _, typ := range slices.Sorted(maps.Keys(matchers)) { // one order keeps the template the same
		alternatives = append(alternatives, at(c.Path, pattern{typ: matchers[typ]}))
	}
	return alternatives, true
}

// plainInteger is a number that DynamoDB returns in the same notation: without an
// exponent, a point, a plus or a superfluous zero, and with at most 38 digits.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules",
// numbers.
var plainInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,37})$`)

// matchersByType returns the matchers for the values that the comparison accepts.
func matchersByType(c spec.Condition) (matchers map[string][]any, exact bool) {
	matchers = map[string][]any{}
	switch c.Operator {
	case spec.Equals, spec.In:
		for _, v := range c.Values {
			switch {
			case v.Type == "BOOL":
				matchers[v.Type] = append(matchers[v.Type], v.Text == "true")
			case v.Type == "N" && !plainInteger.MatchString(v.Text):
				// A number in an image is a string, so it matches in one notation only.
				return nil, false
			default:
				matchers[v.Type] = append(matchers[v.Type], v.Text)
			}
		}
		return matchers, true
	case spec.BeginsWith:
		prefix := c.Values[0].Text
		matchers["S"] = []any{map[string]string{"prefix": prefix}}
		return matchers, prefix != "" // AWS does not say that the empty prefix matches every string
	default:
		// NOT_EQUALS and EXISTS hold for values of any type, and NOT_EQUALS without a
		// value too. A pattern concerns only scalars of a type it names.
		return nil, false
	}
}

// at returns the pattern on an image that matches when value matches at path.
func at(path []string, value pattern) pattern {
	for i := len(path) - 1; i > 0; i-- {
		value = pattern{"M": pattern{path[i]: value}}
	}
	return pattern{path[0]: value}
}

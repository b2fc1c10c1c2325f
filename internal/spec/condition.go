package spec

import (
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"
)

// MaxConditionDepth is how deep conditions nest. It bounds the recursion of
// whoever reads one; deeper ones say nothing that flatter ones cannot.
const MaxConditionDepth = 10

// Condition is a condition on an item: either an operator on one attribute, or
// several conditions of which all or any must hold.
type Condition struct {
	All []Condition `json:",omitempty"`
	Any []Condition `json:",omitempty"`

	// Path names a top-level attribute, then members of nested maps.
	Path     []string `json:",omitempty"`
	Operator Operator `json:",omitempty"`
	// Values is one value for EQUALS, NOT_EQUALS and BEGINS_WITH, at least one for
	// IN, none for EXISTS.
	Values []Value `json:",omitempty"`
}

// Operator compares one attribute with values.
type Operator string

const (
	// Equals holds when the attribute has the type and the value.
	Equals Operator = "EQUALS"
	// NotEquals holds when Equals does not: also when there is no such attribute.
	NotEquals Operator = "NOT_EQUALS"
	// In holds when Equals holds for one of the values.
	In Operator = "IN"
	// Exists holds when there is such an attribute, of any type, NULL included.
	Exists Operator = "EXISTS"
	// BeginsWith holds when the attribute is a string that begins with the value.
	BeginsWith Operator = "BEGINS_WITH"
)

// Value is what an attribute is compared with.
type Value struct {
	// Type is S, N or BOOL.
	Type string
	// Text is the string, the decimal number, or true or false.
	Text string
}

// decimal is the notation of DynamoDB's numbers. Source: Amazon DynamoDB API
// Reference, AttributeValue: numbers are sent as strings. It is compiled on first
// use, which most functions never come to.
var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
})

func (ps *problems) condition(path string, c Condition, depth int) {
	forms := 0
	for _, given := range []bool{c.Operator != "" || c.Path != nil || c.Values != nil, c.All != nil, c.Any != nil} {
		if given {
			forms++
		}
	}
	switch {
	case depth > MaxConditionDepth:
		ps.add(path, "is nested deeper than %d levels: flatten it", MaxConditionDepth)
	case forms == 0:
		ps.add(path, "is empty: give a Path with an Operator, or conditions in All or Any")
	case forms > 1:
		ps.add(path, "has more than one of Operator, All and Any: nest them instead")
	case c.All != nil:
		ps.conditions(path+".All", c.All, depth)
	case c.Any != nil:
		ps.conditions(path+".Any", c.Any, depth)
	default:
		ps.comparison(path, c)
	}
}

func (ps *problems) conditions(path string, list []Condition, depth int) {
	if len(list) == 0 {
		ps.add(path, "is empty: give at least one condition")
	}
	for i, c := range list {
		ps.condition(fmt.Sprintf("%s[%d]", path, i), c, depth+1)
	}
}

func (ps *problems) comparison(path string, c Condition) {
	ps.path(path, c.Path)
	wrongCount := func(want string) { ps.add(path, "%s has %d values: give %s", c.Operator, len(c.Values), want) }
	switch c.Operator {
	case Equals, NotEquals, BeginsWith:
		if len(c.Values) != 1 {
			wrongCount("1")
		}
	case In:
		if len(c.Values) == 0 {
			wrongCount("at least 1")
		}
	case Exists:
		if len(c.Values) > 0 {
			wrongCount("none")
		}
	default:
		ps.add(path, "has operator %q: use %s, %s, %s, %s or %s", c.Operator, Equals, NotEquals, In, Exists, BeginsWith)
	}
	for _, v := range c.Values {
		ps.value(path, v)
		if c.Operator == BeginsWith && v.Type != "S" {
			ps.add(path, "%s has a value of type %s: only a string begins with another", BeginsWith, v.Type)
		}
	}
}

// path checks a path to an attribute, which stands at field.
func (ps *problems) path(field string, path []string) {
	if len(path) == 0 {
		ps.add(field, "has no Path: name the attribute")
	}
	for _, name := range path {
		switch {
		case name == "":
			ps.add(field, "has an empty name in its Path %s: name every step", quoted(path))
		case !utf8.ValidString(name):
			ps.add(field, "has the Path %s, which is not valid UTF-8: attribute names are UTF-8 strings", quoted(path))
		}
	}
}

func (ps *problems) value(path string, v Value) {
	switch v.Type {
	case "S":
		if !utf8.ValidString(v.Text) {
			ps.add(path, "compares with %q, which is not valid UTF-8: strings are UTF-8", v.Text)
		}
	case "N":
		if !decimal().MatchString(v.Text) {
			ps.add(path, "compares with %q, which is not a decimal number", v.Text)
		}
	case "BOOL":
		if v.Text != "true" && v.Text != "false" {
			ps.add(path, "compares with %q, which is neither true nor false", v.Text)
		}
	default:
		ps.add(path, "compares with a value of type %q: use S, N or BOOL", v.Type)
	}
}

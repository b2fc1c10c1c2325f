package spec

import (
	"fmt"
	"regexp"
	"sync"
	"unicode/utf8"
)

// MaxConditionDepth is how deep conditions nest. It bounds the recursion of every
// reader; deeper ones say nothing that flatter ones cannot.
const MaxConditionDepth = 10

func (ps *problems) condition(path string, c Condition, depth int) {
	forms := 0
	for _, present := range []bool{c.Operator != "" || c.Path != nil || c.Values != nil, c.All != nil, c.Any != nil} {
		if present {
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
	ps.attributePath(path, c.Path)
	ps.operator(path, c)
	for _, v := range c.Values {
		ps.value(path, v)
		if c.Operator == BeginsWith && v.Type != "S" && v.Type != "" {
			ps.add(path, "%s has a value of type %s: only a string begins with another", BeginsWith, v.Type)
		}
	}
}

// operator checks the operator and how many values it has.
func (ps *problems) operator(path string, c Condition) {
	count, want := len(c.Values), ""
	switch c.Operator {
	case Equals, NotEquals, BeginsWith:
		if count != 1 {
			want = "1"
		}
	case In:
		if count == 0 {
			want = "at least 1"
		}
	case Exists:
		if count > 0 {
			want = "none"
		}
	default:
		ps.add(path, "has operator %q: use %s, %s, %s, %s or %s",
			c.Operator, Equals, NotEquals, In, Exists, BeginsWith)
	}

	if want != "" {
		ps.add(path, "%s has %d values: give %s", c.Operator, count, want)
	}
}

// attributePath checks the path to an attribute in the given field.
func (ps *problems) attributePath(field string, path []string) {
	if len(path) == 0 {
		ps.add(field, "has no Path: name the attribute")
	}
	for _, name := range path {
		switch {
		case name == "":
			ps.add(field, "has an empty name in its Path %s: name every step", quoted(path...))
		case !utf8.ValidString(name):
			ps.add(field, "has the Path %s, which is not valid UTF-8: attribute names are UTF-8 strings", quoted(path...))
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

// decimal is the notation of DynamoDB's numbers. Source: Amazon DynamoDB API Reference,
// AttributeValue: numbers are sent as strings. Most functions never use it, so it is
// compiled on first use.
var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
})

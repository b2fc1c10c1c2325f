package replicatedtable

import (
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Condition is a condition on an item. Only the functions Condition_All to
// Condition_BeginsWith create one.
//
// Their attribute is a path, such as "active" or "address.city"; [AttributePath] says
// what a path is. Where a map is missing on it, or has another type, the attribute
// does not exist.
//
// A required argument that is nil or empty fails synthesis, with a message that
// names its place in the condition.
type Condition interface {
	toSpec() spec.Condition
	// attributes lists the paths in it as the caller wrote them.
	attributes() []string
}

// Value is the operand of a comparison with an attribute. Only the functions
// Value_String, Value_Number and Value_Boolean create one. No value equals an
// attribute of another type: the number 1 is not the string "1".
type Value interface {
	toSpec() spec.Value
}

// Condition_All holds when all conditions hold. There must be at least one
// condition. Conditions nest at most 10 deep.
func Condition_All(conditions ...Condition) Condition {
	list, attributes := toConditions(conditions)
	return condition{spec.Condition{All: list}, attributes}
}

// Condition_Any holds when any of the conditions holds. There must be at least one
// condition. Conditions nest at most 10 deep.
func Condition_Any(conditions ...Condition) Condition {
	list, attributes := toConditions(conditions)
	return condition{spec.Condition{Any: list}, attributes}
}

// Condition_Equals holds when the attribute has the type and the value of
// operand.
func Condition_Equals(attribute *string, operand Value) Condition {
	return compare(attribute, spec.Equals, operand)
}

// Condition_NotEquals holds when Condition_Equals does not, including for an
// attribute of another type and for an item without the attribute.
func Condition_NotEquals(attribute *string, operand Value) Condition {
	return compare(attribute, spec.NotEquals, operand)
}

// Condition_In holds when the attribute equals one of the operands. There must be
// at least one operand. They may have different types.
func Condition_In(attribute *string, operands ...Value) Condition {
	return compare(attribute, spec.In, operands...)
}

// Condition_Exists holds when the item has the attribute, whatever its type and
// value, including NULL and the empty string.
func Condition_Exists(attribute *string) Condition {
	return compare(attribute, spec.Exists)
}

// Condition_BeginsWith holds when the attribute is a string that begins with
// prefix, byte by byte. Every string begins with the empty prefix.
func Condition_BeginsWith(attribute, prefix *string) Condition {
	return compare(attribute, spec.BeginsWith, Value_String(prefix))
}

// Value_String is a string. Strings are equal byte by byte.
func Value_String(text *string) Value {
	if text == nil {
		return value{} // and not the empty string, which is a valid operand
	}
	return value{Type: "S", Text: *text}
}

// Value_Number is a number in decimal notation, with an exponent of at most three
// digits: "1", "-2.5", "1e3". Numbers are equal by value, whatever their
// notation: 1000 equals "1e3".
func Value_Number(decimal *string) Value { return value{Type: "N", Text: toString(decimal)} }

// Value_Boolean is a boolean.
func Value_Boolean(truth *bool) Value {
	if truth == nil {
		return value{Type: "BOOL"}
	}
	return value{Type: "BOOL", Text: strconv.FormatBool(*truth)}
}

// condition and value wrap those of the spec, sound or not: the zero value
// represents nil, and the spec's rules refuse it.
type (
	condition struct {
		spec  spec.Condition
		paths []string
	}
	value spec.Value
)

func (c condition) toSpec() spec.Condition { return c.spec }

func (c condition) attributes() []string { return c.paths }

func (v value) toSpec() spec.Value { return spec.Value(v) }

func compare(attribute *string, operator spec.Operator, operands ...Value) Condition {
	c := spec.Condition{Operator: operator, Path: toPath(attribute)}
	for _, v := range operands {
		if v == nil {
			v = value{}
		}
		c.Values = append(c.Values, v.toSpec())
	}

	return condition{c, []string{toString(attribute)}}
}

func toConditions(conditions []Condition) (list []spec.Condition, attributes []string) {
	list = []spec.Condition{} // nil would mean that there is no list at all
	for _, c := range conditions {
		if c == nil {
			c = condition{}
		}
		list = append(list, c.toSpec())
		attributes = append(attributes, c.attributes()...)
	}

	return list, attributes
}

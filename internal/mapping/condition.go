package mapping

import (
	"bytes"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// condition is a condition of the spec, ready to be evaluated on items. It reads only the
// attributes that it names.
type condition struct {
	all, any []condition

	path     []string
	operator spec.Operator
	values   []operand
}

// operand is a value to compare with. Two values of one type are equal exactly when their
// texts are.
type operand struct {
	typ  string
	text []byte
}

func newCondition(c spec.Condition) condition {
	out := condition{path: c.Path, operator: c.Operator}
	for _, sub := range c.All {
		out.all = append(out.all, newCondition(sub))
	}
	for _, sub := range c.Any {
		out.any = append(out.any, newCondition(sub))
	}

	for _, v := range c.Values {
		text := []byte(v.Text)
		if v.Type == "N" {
			// It is a number: the spec was checked.
			text, _ = dynamodbjson.AppendCanonicalNumber(nil, []byte(dynamodbjson.Quote(v.Text)))
		}
		out.values = append(out.values, operand{v.Type, text})
	}

	return out
}

// evaluator evaluates conditions. It keeps its memory from one condition to the next.
type evaluator struct {
	text []byte
}

// holds reports whether an item meets a condition.
func (v *evaluator) holds(c *condition, p *dynamodbjson.Payload, item dynamodbjson.Item) bool {
	switch {
	case c.all != nil:
		for i := range c.all {
			if !v.holds(&c.all[i], p, item) {
				return false
			}
		}
		return true
	case c.any != nil:
		for i := range c.any {
			if v.holds(&c.any[i], p, item) {
				return true
			}
		}
		return false
	}

	value := p.At(item, c.path)
	switch c.operator {
	case spec.Exists:
		return value != nil
	case spec.Equals, spec.In:
		return v.equalsAny(value, c.values)
	case spec.NotEquals:
		return !v.equalsAny(value, c.values)
	case spec.BeginsWith:
		typ, text, ok := v.read(value)
		return ok && string(typ) == "S" && bytes.HasPrefix(text, c.values[0].text)
	default:
		// The spec was checked when the function started.
		panic("mapping: unknown operator " + string(c.operator))
	}
}

func (v *evaluator) equalsAny(value []byte, operands []operand) bool {
	typ, text, ok := v.read(value)
	if !ok {
		return false
	}
	for i := range operands {
		if string(typ) == operands[i].typ && bytes.Equal(text, operands[i].text) {
			return true
		}
	}
	return false
}

// read returns the type of a value and its text, as in an operand. ok is false for a value
// that no operand can equal.
func (v *evaluator) read(value []byte) (typ, text []byte, ok bool) {
	if value == nil {
		return nil, nil, false
	}

	typ, text, ok = dynamodbjson.Scalar(value)
	if !ok {
		// An operand can also be a BOOL, which is not a string in JSON.
		truth := dynamodbjson.Bool(value)
		return []byte("BOOL"), truth, truth != nil
	}

	var err error
	switch string(typ) {
	case "S":
		v.text, err = dynamodbjson.AppendUnquoted(v.text[:0], text)
	case "N":
		v.text, err = dynamodbjson.AppendCanonicalNumber(v.text[:0], text)
	default:
		return nil, nil, false
	}

	return typ, v.text, err == nil
}

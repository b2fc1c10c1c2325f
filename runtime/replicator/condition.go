package replicator

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// condition is a condition of the spec, ready to be evaluated on images. Only
// the attributes it names are looked at.
type condition struct {
	all, any []condition

	path     []string
	operator spec.Operator
	values   []operand
}

// operand is a value to compare with: its type, and what makes it equal to
// another one of that type.
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
			// The spec was checked: it is a number.
			text, _ = appendNumber(nil, []byte(quote(v.Text)))
		}
		out.values = append(out.values, operand{v.Type, text})
	}
	return out
}

// evaluator evaluates conditions. It keeps its memory from one to the next.
type evaluator struct {
	json jsontext.Decoder
	text []byte
}

// holds reports whether an item meets a condition.
func (e *evaluator) holds(c *condition, item image) bool {
	switch {
	case c.all != nil:
		for i := range c.all {
			if !e.holds(&c.all[i], item) {
				return false
			}
		}
		return true
	case c.any != nil:
		for i := range c.any {
			if e.holds(&c.any[i], item) {
				return true
			}
		}
		return false
	}
	value := e.at(item, c.path)
	switch c.operator {
	case spec.Exists:
		return value != nil
	case spec.Equals, spec.In:
		return e.equalsAny(value, c.values)
	case spec.NotEquals:
		return !e.equalsAny(value, c.values)
	case spec.BeginsWith:
		typ, text, ok := e.read(value)
		return ok && string(typ) == "S" && bytes.HasPrefix(text, c.values[0].text)
	default:
		// The spec was checked when the function started.
		panic("replicator: unknown operator " + string(c.operator))
	}
}

// at returns the attribute value at path as JSON, or nil when there is none.
func (e *evaluator) at(item image, path []string) []byte {
	at := item.find(path[0])
	if at < 0 {
		return nil
	}
	value := item[at].value
	for _, name := range path[1:] {
		if value = e.member(e.member(value, "M"), name); value == nil {
			return nil
		}
	}
	return value
}

// member returns the member of a JSON object called name, or nil. The JSON is
// known to be well-formed.
func (e *evaluator) member(object []byte, name string) []byte {
	if jsontext.Value(object).Kind() != '{' {
		return nil
	}
	e.json.Reset(bytes.NewBuffer(object), lenient...)
	if _, err := e.json.ReadToken(); err != nil {
		return nil
	}
	for e.json.PeekKind() == '"' {
		text, err := e.json.ReadValue()
		if err != nil {
			return nil
		}
		e.text, err = appendUnquoted(e.text[:0], text)
		if err != nil {
			return nil
		}
		value, err := e.json.ReadValue()
		if err != nil {
			return nil
		}
		if string(e.text) == name {
			end := int(e.json.InputOffset())
			return object[end-len(value) : end : end]
		}
	}
	return nil
}

func (e *evaluator) equalsAny(value []byte, operands []operand) bool {
	typ, text, ok := e.read(value)
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

// read returns the type of a value and what makes it equal to another one of
// that type. It is not ok for a value that no operand can equal.
func (e *evaluator) read(value []byte) (typ, text []byte, ok bool) {
	if value == nil {
		return nil, nil, false
	}
	typ, text, ok = scalar(value)
	if !ok {
		// The one other type an operand can have is not a string in JSON.
		if truth := e.member(value, "BOOL"); truth != nil {
			return []byte("BOOL"), truth, true
		}
		return nil, nil, false
	}
	var err error
	switch string(typ) {
	case "S":
		e.text, err = appendUnquoted(e.text[:0], text)
	case "N":
		e.text, err = appendNumber(e.text[:0], text)
	default:
		return nil, nil, false
	}
	return typ, e.text, err == nil
}

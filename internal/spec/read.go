package spec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reader reads a spec token by token. A library could fill a Spec by itself, by
// reflection, but it prepares for each of its types first, which a starting function
// waits for ("make bench-cold"). Nor would it refuse a name in another case, or one
// that stands twice.
type reader struct {
	tokens *json.Decoder
	// path is what is being read, as in a Problem.
	path string
	// err is the first error. Nothing is read after it.
	err error
}

// read reads what Encode wrote.
func read(text string) (Spec, error) {
	r := reader{tokens: json.NewDecoder(strings.NewReader(text))}
	var s Spec
	r.object(func(name string) {
		switch name {
		case "Source":
			r.object(func(name string) { r.table(&s.Source, name) })
		case "Targets":
			s.Targets = list(&r, (*reader).target)
		case "FailureQueueURL":
			r.string(&s.FailureQueueURL)
		default:
			r.unknown()
		}
	})
	if _, err := r.tokens.Token(); err != io.EOF {
		r.fail("is followed by something")
	}
	// The decoder replaces what is no Unicode. An escape can stand for half a
	// character, and Encode writes few of them.
	if !utf8.ValidString(text) || strings.Contains(text, `\u`) && compact(text) != s.Encode() {
		r.fail("holds a text that is no Unicode, or an escape that this version does not write")
	}
	return s, r.err
}

func (r *reader) table(t *Table, name string) {
	switch name {
	case "TableName":
		r.string(&t.TableName)
	case "PartitionKey":
		t.PartitionKey = r.attribute()
	case "SortKey":
		a := r.attribute()
		t.SortKey = &a
	default:
		r.unknown()
	}
}

func (r *reader) attribute() Attribute {
	var a Attribute
	r.object(func(name string) {
		switch name {
		case "Name":
			r.string(&a.Name)
		case "Type":
			r.string((*string)(&a.Type))
		default:
			r.unknown()
		}
	})
	return a
}

func (r *reader) target() Target {
	var t Target
	r.object(func(name string) {
		switch name {
		case "KeySources":
			t.KeySources = entries(r, (*reader).keySource)
		case "Projection":
			t.Projection = r.projection()
		case "Filter":
			c := r.condition()
			t.Filter = &c
		case "OnKeyCollision":
			r.string((*string)(&t.OnKeyCollision))
		case "VersionAttribute":
			r.string(&t.VersionAttribute)
		case "ExpiredItems":
			r.string((*string)(&t.ExpiredItems))
		case "WriteBrakeDisabled":
			t.WriteBrakeDisabled = r.boolean()
		default:
			r.table(&t.Table, name)
		}
	})
	return t
}

func (r *reader) keySource() KeySource {
	var k KeySource
	r.object(func(name string) {
		switch name {
		case "Parts":
			k.Parts = list(r, (*reader).texts)
		case "Separator":
			r.string(&k.Separator)
		default:
			r.unknown()
		}
	})
	return k
}

func (r *reader) projection() Projection {
	var p Projection
	r.object(func(name string) {
		switch name {
		case "Type":
			r.string((*string)(&p.Type))
		case "Attributes":
			p.Attributes = r.texts()
		case "Renames":
			p.Renames = entries(r, (*reader).text)
		default:
			r.unknown()
		}
	})
	return p
}

func (r *reader) condition() Condition {
	var c Condition
	r.object(func(name string) {
		switch name {
		case "All":
			c.All = list(r, (*reader).condition)
		case "Any":
			c.Any = list(r, (*reader).condition)
		case "Path":
			c.Path = r.texts()
		case "Operator":
			r.string((*string)(&c.Operator))
		case "Values":
			c.Values = list(r, (*reader).value)
		default:
			r.unknown()
		}
	})
	return c
}

func (r *reader) value() Value {
	var v Value
	r.object(func(name string) {
		switch name {
		case "Type":
			r.string(&v.Type)
		case "Text":
			r.string(&v.Text)
		default:
			r.unknown()
		}
	})
	return v
}

// object reads an object. member reads the value of the member called name.
func (r *reader) object(member func(name string)) {
	r.delimiter('{', "is not an object")
	object := r.path
	for seen := map[string]bool{}; r.more(); {
		name := r.text()
		r.path = strings.TrimPrefix(object+"."+name, ".")
		if seen[name] {
			r.fail("stands twice")
		}
		seen[name] = true
		member(name)
	}
	r.path = object
	r.delimiter('}', "is not complete")
}

// entries reads a map that is not empty: Encode leaves out an empty one.
func entries[T any](r *reader, value func(r *reader) T) map[string]T {
	all := map[string]T{}
	r.object(func(name string) { all[name] = value(r) })
	if len(all) == 0 {
		r.fail("is empty")
	}
	return all
}

// list reads an array that is not empty: Encode leaves out an empty one.
func list[T any](r *reader, element func(r *reader) T) []T {
	r.delimiter('[', "is not an array")
	array := r.path
	var all []T
	for r.more() {
		r.path = array + "[" + strconv.Itoa(len(all)) + "]"
		all = append(all, element(r))
	}
	r.path = array
	r.delimiter(']', "is not complete")
	if len(all) == 0 {
		r.fail("is empty")
	}
	return all
}

func (r *reader) more() bool { return r.err == nil && r.tokens.More() }

func (r *reader) texts() []string { return list(r, (*reader).text) }

func (r *reader) text() string {
	text, ok := r.next().(string)
	if !ok {
		r.fail("is not a string")
	}
	return text
}

func (r *reader) boolean() bool {
	truth, ok := r.next().(bool)
	if !ok {
		r.fail("is not a boolean")
	}
	return truth
}

func (r *reader) string(to *string) { *to = r.text() }

func (r *reader) delimiter(d json.Delim, otherwise string) {
	if r.next() != json.Token(d) {
		r.fail(otherwise)
	}
}

func (r *reader) unknown() { r.fail("is no field that this version knows") }

// next reads a token, or returns nil.
func (r *reader) next() json.Token {
	if r.err != nil {
		return nil
	}
	token, err := r.tokens.Token()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.fail("is cut off")
	} else if err != nil {
		r.fail("is malformed: " + err.Error())
	}
	return token
}

// fail records what is wrong with what is being read.
func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = errors.New(cmp.Or(r.path, "the whole") + " " + what)
	}
}

// compact returns JSON without white space, or nothing for what is not JSON.
func compact(text string) string {
	var b bytes.Buffer
	_ = json.Compact(&b, []byte(text)) // malformed JSON is nobody's encoding
	return b.String()
}

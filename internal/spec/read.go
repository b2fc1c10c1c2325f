package spec

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// reader reads a spec token by token. A library could fill a Spec by itself, by
// reflection, but it prepares for each of its types first: that took longer than all
// else that a function does before its first batch ("make bench-cold" shows it). Nor
// would it refuse a name in another case, or one that stands twice.
type reader struct {
	tokens *json.Decoder
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
			r.unknown(name)
		}
	})
	if _, err := r.tokens.Token(); r.err == nil && err != io.EOF {
		r.err = fmt.Errorf("something follows at byte %d", r.tokens.InputOffset())
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
		r.unknown(name)
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
			r.unknown(name)
		}
	})
	return a
}

func (r *reader) target() Target {
	var t Target
	r.object(func(name string) {
		switch name {
		case "KeySources":
			t.KeySources = map[string]KeySource{}
			r.object(func(name string) { t.KeySources[name] = r.keySource() })
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
			r.unknown(name)
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
			p.Renames = map[string]string{}
			r.object(func(name string) { p.Renames[name] = r.text() })
		default:
			r.unknown(name)
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
			r.unknown(name)
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
			r.unknown(name)
		}
	})
	return v
}

// object reads an object. member reads the value of the member called name.
func (r *reader) object(member func(name string)) {
	r.delimiter('{', "an object")
	for seen := map[string]bool{}; r.more(); {
		name := r.text()
		if seen[name] {
			r.fail("%q stands twice", name)
		}
		seen[name] = true
		member(name)
	}
	r.delimiter('}', "the end of an object")
}

// list reads an array.
func list[T any](r *reader, element func(r *reader) T) []T {
	var all []T
	r.delimiter('[', "an array")
	for r.more() {
		all = append(all, element(r))
	}
	r.delimiter(']', "the end of an array")
	return all
}

func (r *reader) more() bool { return r.err == nil && r.tokens.More() }

func (r *reader) texts() []string { return list(r, (*reader).text) }

func (r *reader) text() string {
	text, ok := r.next().(string)
	if !ok {
		r.fail("a string is missing")
	}
	return text
}

func (r *reader) string(to *string) { *to = r.text() }

func (r *reader) delimiter(d json.Delim, what string) {
	if r.next() != json.Token(d) {
		r.fail("%s is missing", what)
	}
}

func (r *reader) unknown(name string) { r.fail("unknown field %q", name) }

// next reads a token, or returns nil.
func (r *reader) next() json.Token {
	if r.err != nil {
		return nil
	}
	token, err := r.tokens.Token()
	if err != nil {
		r.err = fmt.Errorf("after byte %d: %w", r.tokens.InputOffset(), err)
	}
	return token
}

func (r *reader) fail(format string, arguments ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format+" before byte %d", append(arguments, r.tokens.InputOffset())...)
	}
}

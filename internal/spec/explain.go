package spec

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// faults searches a text, token by token, for what Encode does not write: it knows the
// fields by reflection. White space, the order of members, unnecessary escapes and
// fields with the zero value are not faults.
type faults struct {
	text   string
	tokens *json.Decoder
	// first is the first fault. It names the field by its path, as a Problem does.
	first error
}

// value searches the value at path, which belongs to a field of type t.
func (f *faults) value(path string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		f.value(path, t.Elem())
	case reflect.Struct, reflect.Map:
		f.require(f.token(path) == json.Delim('{'), path, "is not an object")
		f.members(path, t)
	case reflect.Slice:
		f.require(f.token(path) == json.Delim('['), path, "is not an array")
		f.elements(path, t.Elem())
	case reflect.Bool:
		_, ok := f.token(path).(bool)
		f.require(ok, path, "is not a boolean")
	case reflect.Int:
		_, ok := f.token(path).(float64)
		f.require(ok, path, "is not a number")
	default: // all other fields are strings
		_, ok := f.token(path).(string)
		f.require(ok, path, "is not a string")
	}
}

func (f *faults) members(path string, t reflect.Type) {
	seen := map[string]bool{}
	for f.first == nil && f.tokens.More() {
		name, _ := f.token(path).(string)
		member := strings.TrimPrefix(path+"."+name, ".")
		f.require(!seen[name], member, "appears twice")
		seen[name] = true

		if t.Kind() == reflect.Map {
			f.value(member, t.Elem())
		} else if field, ok := t.FieldByName(name); ok && !field.Anonymous {
			f.value(member, field.Type)
		} else {
			f.require(false, member, "is not a field that this version knows")
		}
	}
	f.require(len(seen) > 0 || t.Kind() == reflect.Struct, path, "is empty")
	f.token(path) // the closing brace
}

func (f *faults) elements(path string, t reflect.Type) {
	count := 0
	for ; f.first == nil && f.tokens.More(); count++ {
		f.value(fmt.Sprintf("%s[%d]", path, count), t)
	}
	f.require(count > 0, path, "is empty")
	f.token(path) // the closing bracket
}

// token reads the next token of the value at path.
func (f *faults) token(path string) json.Token {
	start := f.tokens.InputOffset()
	token, err := f.tokens.Token()
	f.require(err == nil, path, fmt.Sprintf("is cut off or malformed: %v", err))

	// The decoder puts U+FFFD where a text is not Unicode.
	text, _ := token.(string)
	written := f.text[start:f.tokens.InputOffset()]
	f.require(strings.Count(text, "\uFFFD") == strings.Count(written, "\uFFFD"), path, "has a text that is not Unicode")

	return token
}

// require records a fault unless ok holds.
func (f *faults) require(ok bool, path, fault string) {
	if !ok && f.first == nil {
		f.first = errors.New(cmp.Or(path, "the whole") + " " + fault)
	}
}

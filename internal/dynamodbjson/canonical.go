package dynamodbjson

import (
	"bytes"
	"errors"
	"slices"
)

// Equal reports whether two attribute values are equal for DynamoDB: numbers by value, sets
// whatever the order of their elements, lists in order.
func Equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	one, err := AppendCanonical(nil, a)
	if err != nil {
		return false
	}
	other, err := AppendCanonical(nil, b)

	return err == nil && bytes.Equal(one, other)
}

// EqualItems reports whether two items have the same attributes.
func EqualItems(p *Payload, a Item, q *Payload, b Item) bool {
	if bytes.Equal(a.Raw, b.Raw) {
		return true
	}
	members := p.Members(a)
	if len(members) != len(q.Members(b)) {
		return false
	}

	for i := range members {
		name := p.Name(&members[i])
		other := q.FindNear(b, i, name)
		if other == nil {
			other = q.Find(b, string(name))
		}
		if other == nil || !Equal(p.Value(&members[i]), q.Value(other)) {
			return false
		}
	}

	return true
}

// AppendCanonical appends the canonical form of an attribute value: two values have the same form
// exactly when they are equal. A value that cannot be read is an error.
func AppendCanonical(dst, value []byte) ([]byte, error) {
	var typ string
	var content []byte
	n := 0
	err := eachMember(value, func(name, value []byte) error {
		typ, content = string(name), value
		n++
		return nil
	})
	if err != nil {
		return dst, err
	}
	if n != 1 {
		return dst, errNoValue
	}

	dst = AppendQuoted(append(dst, '{'), typ)
	dst = append(dst, ':')
	dst, err = appendCanonicalContent(dst, typ, content)

	return append(dst, '}'), err
}

var errNoValue = errors.New("it is not an attribute value")

// appendCanonicalContent appends the canonical form of what follows a type descriptor. Types that
// do not exist today are equal when their texts are.
func appendCanonicalContent(dst []byte, typ string, content []byte) ([]byte, error) {
	switch typ {
	case "S", "N", "B":
		return appendCanonicalText(dst, typ, content)
	case "SS", "NS", "BS":
		element := func(element []byte) ([]byte, error) { return appendCanonicalText(nil, typ[:1], element) }
		return appendCanonicalElements(dst, content, element, true)
	case "L":
		element := func(element []byte) ([]byte, error) { return AppendCanonical(nil, element) }
		return appendCanonicalElements(dst, content, element, false)
	case "M":
		return appendCanonicalMap(dst, content)
	default:
		return append(dst, content...), nil
	}
}

// appendCanonicalText appends the canonical form of a string, a number or binary.
func appendCanonicalText(dst []byte, typ string, text []byte) ([]byte, error) {
	if len(text) == 0 || text[0] != '"' {
		return dst, errNoValue
	}

	var canonical []byte
	var err error
	switch typ {
	case "S":
		canonical, err = AppendUnquoted(nil, text)
	case "N":
		canonical, err = AppendCanonicalNumber(nil, text)
	default:
		canonical, err = AppendBinary(nil, text)
	}

	return AppendQuoted(dst, canonical), err
}

// appendCanonicalElements appends an array of canonical elements, sorted for a set.
func appendCanonicalElements(
	dst, array []byte, canonical func(element []byte) ([]byte, error), sorted bool,
) ([]byte, error) {
	if len(array) == 0 || array[0] != '[' {
		return dst, errNoValue
	}

	var elements [][]byte
	for i := skipSpace(array, 1); array[i] != ']'; {
		end := skipValue(array, i, 0)
		element, err := canonical(array[i:end])
		if err != nil {
			return dst, err
		}
		elements = append(elements, element)
		if i = skipSpace(array, end); array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}
	if sorted {
		slices.SortFunc(elements, bytes.Compare)
	}

	dst = append(dst, '[')
	dst = append(dst, bytes.Join(elements, []byte{','})...)

	return append(dst, ']'), nil
}

// appendCanonicalMap appends an object of attribute values, sorted by their names.
func appendCanonicalMap(dst, object []byte) ([]byte, error) {
	var members [][]byte
	err := eachMember(object, func(name, value []byte) error {
		member, err := AppendCanonical(append(AppendQuoted(nil, name), ':'), value)
		members = append(members, member)
		return err
	})
	if err != nil {
		return dst, err
	}
	slices.SortFunc(members, bytes.Compare)

	dst = append(dst, '{')
	dst = append(dst, bytes.Join(members, []byte{','})...)

	return append(dst, '}'), nil
}

// eachMember calls visit with the members of an object, their names without quotes and escapes.
func eachMember(object []byte, visit func(name, value []byte) error) error {
	if len(object) == 0 || object[0] != '{' {
		return errNoValue
	}

	for i := skipSpace(object, 1); object[i] == '"'; {
		nameEnd, at := skipName(object, i)
		end := skipValue(object, at, 0)
		name, err := AppendUnquoted(nil, object[i:nameEnd])
		if err != nil {
			return err
		}
		if err := visit(name, object[at:end]); err != nil {
			return err
		}
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}

	return nil
}

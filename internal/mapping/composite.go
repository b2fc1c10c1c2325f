package mapping

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// composer joins attribute values into composites. It keeps its memory from one composite
// to the next.
type composer struct {
	joined, part []byte
}

// append appends the composite of parts, which are attribute values, as an attribute value
// in JSON. spec.KeySource defines how parts are joined so that they can be told apart.
//
// The text of a part is a string itself, a number in plain decimal notation, or binary as
// base64: equal values have equal texts. It may be empty. A value of another type is an
// error.
func (c *composer) append(dst []byte, k *KeyAttribute, parts [][]byte) ([]byte, error) {
	c.joined = c.joined[:0]
	for i, part := range parts {
		if i > 0 {
			c.joined = append(c.joined, k.separator...)
		}
		if err := c.join(k, part); err != nil {
			path := k.parts[i]
			part := path[len(path)-1]
			return dst, fmt.Errorf("key attribute %q cannot be derived: its part %q: %w", k.Name, part, err)
		}
	}

	dst = append(dst, `{"S":`...)
	dst = dynamodbjson.AppendQuoted(dst, c.joined)

	return append(dst, '}'), nil
}

// join appends the escaped text of value to the composite.
func (c *composer) join(k *KeyAttribute, value []byte) error {
	text, err := c.text(value)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return errors.New("it is not valid UTF-8")
	}

	for {
		at := bytes.IndexAny(text, k.escaped)
		if at < 0 {
			c.joined = append(c.joined, text...)
			return nil
		}
		_, size := utf8.DecodeRune(text[at:])
		c.joined = append(c.joined, text[:at]...)
		c.joined = append(c.joined, spec.Escape...)
		c.joined = append(c.joined, text[at:at+size]...)
		text = text[at+size:]
	}
}

// text returns the text of a part, before it is escaped.
func (c *composer) text(value []byte) ([]byte, error) {
	typ, text, ok := dynamodbjson.Scalar(value)
	from := 0
	var err error
	switch t := spec.AttributeType(typ); {
	case ok && t == spec.String:
		c.part, err = dynamodbjson.AppendUnquoted(c.part[:0], text)
	case ok && t == spec.Number:
		c.part, err = dynamodbjson.AppendPlainNumber(c.part[:0], text)
	case ok && t == spec.Binary:
		// Decoded and encoded again: the same bytes have several texts in base64.
		c.part, err = dynamodbjson.AppendBinary(c.part[:0], text)
		from = len(c.part)
		c.part = base64.StdEncoding.AppendEncode(c.part, c.part)
	default:
		err = fmt.Errorf("it has type %s: a composite joins strings, numbers and binary",
			dynamodbjson.DescribeType(typ))
	}

	return c.part[from:], err
}

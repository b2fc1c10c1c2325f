package replicator

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// composer joins attribute values into composites. It keeps its memory from one
// to the next.
type composer struct {
	joined, part []byte
}

// compose makes the composite of parts, which are attribute values, as an
// attribute value in JSON. spec.KeySource says how they are joined, and how it
// stays clear where each begins.
//
// A part is a string as it is, a number in plain decimal notation, or binary as
// base64: equal values have equal texts. It may be empty. A value of another type
// is a permanent error.
func (c *composer) compose(e *event, k *keyAttribute, parts []span) error {
	c.joined = c.joined[:0]
	for i, part := range parts {
		if i > 0 {
			c.joined = append(c.joined, k.separator...)
		}
		if err := c.join(k, e.text(part)); err != nil {
			return permanentf("key attribute %q cannot be made: its part %q: %v", k.name, k.parts[i][len(k.parts[i])-1], err)
		}
	}
	e.made = append(e.made, `{"S":`...)
	// It cannot fail: every part is valid UTF-8.
	e.made, _ = jsontext.AppendQuote(e.made, c.joined)
	e.made = append(e.made, '}')
	return nil
}

// join appends the escaped text of value to the composite.
func (c *composer) join(k *keyAttribute, value []byte) error {
	typ, text, ok := scalar(value)
	var err error
	from := 0
	switch is := spec.AttributeType(typ); {
	case ok && is == spec.String:
		c.part, err = appendUnquoted(c.part[:0], text)
	case ok && is == spec.Number:
		c.part, err = appendDecimal(c.part[:0], text)
	case ok && is == spec.Binary:
		// Read and written again: there are several texts for the same bytes.
		if c.part, err = appendBinary(c.part[:0], text); err == nil {
			from = len(c.part)
			c.part = base64.StdEncoding.AppendEncode(c.part, c.part)
		}
	default:
		err = permanentf("it has type %s: a composite is made of strings, numbers and binary", typ)
	}
	if err != nil {
		return err
	}
	rest := c.part[from:]
	if !utf8.Valid(rest) {
		return permanentError("it is not valid UTF-8")
	}
	for {
		at := bytes.IndexAny(rest, k.escaped)
		if at < 0 {
			c.joined = append(c.joined, rest...)
			return nil
		}
		_, size := utf8.DecodeRune(rest[at:])
		c.joined = append(c.joined, rest[:at]...)
		c.joined = append(c.joined, spec.Escape...)
		c.joined = append(c.joined, rest[at:at+size]...)
		rest = rest[at+size:]
	}
}

// The powers of ten of the first digit of DynamoDB's numbers. Source: Amazon
// DynamoDB Developer Guide, "Supported data types and naming rules", numbers.
const (
	minNumberExponent = -130
	maxNumberExponent = 125
)

// appendDecimal appends a number, text in JSON, in plain decimal notation: without
// an exponent, a plus, or a zero that could be left out. Equal numbers have equal
// texts.
func appendDecimal(dst, text []byte) ([]byte, error) {
	at := len(dst)
	dst, err := appendNumber(dst, text)
	if err != nil {
		return dst, err
	}
	digits, power, found := bytes.Cut(dst[at:], []byte("e"))
	if !found {
		return dst, nil // zero
	}
	// appendNumber has written it: the number is 0.digits times ten to this power.
	exponent, _ := strconv.Atoi(string(power))
	if exponent-1 < minNumberExponent || exponent-1 > maxNumberExponent {
		return dst[:at], permanentError("it is a number out of DynamoDB's range")
	}
	var plain [1 + 2 + maxNumberExponent - minNumberExponent + maxNumberDigits]byte
	b := plain[:0]
	if digits[0] == '-' {
		b, digits = append(b, '-'), digits[1:]
	}
	switch {
	case exponent <= 0:
		b = append(b, "0."...)
		b = appendZeros(b, -exponent)
		b = append(b, digits...)
	case exponent >= len(digits):
		b = append(b, digits...)
		b = appendZeros(b, exponent-len(digits))
	default:
		b = append(b, digits[:exponent]...)
		b = append(b, '.')
		b = append(b, digits[exponent:]...)
	}
	return append(dst[:at], b...), nil
}

// maxNumberDigits is the precision of DynamoDB's numbers. Same source.
const maxNumberDigits = 38

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

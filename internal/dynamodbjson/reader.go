package dynamodbjson

import (
	"bytes"
	"errors"
	"fmt"
)

// Reader reads the text of a payload from its start, and adds the items that it reads to
// the payload. It stops where the text is malformed: then nothing more can be read, and
// Err names the position.
type Reader struct {
	payload *Payload
	text    []byte // the text of payload
	// at is the position after the text that was read. A negative one is the complement of
	// the position where the text is malformed.
	at int
}

// Reset starts at the first value of a payload.
func (r *Reader) Reset(p *Payload) { r.payload, r.text, r.at = p, p.text, skipSpace(p.text, 0) }

// Err returns an error when the text that was read is malformed.
func (r *Reader) Err() error {
	if r.at < 0 {
		return fmt.Errorf("it is malformed at byte %d", ^r.at)
	}
	return nil
}

// End returns an error when the text is malformed or continues.
func (r *Reader) End() error {
	if r.at < 0 {
		return r.Err()
	}
	if r.at = skipSpace(r.text, r.at); r.at < len(r.text) {
		return errors.New("something follows the event")
	}
	return nil
}

// Position is a place in the text that a Reader can return to.
type Position int

// Position returns where the Reader is.
func (r *Reader) Position() Position { return Position(r.at) }

// Return goes back to a position.
func (r *Reader) Return(p Position) { r.at = int(p) }

// Since returns the text that was read since a position, or nil when it is malformed.
func (r *Reader) Since(p Position) []byte {
	if r.at < 0 {
		return nil
	}
	return r.text[p:r.at:r.at]
}

// Kind returns the first byte of the next value, or 0 when there is none.
func (r *Reader) Kind() byte {
	if r.at < 0 || r.at >= len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// Open reads an opening bracket. An error names the value by what.
func (r *Reader) Open(bracket byte, what string) error {
	if kind := r.Kind(); kind != bracket {
		return fmt.Errorf("%s is %s, not %s", what, Describe(kind), Describe(bracket))
	}
	r.at++
	return nil
}

// More advances to the start of element number n of an object or array, or past the
// bracket that closes it. It reports whether there is an element.
func (r *Reader) More(closing byte, n int) bool {
	if r.at < 0 {
		return false
	}

	b := r.text
	i := skipSpace(b, r.at)
	switch {
	case i >= len(b):
		r.at = ^i
		return false
	case b[i] == closing:
		r.at = i + 1
		return false
	case n == 0:
		r.at = i
		return true
	case b[i] == ',':
		r.at = skipSpace(b, i+1)
		return true
	default:
		r.at = ^i
		return false
	}
}

// Name reads a member's name, up to the start of its value, and returns it without quotes
// and escapes.
func (r *Reader) Name() []byte { return r.payload.slice(r.name()) }

func (r *Reader) name() span {
	if r.at < 0 {
		return span{}
	}

	start := r.at
	if value := skipPlainName(r.text, start); value > 0 {
		r.at = value
		return span{uint32(start + 1), uint32(value - 2)} // #nosec G115 -- see MaxPayloadBytes
	}

	end, value := skipName(r.text, start)
	if r.at = value; value < 0 {
		return span{}
	}
	return r.unquoted(start, end)
}

// unquoted returns the text of the JSON string from start to end.
func (r *Reader) unquoted(start, end int) span {
	p := r.payload
	if bytes.IndexByte(p.text[start:end], '\\') < 0 {
		return span{uint32(start + 1), uint32(end - 1)} // #nosec G115 -- see MaxPayloadBytes
	}

	at := len(p.text) + len(p.unescaped)
	// Half a surrogate pair becomes a replacement character.
	p.unescaped, _ = AppendUnquoted(p.unescaped, p.text[start:end])
	return span{uint32(at), uint32(len(p.text) + len(p.unescaped))} // #nosec G115 -- see MaxPayloadBytes
}

// Value reads a value and returns it as JSON, or nil when it is malformed.
func (r *Reader) Value() []byte {
	start := r.Position()
	if r.at >= 0 {
		r.at = skipValue(r.text, r.at, 0)
	}
	return r.Since(start)
}

// String reads a string and returns it without quotes and escapes. An error names the
// value by what.
func (r *Reader) String(what string) ([]byte, error) {
	if kind := r.Kind(); kind != '"' && r.at >= 0 {
		return nil, fmt.Errorf("%s is %s, not a string", what, Describe(kind))
	}
	start := r.at
	if r.Value(); r.at < 0 {
		return nil, nil
	}
	return r.payload.slice(r.unquoted(start, r.at)), nil
}

// Item reads an item: {"name":{"S":"text"},…}. Each value has one type descriptor; values
// inside lists and maps are not checked.
func (r *Reader) Item() (Item, error) {
	p, start, first := r.payload, r.Position(), len(r.payload.members)
	if err := r.Open('{', "a part of a record"); err != nil {
		return Item{}, err
	}

	for n := 0; r.More('}', n); n++ {
		from := uint32(r.at) // #nosec G115 -- see MaxPayloadBytes
		name := r.name()
		value, err := r.attributeValue()
		if err != nil {
			return Item{}, err
		}
		p.members = append(p.members, Member{name: name, value: value, from: from})
	}
	if r.at < 0 {
		return Item{}, nil
	}

	return Item{uint32(first), uint32(len(p.members)), r.Since(start)}, nil // #nosec G115 -- see MaxPayloadBytes
}

// OptionalItem reads an item or null. Null and an item without attributes are absent.
func (r *Reader) OptionalItem() (Item, error) {
	if r.Kind() == 'n' {
		r.Value()
		return Item{}, nil
	}
	item, err := r.Item()
	if item.first == item.end {
		return Item{}, err
	}
	return item, err
}

// ErrSeveralDescriptors is the error of an attribute value with several type descriptors.
// DynamoDB never writes one.
var ErrSeveralDescriptors = errors.New("an attribute value has several type descriptors")

// attributeValue reads an attribute value.
func (r *Reader) attributeValue() (span, error) {
	if r.at < 0 {
		return span{}, nil
	}
	start := r.at
	if end := skipScalar(r.text, start); end > 0 {
		r.at = end
		return span{uint32(start), uint32(end)}, nil // #nosec G115 -- see MaxPayloadBytes
	}
	if kind := r.Kind(); kind != '{' {
		return span{}, fmt.Errorf("an attribute value is %s, not an object", Describe(kind))
	}

	descriptors := 0
	for r.at++; r.More('}', descriptors); descriptors++ {
		r.name()
		r.Value()
	}

	switch {
	case r.at < 0:
		return span{}, nil
	case descriptors == 0:
		return span{}, errors.New("an attribute value has no type descriptor")
	case descriptors > 1:
		return span{}, ErrSeveralDescriptors
	default:
		return span{uint32(start), uint32(r.at)}, nil // #nosec G115 -- see MaxPayloadBytes
	}
}

// Describe names the kind of JSON value that begins with first.
func Describe(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case 0:
		return "missing"
	default:
		return "a number"
	}
}

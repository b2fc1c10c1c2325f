package replicator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The longest key values. Source: Amazon DynamoDB Developer Guide, "Quotas",
// partition keys and sort keys.
const (
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// keyAttribute is one attribute of a key schema, with what its value must be.
type keyAttribute struct {
	name     string
	typ      spec.AttributeType
	maxBytes int

	// parts are the paths to what the value is made of in a source item. More than
	// one are joined into a composite.
	parts [][]string
	// made says that the value is not the source attribute of the same name.
	made bool
	// separator joins a composite, escaped are the characters that are escaped in
	// its parts.
	separator, escaped string
	// head is the name as JSON, with the colon.
	head string
}

// keyAttributes returns the key attributes of k, made as sourceOf says.
func keyAttributes(k spec.KeySchema, sourceOf func(name string) spec.KeySource) []keyAttribute {
	var attributes []keyAttribute
	for i, a := range k.Attributes() {
		source := sourceOf(a.Name)
		attributes = append(attributes, keyAttribute{
			name:      a.Name,
			typ:       a.Type,
			maxBytes:  [...]int{maxPartitionKeyBytes, maxSortKeyBytes}[i],
			parts:     source.Parts,
			made:      len(source.Parts) != 1 || !slices.Equal(source.Parts[0], []string{a.Name}),
			separator: source.Separator,
			escaped:   source.Separator + spec.Escape,
			head:      quote(a.Name) + ":",
		})
	}
	return attributes
}

// appendIdentity appends what makes value, an attribute value as JSON, equal to
// another one for DynamoDB: two values have the same identity exactly when
// DynamoDB takes them for the same key (1, 1.0 and 1e0 are one number). The
// identity carries its own length, so identities of several attributes can
// follow each other without ambiguity.
//
// A value of another type, an empty one, or one over the limit is a permanent
// error: a key cannot hold it. Of a target key, empty values count as absent before.
func (k keyAttribute) appendIdentity(dst, value []byte) ([]byte, error) {
	typ, text, ok := scalar(value)
	if !ok || string(typ) != string(k.typ) {
		return dst, permanentf("key attribute %q has type %s, the key schema says %s", k.name, typ, k.typ)
	}
	// The length is known only after the text is decoded: room for it comes
	// first, and is written last.
	const lengthBytes = 4
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	var err error
	switch k.typ {
	case spec.String:
		dst, err = appendUnquoted(dst, text)
	case spec.Binary:
		dst, err = appendBinary(dst, text)
	case spec.Number:
		dst, err = appendNumber(dst, text)
	default:
		err = permanentf("key attribute %q: the key schema has the unknown type %q", k.name, k.typ)
	}
	if err != nil {
		return dst[:at], permanentf("key attribute %q of type %s cannot be read: %v", k.name, k.typ, err)
	}
	n := len(dst) - at - lengthBytes
	switch {
	case n == 0 && k.typ != spec.Number:
		return dst[:at], permanentf("key attribute %q is empty: a key value has at least 1 byte", k.name)
	case n > k.maxBytes:
		return dst[:at], permanentf("key attribute %q has %d bytes: this key takes at most %d", k.name, n, k.maxBytes)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n)) // #nosec G115 -- n is at most maxPartitionKeyBytes
	return dst, nil
}

// isAbsent reports whether a value counts as none where the key attribute or a part
// of it is wanted: object mappers write NULL or an empty value for "none". In a
// composite an empty value is a part like any other.
func (k *keyAttribute) isAbsent(value []byte) bool {
	if len(value) > len(`{"S":"`) && value[3] == '"' && value[4] == ':' && value[5] == '"' && value[6] != '"' {
		return false // one letter and a text, as nearly all are
	}
	typ, text, ok := scalar(value)
	if !ok {
		return string(typ) == "NULL"
	}
	return len(text) == len(`""`) && len(k.parts) == 1 && (string(typ) == "S" || string(typ) == "B")
}

// scalar splits {"S":"text"} into its type and its text, quotes included. It is
// not ok for a value that is not one string under one type descriptor; typ is
// then as far as it could be read. The value is known to be well-formed JSON.
func scalar(value []byte) (typ, text []byte, ok bool) {
	rest, ok := bytes.CutPrefix(value, []byte("{"))
	if !ok {
		return nil, nil, false
	}
	typ, rest, ok = cutString(rest)
	if !ok {
		return nil, nil, false
	}
	typ = typ[1 : len(typ)-1]
	rest, ok = bytes.CutPrefix(trimSpace(rest), []byte(":"))
	if !ok {
		return typ, nil, false
	}
	text, rest, ok = cutString(rest)
	if !ok {
		return typ, nil, false
	}
	return typ, text, len(trimSpace(rest)) == 1
}

// cutString cuts a JSON string with its quotes off the front of b.
func cutString(b []byte) (text, rest []byte, ok bool) {
	b = trimSpace(b)
	if len(b) == 0 || b[0] != '"' {
		return nil, b, false
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[:i+1], b[i+1:], true
		}
	}
	return nil, b, false
}

// trimSpace cuts JSON's white space off the front of b.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// appendUnquoted appends the value of a JSON string.
func appendUnquoted(dst, text []byte) ([]byte, error) {
	if bytes.IndexByte(text, '\\') < 0 {
		return append(dst, text[1:len(text)-1]...), nil
	}
	dst, err := jsontext.AppendUnquote(dst, text)
	if err != nil {
		return dst, permanentError("it is not a JSON string")
	}
	return dst, nil
}

// appendBinary appends the bytes of a base64 string.
func appendBinary(dst, text []byte) ([]byte, error) {
	at := len(dst)
	dst, err := appendUnquoted(dst, text)
	if err != nil {
		return dst, err
	}
	// Decoding in place is sound: base64 never writes past what it has read.
	n, err := base64.StdEncoding.Decode(dst[at:], dst[at:])
	if err != nil {
		return dst, permanentError("it is not base64")
	}
	return dst[:at+n], nil
}

// appendNumber appends the canonical form of a decimal number: sign, significant
// digits without zeros at either end, and the power of ten of the first digit.
// Equal numbers have equal forms. Zero is "0".
func appendNumber(dst, text []byte) ([]byte, error) {
	b := text[1 : len(text)-1]
	at := len(dst)
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			dst = append(dst, '-')
		}
		b = b[1:]
	}
	digitsAt := len(dst)
	exponent := 0 // power of ten of the first significant digit
	var sawDigit, sawPoint bool
	i := 0
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !sawPoint {
			sawPoint = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		sawDigit = true
		significant := len(dst) > digitsAt
		switch {
		case !sawPoint && (significant || c != '0'):
			exponent++
		case sawPoint && !significant && c == '0':
			exponent--
		}
		if significant || c != '0' {
			dst = append(dst, c)
		}
	}
	if !sawDigit {
		return dst, permanentError("it is not a decimal number")
	}
	if i < len(b) {
		if b[i] != 'e' && b[i] != 'E' {
			return dst, permanentError("it is not a decimal number")
		}
		// DynamoDB's exponents have at most three digits: Atoi cannot overflow on
		// a number that DynamoDB has stored.
		e, err := strconv.Atoi(string(b[i+1:]))
		if err != nil {
			return dst, permanentError("it is not a decimal number")
		}
		exponent += e
	}
	for len(dst) > digitsAt && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) == digitsAt {
		return append(dst[:at], '0'), nil
	}
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, int64(exponent), 10), nil
}

package dynamodbjson

import (
	"bytes"
	"encoding/base64"
	"errors"
)

// The functions of this file expect attribute values that a Reader has read: they are
// well-formed JSON.

// Scalar splits {"S":"text"} into its type and its text, including the quotes. ok is false
// for a value that is not one string under one type descriptor; typ is then the type as far
// as it could be read.
func Scalar(value []byte) (typ, text []byte, ok bool) {
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

// DescribeType returns a type for a message. It quotes none that DynamoDB does not have: that
// would be a part of an item.
func DescribeType(typ []byte) string {
	switch text := string(typ); text {
	case "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS":
		return text
	default:
		return "unknown"
	}
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
func trimSpace(b []byte) []byte { return b[skipSpace(b, 0):] }

// IsNull reports whether a value is NULL.
func IsNull(value []byte) bool {
	if len(value) > 3 && value[1] == '"' && value[3] == '"' {
		return false // a one-letter type
	}
	typ, _, ok := Scalar(value)
	return !ok && string(typ) == "NULL"
}

// IsEmpty reports whether a value is the empty string or empty binary.
func IsEmpty(value []byte) bool {
	// Nearly all values have a one-letter type and a text that is not empty.
	if len(value) > len(`{"S":"`) && value[3] == '"' && value[4] == ':' && value[5] == '"' && value[6] != '"' {
		return false
	}
	typ, text, ok := Scalar(value)
	return ok && len(text) == len(`""`) && (string(typ) == "S" || string(typ) == "B")
}

// Bool returns the text of a BOOL, true or false. It returns nil for every other value.
func Bool(value []byte) []byte { return member(value, "BOOL") }

// In returns the attribute value called name in a map, {"M":{"name":{"S":"text"}}}. It returns
// nil when there is none, or no map.
func In(value []byte, name string) []byte { return member(member(value, "M"), name) }

// member returns the value of an object's member called name. It returns nil when there is
// no such member, or no object.
func member(object []byte, name string) []byte {
	if len(object) == 0 || object[0] != '{' {
		return nil
	}

	for i := skipSpace(object, 1); object[i] == '"'; {
		nameEnd, at := skipName(object, i)
		end := skipValue(object, at, 0)
		if isText(object[i:nameEnd], name) {
			return object[at:end:end]
		}
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}

	return nil
}

// isText reports whether the text of a JSON string is text.
func isText(quoted []byte, text string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == text
	}
	unquoted, err := AppendUnquoted(nil, quoted)
	return err == nil && string(unquoted) == text
}

// AppendBinary appends the bytes of a base64 string in JSON.
func AppendBinary(dst, text []byte) ([]byte, error) {
	at := len(dst)
	dst, err := AppendUnquoted(dst, text)
	if err != nil {
		return dst, err
	}
	// Decoding in place is sound: base64 never writes past what it has read.
	n, err := base64.StdEncoding.Decode(dst[at:], dst[at:])
	if err != nil {
		return dst, errors.New("it is not base64")
	}

	return dst[:at+n], nil
}

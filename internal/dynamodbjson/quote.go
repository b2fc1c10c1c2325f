package dynamodbjson

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendUnquoted appends the text of a JSON string that a Reader has read. Half a surrogate
// pair is not a character: AppendUnquoted appends the replacement character in its place,
// and returns an error.
func AppendUnquoted(dst, quoted []byte) ([]byte, error) {
	rest := quoted[1 : len(quoted)-1]
	var err error
	for {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 {
			return append(dst, rest...), err
		}

		dst = append(dst, rest[:at]...)
		escaped := rest[at+1]
		rest = rest[at+2:]
		switch escaped {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			if r, rest = cutUnit(rest); utf16.IsSurrogate(r) {
				r, rest = pair(r, rest)
			}
			if r == halfPair {
				r, err = utf8.RuneError, errHalfPair
			}
			dst = utf8.AppendRune(dst, r)
		default: // a quote, a backslash or a slash
			dst = append(dst, escaped)
		}
	}
}

var errHalfPair = errors.New("it holds half a surrogate pair, which is not a character")

// halfPair is half a surrogate pair without its other half.
const halfPair = -1

// cutUnit cuts the four hexadecimal digits of an escape off the front of b.
func cutUnit(b []byte) (r rune, rest []byte) {
	const digits = 4
	n, _ := strconv.ParseUint(string(b[:digits]), 16, 16) // the Reader has checked the digits
	return rune(n), b[digits:]
}

// pair returns the character of first and the escape at the front of rest, or halfPair.
func pair(first rune, rest []byte) (r rune, after []byte) {
	if !bytes.HasPrefix(rest, []byte(`\u`)) {
		return halfPair, rest
	}

	second, after := cutUnit(rest[len(`\u`):])
	r = utf16.DecodeRune(first, second)
	if r == utf8.RuneError {
		return halfPair, rest
	}

	return r, after
}

// AppendQuoted appends text, which is valid UTF-8, as a JSON string. It escapes only the
// characters that JSON does not allow in a string.
func AppendQuoted[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(dst, '"')
}

// Quote returns text as a JSON string.
func Quote(text string) string { return string(AppendQuoted(nil, text)) }

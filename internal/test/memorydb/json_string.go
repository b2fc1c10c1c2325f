package memorydb

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string from its opening quote.
func (p *jsonParser) string() (string, error) {
	p.at++ // "
	start := p.at
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return string(p.text[start : p.at-1]), nil
		case c == '\\':
			return p.escapedString(string(p.text[start:p.at]))
		case c < ' ':
			return "", p.unexpected()
		}
	}

	return "", p.unexpected()
}

// escapedString reads the rest of a string, from its first escape.
func (p *jsonParser) escapedString(start string) (string, error) {
	text := []byte(start)
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return string(text), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
		case c < ' ':
			return "", p.unexpected()
		default:
			text = append(text, c)
			p.at++
		}
	}

	return "", p.unexpected()
}

// The characters that JSON escapes with one letter, and their letters.
const (
	escaped = "\"\\/\b\f\n\r\t"
	letters = `"\/bfnrt`
)

func (p *jsonParser) escape() (rune, error) {
	if p.at+1 < len(p.text) {
		if i := strings.IndexByte(letters, p.text[p.at+1]); i >= 0 {
			p.at += 2
			return rune(escaped[i]), nil
		}
	}
	r, ok := p.codeUnit()
	if !ok {
		return 0, p.unexpected()
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	second, ok := p.codeUnit()
	if r = utf16.DecodeRune(r, second); !ok || r == utf8.RuneError {
		return 0, malformed("half a surrogate pair before byte %d of JSON", p.at)
	}

	return r, nil
}

// codeUnit reads \u and four hexadecimal digits.
func (p *jsonParser) codeUnit() (rune, bool) {
	const length = len(`\u0000`)
	if len(p.text)-p.at < length || string(p.text[p.at:p.at+2]) != `\u` {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(p.text[p.at+2:p.at+length]), 16, 16)
	if err != nil {
		return 0, false
	}
	p.at += length

	return rune(unit), true
}

// appendQuoted appends a JSON string that escapes only what JSON requires.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c >= ' ' && c != '"' && c != '\\':
			dst = append(dst, c)
		case strings.IndexByte(escaped, c) >= 0:
			dst = append(dst, '\\', letters[strings.IndexByte(escaped, c)])
		default:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		}
	}

	return append(dst, '"')
}

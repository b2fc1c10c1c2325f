package dynamodbjson

import (
	"encoding/binary"
	"math/bits"
)

// The functions of this file read JSON as RFC 8259 defines it, with two exceptions that
// DynamoDB's own JSON needs: a name may appear twice in an object, and a string may hold
// text that is not valid Unicode. Each function receives the position where a part of the
// text begins and returns the position after it. For malformed JSON it returns the
// complement of the position of the fault, which is negative. The two shortcuts,
// skipScalar and skipPlainName, return 0 for anything that they do not read.
//
// Every byte of a stream record is read once, so this is where an invocation spends its
// time. A fuzz test checks that encoding/json accepts the same texts.

// maxDepth limits the nesting of arrays and objects. DynamoDB nests values 32 levels deep,
// and each of its levels is two of JSON's. The limit is far beyond that, and keeps a
// payload from exhausting the stack.
const maxDepth = 10_000

// skipSpace skips white space. Usually there is none.
func skipSpace(b []byte, i int) int {
	if i < len(b) && b[i] > ' ' {
		return i
	}
	return skipSomeSpace(b, i)
}

func skipSomeSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue skips a value that is nested depth levels deep.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return ^i
	}
	switch c := b[i]; c {
	case '"':
		return skipString(b, i)
	case '{', '[':
		if depth >= maxDepth {
			return ^i
		}
		if end := skipScalar(b, i); end > 0 {
			return end
		}
		return skipElements(b, i, depth+1)
	case 't':
		return skipLiteral(b, i, "true")
	case 'f':
		return skipLiteral(b, i, "false")
	case 'n':
		return skipLiteral(b, i, "null")
	default:
		return skipNumber(b, i)
	}
}

// skipScalar skips an attribute value with a one-letter type and a string, as nearly all
// are: {"S":"text"}. It returns 0 for everything else.
func skipScalar(b []byte, i int) int {
	const (
		pattern = `{"S":"` // the letter is masked
		mask    = 0xffffff00ffff
		want    = '{' | '"'<<8 | '"'<<24 | ':'<<32 | '"'<<40
	)
	if len(b)-i < 8 || binary.LittleEndian.Uint64(b[i:])&mask != want || b[i+2]-'A' > 'Z'-'A' {
		return 0
	}
	if i = skipString(b, i+len(pattern)-1); i <= 0 || i >= len(b) || b[i] != '}' {
		return 0
	}
	return i + 1
}

// skipElements skips an array or object.
func skipElements(b []byte, i, depth int) int {
	opening := b[i]
	closing := opening + 2 // '[' and ']', '{' and '}'
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == closing {
		return i + 1
	}
	for {
		if opening == '{' {
			if _, i = skipName(b, i); i < 0 {
				return i
			}
		}
		if i = skipValue(b, i, depth); i < 0 {
			return i
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return ^i
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case closing:
			return i + 1
		default:
			return ^i
		}
	}
}

// skipName skips a name with its colon. It returns the end of the name and the start of its
// value.
func skipName(b []byte, i int) (end, value int) {
	if value = skipPlainName(b, i); value > 0 {
		return value - 1, value
	}
	if i >= len(b) || b[i] != '"' {
		return 0, ^i
	}
	if end = skipString(b, i); end < 0 {
		return 0, end
	}
	if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
		return 0, ^i
	}
	return end, skipSpace(b, i+1)
}

// skipPlainName skips a name without escapes and its colon, if there is no white space
// around the colon. It returns the start of the value, which is 2 after the end of the
// name's text, or 0 for everything else.
func skipPlainName(b []byte, i int) (value int) {
	if i >= len(b) || b[i] != '"' {
		return 0
	}
	for i++; len(b)-i >= 10; i += 8 {
		found := special(binary.LittleEndian.Uint64(b[i:]))
		if found == 0 {
			continue
		}
		i += bits.TrailingZeros64(found) / 8
		if binary.LittleEndian.Uint16(b[i:]) == '"'|':'<<8 && b[i+2] > ' ' {
			return i + 2
		}
		break
	}
	return 0
}

// skipString skips a string, which begins with a quote.
func skipString(b []byte, i int) int {
	i++
	for {
		// Eight bytes at a time, up to the first one that ends the string, begins an escape
		// or is not allowed.
		if len(b)-i >= 8 {
			found := special(binary.LittleEndian.Uint64(b[i:]))
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		} else {
			for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
				i++
			}
			if i >= len(b) {
				return ^i
			}
		}
		if b[i] == '"' {
			return i + 1
		}
		if b[i] != '\\' {
			return ^i
		}
		if i = skipEscape(b, i); i < 0 {
			return i
		}
	}
}

// special returns the high bit of each byte of w that is a quote, a backslash or a control
// character: a byte below 0x80 for which a subtraction has to borrow. Only the lowest bit
// is reliable, because a borrow also changes the byte above. Flipping one bit moves the
// quote right after the control characters, so that one subtraction finds both.
func special(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	const flip = '"' ^ ' '
	return ((w ^ ones*flip - ones*(' '+1)) | (w ^ ones*'\\' - ones)) &^ w & highs
}

// skipEscape skips a backslash and what it escapes.
func skipEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return ^len(b)
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		const digits = 4
		for n := range digits {
			if at := i + 2 + n; at >= len(b) || !isHex(b[at]) {
				return ^at
			}
		}
		return i + 2 + digits
	default:
		return ^(i + 1)
	}
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func skipLiteral(b []byte, i int, literal string) int {
	if len(b)-i < len(literal) || string(b[i:i+len(literal)]) != literal {
		return ^i
	}
	return i + len(literal)
}

// skipNumber skips a number.
func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++ // a leading zero is the only digit
	} else if i = skipDigits(b, i); i < 0 {
		return i
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return i
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i
}

// skipDigits skips at least one digit.
func skipDigits(b []byte, i int) int {
	start := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == start {
		return ^i
	}
	return i
}

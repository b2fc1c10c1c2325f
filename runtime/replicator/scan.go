package replicator

import (
	"encoding/binary"
	"math/bits"
)

// The functions of this file read JSON as RFC 8259 defines it, with the two
// liberties that what DynamoDB writes needs: names may stand twice in an object,
// and strings may hold what is not valid Unicode. Each gets the position where
// something begins and returns the position behind it. For malformed JSON it
// returns the complement of the position where it is, which is negative.
//
// A stream record is read once and byte by byte, so this is where an invocation
// spends its time: "go test -bench Decode" compares it with a JSON library. A fuzz
// test holds it to what that library takes and refuses.

// maxDepth is how deep arrays and objects nest. DynamoDB nests values 32 levels
// deep, each of which is two of JSON's; far beyond that, the bound keeps a payload
// from exhausting the stack.
const maxDepth = 10_000

// skipSpace skips white space, of which there is none as a rule.
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

// skipName skips a name with its colon. It returns where the name ends and where
// its value begins.
func skipName(b []byte, i int) (end, value int) {
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

// skipString skips a string, which begins with a quote.
func skipString(b []byte, i int) int {
	i++
	for {
		// Eight bytes at a time, up to the first that ends the string, begins an
		// escape or must not be there.
		for len(b)-i >= 8 {
			if found := special(binary.LittleEndian.Uint64(b[i:])); found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
			i++
		}
		if i >= len(b) || b[i] < ' ' {
			return ^i
		}
		if b[i] == '"' {
			return i + 1
		}
		if i = skipEscape(b, i); i < 0 {
			return i
		}
	}
}

// special returns the high bit of each byte of w that is a quote, a backslash or a
// control character: a byte below 0x80 from which a subtraction has to borrow. Bits
// above the lowest one may be wrong, as it borrows from the byte above.
func special(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	return ((w - ones*' ') | (w ^ ones*'"' - ones) | (w ^ ones*'\\' - ones)) &^ w & highs
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
		i++ // no digit follows a zero that comes first
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

package dynamodbjson

import (
	"bytes"
	"errors"
	"strconv"
)

var errNotDecimal = errors.New("it is not a decimal number")

// AppendCanonicalNumber appends the canonical form of a decimal number, which text holds as
// a JSON string: the sign, the significant digits without zeros at either end, and the
// power of ten of the first digit. Equal numbers have equal forms. Zero is "0".
func AppendCanonicalNumber(dst, text []byte) ([]byte, error) {
	b := text[1 : len(text)-1]
	at := len(dst)
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			dst = append(dst, '-')
		}
		b = b[1:]
	}

	digitsAt := len(dst)
	dst, exponent, length := appendDigits(dst, b)
	if length == 0 {
		return dst, errNotDecimal
	}
	if b = b[length:]; len(b) > 0 {
		if b[0] != 'e' && b[0] != 'E' {
			return dst, errNotDecimal
		}
		// DynamoDB's exponents have at most three digits: Atoi cannot overflow on a stored
		// number.
		e, err := strconv.Atoi(string(b[1:]))
		if err != nil {
			return dst, errNotDecimal
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

// appendDigits appends the digits at the front of b, without leading zeros and without the
// point. It returns the power of ten of the first one, and the length of the text that it
// has read: 0 when there is no digit.
func appendDigits(dst, b []byte) (out []byte, exponent, length int) {
	digitsAt := len(dst)
	var sawDigit, sawPoint bool
	for ; length < len(b); length++ {
		c := b[length]
		if c == '.' && !sawPoint {
			sawPoint = true
			continue
		}
		if !isDigit(c) {
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
		return dst, 0, 0
	}

	return dst, exponent, length
}

// Limits of DynamoDB's numbers: the powers of ten of the first digit, and the number of
// digits. Source: Amazon DynamoDB Developer Guide, "Supported data types and naming
// rules", numbers.
const (
	MinExponent = -130
	MaxExponent = 125
	MaxDigits   = 38
)

// AppendPlainNumber appends a number, which text holds as a JSON string, in plain decimal
// notation: without an exponent, a plus sign, or an unnecessary zero. Equal numbers have
// equal texts.
func AppendPlainNumber(dst, text []byte) ([]byte, error) {
	at := len(dst)
	dst, err := AppendCanonicalNumber(dst, text)
	if err != nil {
		return dst, err
	}

	digits, power, found := bytes.Cut(dst[at:], []byte("e"))
	if !found {
		return dst, nil // zero
	}
	// AppendCanonicalNumber has written it: the number is 0.digits times ten to this power.
	exponent, _ := strconv.Atoi(string(power))
	if exponent-1 < MinExponent || exponent-1 > MaxExponent {
		return dst[:at], errors.New("it is a number out of DynamoDB's range")
	}

	var plain [len("-0.") + MaxExponent - MinExponent + MaxDigits]byte
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

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

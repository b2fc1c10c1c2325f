package memorydb

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// The bounds of a DynamoDB number. Source: DynamoDB Developer Guide, "Supported data
// types": 38 digits of precision, magnitudes from 1E-130 to 9.99…E+125.
const (
	maxDigits      = 38
	maxPowerOfTen  = 125
	minPowerOfTen  = -130
	exponentDigits = 9 // longer ones are far outside of the bounds, and could overflow an int
)

// number is an exact decimal: 0.digits × 10^exponent. digits has no zero at
// either end, so equal numbers are equal structs. Zero has no digits.
type number struct {
	negative bool
	digits   string
	exponent int
}

// parseNumber reads a decimal with an optional sign, point and exponent.
func parseNumber(text string) (number, error) {
	var n number
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	mantissa, power := rest, ""
	if at := strings.IndexAny(rest, "eE"); at >= 0 {
		mantissa, power = rest[:at], rest[at+1:]
		if !isExponent(power) {
			return number{}, notANumber(text)
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return number{}, notANumber(text)
	}
	significant := strings.TrimLeft(digits, "0")
	n.exponent = len(whole) - (len(digits) - len(significant)) + exponent(power)
	n.digits = strings.TrimRight(significant, "0")
	switch {
	case n.digits == "":
		return number{}, nil
	case len(n.digits) > maxDigits:
		return number{}, invalid("Attempting to store more than 38 significant digits in a Number")
	case n.exponent-1 > maxPowerOfTen:
		return number{}, invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.exponent-1 < minPowerOfTen:
		return number{}, invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return n, nil
}

func notANumber(text string) error {
	return invalid("The parameter cannot be converted to a numeric value: %s", text)
}

func isExponent(text string) bool {
	if text != "" && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// exponent returns the value of an exponent, or one that no digits can bring
// back into the bounds of a number when it is too long for an int.
func exponent(text string) int {
	if text == "" {
		return 0
	}
	negative := text[0] == '-'
	digits := strings.TrimLeft(text, "+-0")
	if len(digits) > exponentDigits {
		digits = strconv.Itoa(math.MaxInt32)
	}
	value, _ := strconv.Atoi("0" + digits) // only digits, and few
	if negative {
		return -value
	}
	return value
}

// compare orders numbers by value.
func (n number) compare(other number) int {
	sign, otherSign := n.sign(), other.sign()
	if sign != otherSign || sign == 0 {
		return cmp.Compare(sign, otherSign)
	}
	// Without zeros at the front, the longer whole part is the larger one; after
	// the same power of ten, digits order like text.
	magnitude := cmp.Or(cmp.Compare(n.exponent, other.exponent), strings.Compare(n.digits, other.digits))
	return sign * magnitude
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

// String is the form in which DynamoDB returns a number: no exponent, no
// superfluous zero. Equal numbers have the same text.
func (n number) String() string {
	var text string
	switch {
	case n.digits == "":
		return "0"
	case n.exponent <= 0:
		text = "0." + strings.Repeat("0", -n.exponent) + n.digits
	case n.exponent >= len(n.digits):
		text = n.digits + strings.Repeat("0", n.exponent-len(n.digits))
	default:
		text = n.digits[:n.exponent] + "." + n.digits[n.exponent:]
	}
	if n.negative {
		return "-" + text
	}
	return text
}

// size is what the number adds to its item's size: a byte for two digits of the
// base-100 form, one more for the exponent, one more for a minus sign. The
// developer guide calls its own formula ("Item sizes and formats")
// approximate; this one is what DynamoDB Local counts.
func (n number) size() int {
	if n.digits == "" {
		return 1
	}
	digits := len(n.digits)
	if n.exponent%2 != 0 { // the first digit is alone in its pair
		digits++
	}
	size := 1 + (digits+1)/2
	if n.negative {
		size++
	}
	return size
}

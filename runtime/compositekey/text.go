package compositekey

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// Limits of DynamoDB's numbers: significant digits, and the powers of ten of the
// first of them. Source: Amazon DynamoDB Developer Guide, "Supported data types and
// naming rules".
const (
	maxDigits = 38
	minPower  = -130
	maxPower  = 125
)

// Number returns the text of a number attribute: plain decimal notation without an
// exponent, a plus sign or superfluous zeros. It takes a number as DynamoDB does, so
// "100", "1e2" and "+100.0" all have the text "100".
//
// Anything else, and a number that DynamoDB cannot hold, is an error.
func Number(decimal string) (string, error) {
	sign, digits, point, err := parseDecimal(decimal)
	if err != nil {
		return "", err
	}
	if digits == "" {
		return "0", nil
	}
	if len(digits) > maxDigits || point-1 < minPower || point-1 > maxPower {
		return "", errors.New("compositekey: DynamoDB has no such number: " +
			"it has too many digits, or is too large or too small")
	}

	switch {
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits, nil
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits)), nil
	default:
		return sign + digits[:point] + "." + digits[point:], nil
	}
}

// parseDecimal returns a number's sign, "-" or nothing, its significant digits, which
// zero has none of, and how many digits stand before the decimal point: the number is
// 0.digits times ten to the power of point.
func parseDecimal(decimal string) (sign, digits string, point int, err error) {
	notDecimal := errors.New("compositekey: it is not a decimal number")
	mantissa := decimal
	if at := strings.IndexAny(decimal, "eE"); at >= 0 {
		mantissa = decimal[:at]
		if point, err = strconv.Atoi(decimal[at+1:]); err != nil {
			return "", "", 0, notDecimal
		}
	}

	unsigned, negative := strings.CutPrefix(mantissa, "-")
	if negative {
		sign = "-"
	} else {
		unsigned = strings.TrimPrefix(mantissa, "+")
	}
	whole, fraction, _ := strings.Cut(unsigned, ".")
	all := whole + fraction
	if all == "" || strings.Trim(all, "0123456789") != "" {
		return "", "", 0, notDecimal
	}

	digits = strings.TrimLeft(all, "0")
	point += len(whole) - (len(all) - len(digits))
	return sign, strings.TrimRight(digits, "0"), point, nil
}

// Binary returns the text of a binary attribute: its base64, with padding.
func Binary(value []byte) string {
	return base64.StdEncoding.EncodeToString(value)
}

package dynamodbjson

import (
	"bytes"
	"fmt"
)

// MaxItemBytes is the largest size of an item, as ItemSize counts it. Source: Amazon DynamoDB
// Developer Guide, "Quotas in Amazon DynamoDB", item size.
const MaxItemBytes = 400 << 10

// ItemSize returns the size of an item by DynamoDB's rules, which is never more than the length of its
// JSON. Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats": names and strings
// in UTF-8, binaries as they are, one byte for BOOL and NULL, three for a list or map and one for each of
// its elements. What it says about numbers is approximate: they are counted as DynamoDB Local does. A
// type that does not exist today is an error.
func ItemSize(item []byte) (int, error) {
	size := 0
	err := eachMember(item, func(name, value []byte) error {
		n, err := valueSize(value)
		size += len(name) + n
		return err
	})

	return size, err
}

func valueSize(value []byte) (size int, err error) {
	err = eachMember(value, func(typ, content []byte) error {
		size, err = contentSize(string(typ), content)
		return err
	})
	return size, err
}

// contentSize is the size of what follows a type descriptor.
func contentSize(typ string, content []byte) (int, error) {
	switch typ {
	case "S", "N", "B":
		return textSize(typ, content)
	case "BOOL", "NULL":
		return 1, nil
	case "SS", "NS", "BS":
		_, size, err := elementsSize(content, func(element []byte) (int, error) { return contentSize(typ[:1], element) })
		return size, err
	case "L":
		n, size, err := elementsSize(content, valueSize)
		return 3 + n + size, err
	case "M":
		size := 3
		err := eachMember(content, func(name, value []byte) error {
			n, err := valueSize(value)
			size += 1 + len(name) + n
			return err
		})
		return size, err
	default:
		return 0, fmt.Errorf("the size of a value of type %q is not known", typ)
	}
}

// elementsSize returns the number of an array's elements, and their sizes together.
func elementsSize(array []byte, elementSize func(element []byte) (int, error)) (n, size int, err error) {
	if len(array) == 0 || array[0] != '[' {
		return 0, 0, errNoValue
	}

	for i := skipSpace(array, 1); array[i] != ']'; n++ {
		end := skipValue(array, i, 0)
		one, err := elementSize(array[i:end])
		if err != nil {
			return 0, 0, err
		}
		size += one
		if i = skipSpace(array, end); array[i] == ',' {
			i = skipSpace(array, i+1)
		}
	}

	return n, size, nil
}

// textSize is the size of a string, a number or binary.
func textSize(typ string, text []byte) (int, error) {
	if len(text) == 0 || text[0] != '"' {
		return 0, errNoValue
	}

	switch typ {
	case "S":
		characters, err := AppendUnquoted(nil, text)
		return len(characters), err
	case "N":
		return numberSize(text)
	default:
		binary, err := AppendBinary(nil, text)
		return len(binary), err
	}
}

// numberSize is a byte for two digits of the number to the base 100, one for its exponent, and one for a
// minus sign.
func numberSize(text []byte) (int, error) {
	canonical, err := AppendCanonicalNumber(nil, text)
	if err != nil {
		return 0, err
	}
	digits, power, found := bytes.Cut(canonical, []byte("e"))
	if !found {
		return 1, nil // zero
	}

	size := 1
	if digits[0] == '-' {
		digits = digits[1:]
		size++
	}
	n := len(digits)
	if isOdd := (power[len(power)-1]-'0')%2 == 1; isOdd {
		n++ // the first digit is alone in its pair
	}

	return size + (n+1)/2, nil
}

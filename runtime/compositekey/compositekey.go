package compositekey

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const escape = `\`

// Join returns the key value that these parts make.
//
// With the first parts only, of which the last may be incomplete, the value is what
// the values of all items begin with that have these parts: Join("#", "Albany", "an")
// begins the value of every user in Albany whose email begins with "an".
//
// Join does not check that DynamoDB can hold the value: a partition key has at most
// 2,048 bytes, a sort key 1,024, and both are UTF-8.
//
// It panics unless the separator is one character other than a backslash.
func Join(separator string, parts ...string) string {
	checkSeparator(separator)
	escaped := make([]string, len(parts))
	for i, part := range parts {
		part = strings.ReplaceAll(part, escape, escape+escape)
		escaped[i] = strings.ReplaceAll(part, separator, escape+separator)
	}

	return strings.Join(escaped, separator)
}

// Prefix returns what the key values begin with that have exactly these first parts:
// the joined parts and a separator. Prefix("#", "Albany") begins the value of every
// user in Albany, and of no user in "Albany Park". Without parts it is empty.
//
// It panics unless the separator is one character other than a backslash.
func Prefix(separator string, parts ...string) string {
	return Join(separator, append(parts[:len(parts):len(parts)], "")...)
}

// Split returns the parts of a key value. It is the inverse of [Join].
//
// A value that no parts make is an error: a backslash in it stands before anything
// but a separator or a backslash. The error's text does not repeat the value.
//
// It panics unless the separator is one character other than a backslash.
func Split(separator, key string) ([]string, error) {
	checkSeparator(separator)
	var parts []string
	var part strings.Builder

	for key != "" {
		if rest, found := strings.CutPrefix(key, separator); found {
			parts = append(parts, part.String())
			part.Reset()
			key = rest
			continue
		}
		size := 1
		if rest, found := strings.CutPrefix(key, escape); found {
			if !strings.HasPrefix(rest, escape) && !strings.HasPrefix(rest, separator) {
				return nil, errors.New("compositekey: a backslash stands before neither a separator nor a backslash")
			}
			_, size = utf8.DecodeRuneInString(rest)
			key = rest
		}
		part.WriteString(key[:size])
		key = key[size:]
	}

	return append(parts, part.String()), nil
}

func checkSeparator(separator string) {
	if !utf8.ValidString(separator) || utf8.RuneCountInString(separator) != 1 || separator == escape {
		panic(fmt.Sprintf("compositekey: the separator %q is not one character other than a backslash", separator))
	}
}

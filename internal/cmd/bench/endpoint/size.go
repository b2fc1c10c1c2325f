package endpoint

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ItemBytes returns the size of an item, a JSON object of attribute values.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats".
func ItemBytes(item []byte) (int, error) {
	var a attributes
	if err := json.Unmarshal(item, &a); err != nil {
		return 0, fmt.Errorf("read an item: %w", err)
	}
	return a.size()
}

func (a attributes) size() (int, error) {
	size := 0
	for name, value := range a {
		n, err := valueBytes(value)
		if err != nil {
			return 0, err
		}
		size += len(name) + n
	}
	return size, nil
}

// documentBytes is the overhead of a list or map, and elementBytes that of each
// of its elements.
const (
	documentBytes = 3
	elementBytes  = 1
)

// valueBytes returns the size of one attribute value.
func valueBytes(value map[string]json.RawMessage) (int, error) {
	for typ, content := range value { // there is one
		switch typ {
		case "BOOL", "NULL":
			return 1, nil
		case "S", "N", "B":
			var text string
			err := json.Unmarshal(content, &text)
			return scalarBytes(typ, text), err
		case "SS", "NS", "BS":
			var texts []string
			err := json.Unmarshal(content, &texts)
			size := 0
			for _, text := range texts {
				size += scalarBytes(typ[:1], text)
			}
			return size, err
		case "M":
			var members attributes
			if err := json.Unmarshal(content, &members); err != nil {
				return 0, err
			}
			size, err := members.size()
			return documentBytes + elementBytes*len(members) + size, err
		case "L":
			var elements []map[string]json.RawMessage
			if err := json.Unmarshal(content, &elements); err != nil {
				return 0, err
			}
			size := documentBytes + elementBytes*len(elements)
			for _, element := range elements {
				n, err := valueBytes(element)
				if err != nil {
					return 0, err
				}
				size += n
			}
			return size, nil
		default:
			return 0, fmt.Errorf("an attribute value has the type %q, which has no known size", typ)
		}
	}
	return 0, fmt.Errorf("an attribute value has no type")
}

// scalarBytes returns the size of a string, a number or, in base64, bytes.
func scalarBytes(typ, text string) int {
	switch typ {
	case "N":
		// "Approximately": one byte for two significant digits, and one more.
		digits := strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(text), "0")
		return (len(digits)+1)/2 + 1
	case "B":
		return len(strings.TrimRight(text, "=")) * 3 / 4
	default:
		return len(text)
	}
}

package memorydb

import (
	"encoding/base64"
	"slices"
)

// maxNesting is how deep values may be nested. Source: DynamoDB Developer Guide,
// "Quotas": 32 levels. The value of an item's attribute is at level 1, and a list
// or map, even an empty one, cannot be at the last level.
const maxNesting = 32

// maxName is the longest attribute name, in bytes. Source: DynamoDB Developer
// Guide, "Quotas".
const maxName = 64<<10 - 1

// readAttributes reads the members of an item or of a map, whose values are at the
// level of nesting.
func readAttributes(v any, level int) (attributes, error) {
	o, ok := v.(object)
	if !ok {
		return nil, malformed("a map of attribute values is not an object")
	}

	read := make(attributes, len(o)) // not nil: present
	for i, m := range o {
		if err := checkName(m.name); err != nil {
			return nil, err
		}
		v, err := readValue(m.value, level)
		if err != nil {
			return nil, err
		}
		read[i] = attribute{m.name, v}
	}

	return read, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return invalid("Empty attribute name")
	case len(name) > maxName:
		return invalid("Attribute name is too large, must be less than %d bytes", maxName+1)
	default:
		return nil
	}
}

// readValue reads {"type": content} at a level of nesting. Like DynamoDB, it
// ignores members whose name is not a type and those that are null.
func readValue(v any, level int) (value, error) {
	if v == nil {
		return value{}, invalid("The supplied item contains a null AttributeValue")
	}
	o, ok := v.(object)
	if !ok {
		return value{}, malformed("an attribute value is not an object")
	}

	var read value
	for _, m := range o {
		if m.value == nil || !slices.Contains(types, m.name) {
			continue
		}
		if read.typ != "" {
			return value{}, invalid("Supplied AttributeValue has more than one datatypes set, " +
				"must contain exactly one of the supported datatypes")
		}
		var err error
		if read, err = readContent(m.name, m.value, level); err != nil {
			return value{}, err
		}
	}
	if read.typ == "" {
		return value{}, invalid("Supplied AttributeValue is empty, " +
			"must contain exactly one of the supported datatypes")
	}

	return read, nil
}

func readContent(typ string, content any, level int) (value, error) {
	if (typ == "M" || typ == "L") && level >= maxNesting {
		return value{}, invalid("Nesting Levels have exceeded supported limits: " +
			"Attributes in the item have nested levels beyond supported limit")
	}

	v := value{typ: typ}
	var err error
	switch typ {
	case "S", "N", "B":
		return readScalar(typ, content)
	case "BOOL", "NULL":
		return readLiteral(typ, content)
	case "M":
		v.members, err = readAttributes(content, level+1)
	case "L":
		v.elements, err = readElements(content, func(e any) (value, error) { return readValue(e, level+1) })
	default:
		v.elements, err = readElements(content, func(e any) (value, error) { return readScalar(typ[:1], e) })
		if err == nil {
			err = v.checkSet()
		}
	}

	return v, err
}

func readScalar(typ string, content any) (value, error) {
	text, ok := content.(string)
	if !ok {
		return value{}, malformed("the content of %s is not a string", typ)
	}

	v := value{typ: typ, text: text}
	switch typ {
	case "N":
		n, err := parseNumber(text)
		if err != nil {
			return value{}, err
		}
		v.number, v.text = &n, n.String()
	case "B":
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return value{}, malformed("%q is not base64", text)
		}
		v.text = string(bytes)
	}

	return v, nil
}

func readLiteral(typ string, content any) (value, error) {
	is, ok := content.(bool)
	switch {
	case !ok:
		return value{}, malformed("the content of %s is not a Boolean", typ)
	case is:
		return value{typ: typ, text: "true"}, nil
	case typ == "NULL":
		return value{}, invalid("One or more parameter values were invalid: " +
			"Null attribute value types must have the value of true")
	default:
		return value{typ: typ, text: "false"}, nil
	}
}

func readElements(content any, read func(any) (value, error)) ([]value, error) {
	list, ok := content.([]any)
	if !ok {
		return nil, malformed("the elements of a list or set are not a list")
	}

	elements := make([]value, len(list))
	for i, e := range list {
		var err error
		if elements[i], err = read(e); err != nil {
			return nil, err
		}
	}

	return elements, nil
}

// checkSet sorts a set. It refuses an empty one and one with an element twice.
func (v value) checkSet() error {
	if len(v.elements) == 0 {
		return invalid("One or more parameter values were invalid: An %s set  may not be empty",
			map[string]string{"SS": "string", "NS": "number", "BS": "binary"}[v.typ])
	}
	slices.SortFunc(v.elements, value.compare)
	for i := 1; i < len(v.elements); i++ {
		if v.elements[i].compare(v.elements[i-1]) == 0 {
			return invalid("One or more parameter values were invalid: Input collection contains duplicates.")
		}
	}

	return nil
}

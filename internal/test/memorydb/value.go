package memorydb

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNesting is how deep values may be nested, from the developer guide,
// "Quotas": 32 levels. The value of an item's attribute is at level 1, and a
// list or map, even an empty one, cannot be at the last level.
const maxNesting = 32

// maxName is the longest attribute name, in bytes, from the developer guide,
// "Quotas".
const maxName = 64<<10 - 1

// value is one attribute value.
type value struct {
	typ string // "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS" or "BS"
	// text is a string's characters, a number's normal form, a binary's bytes, or
	// the JSON literal of BOOL and NULL.
	text     string
	number   *number // of N
	elements []value // of L and of the sets, which are sorted
	members  attributes
}

// attribute is a value and its name.
type attribute struct {
	name  string
	value value
}

// attributes are the attributes of an item or of a map, sorted by name.
type attributes []attribute

func (a attributes) find(name string) (*value, bool) {
	at, found := slices.BinarySearchFunc(a, name, func(a attribute, name string) int { return strings.Compare(a.name, name) })
	if !found {
		return nil, false
	}
	return &a[at].value, true
}

// UnmarshalJSONFrom reads an item or a key.
func (a *attributes) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var err error
	*a, err = readAttributes(d, 1)
	return err
}

// readAttributes reads the members of an item or of a map, whose values are at
// the given level of nesting. JSON with the same name twice is a syntax error of the decoder;
// what DynamoDB makes of it is not documented.
func readAttributes(d *jsontext.Decoder, level int) (attributes, error) {
	if d.PeekKind() != '{' {
		return nil, unexpected(d, "a map of attribute values")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	read := make(attributes, 0, 4) // not nil: present
	for d.PeekKind() != '}' {
		name, err := readString(d)
		if err != nil {
			return nil, err
		}
		if err := checkName(name); err != nil {
			return nil, err
		}
		v, err := readValue(d, level)
		if err != nil {
			return nil, err
		}
		read = append(read, attribute{name, v})
	}
	if !slices.IsSortedFunc(read, byName) {
		slices.SortFunc(read, byName)
	}
	_, err := d.ReadToken()
	return read, err
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

func byName(a, b attribute) int { return strings.Compare(a.name, b.name) }

// UnmarshalJSONFrom reads a value of a condition.
func (v *value) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var err error
	*v, err = readValue(d, 1)
	return err
}

// readValue reads {"type": content} at a level of nesting. As DynamoDB does, it ignores members that
// are no type or null.
func readValue(d *jsontext.Decoder, level int) (value, error) {
	switch d.PeekKind() {
	case '{':
	case 'n':
		return value{}, invalid("The supplied item contains a null AttributeValue")
	default:
		return value{}, unexpected(d, "an attribute value")
	}
	if _, err := d.ReadToken(); err != nil {
		return value{}, err
	}
	var v value
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return value{}, err
		}
		typ := typeOf(name)
		if typ == "" || d.PeekKind() == 'n' {
			if err := d.SkipValue(); err != nil {
				return value{}, err
			}
			continue
		}
		if v.typ != "" {
			return value{}, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		v.typ = typ
		if err := v.readContent(d, level); err != nil {
			return value{}, err
		}
	}
	if v.typ == "" {
		return value{}, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	_, err := d.ReadToken()
	return v, err
}

// typeOf returns the type with the given JSON name, or "".
func typeOf(name jsontext.Value) string {
	for _, typ := range [...]string{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"} {
		if len(name) == len(typ)+len(`""`) && string(name[1:len(name)-1]) == typ {
			return typ
		}
	}
	return ""
}

func (v *value) readContent(d *jsontext.Decoder, level int) error {
	if (v.typ == "M" || v.typ == "L") && level >= maxNesting {
		return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
	}
	var err error
	switch v.typ {
	case "S", "N", "B":
		*v, err = readScalar(d, v.typ)
	case "BOOL", "NULL":
		if kind := d.PeekKind(); kind != 't' && kind != 'f' {
			return unexpected(d, "a Boolean")
		}
		var token jsontext.Token
		if token, err = d.ReadToken(); err != nil {
			return err
		}
		v.text = token.String()
		if v.typ == "NULL" && !token.Bool() {
			return invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
	case "M":
		v.members, err = readAttributes(d, level+1)
	case "L":
		v.elements, err = readElements(d, func() (value, error) { return readValue(d, level+1) })
	default:
		v.elements, err = readElements(d, func() (value, error) { return readScalar(d, v.typ[:1]) })
		if err == nil {
			err = v.checkSet()
		}
	}
	return err
}

func readScalar(d *jsontext.Decoder, typ string) (value, error) {
	text, err := readString(d)
	if err != nil {
		return value{}, err
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

func readString(d *jsontext.Decoder) (string, error) {
	if d.PeekKind() != '"' {
		return "", unexpected(d, "a string")
	}
	token, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

func readElements(d *jsontext.Decoder, read func() (value, error)) ([]value, error) {
	if d.PeekKind() != '[' {
		return nil, unexpected(d, "a list")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var elements []value
	for d.PeekKind() != ']' {
		element, err := read()
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	_, err := d.ReadToken()
	return elements, err
}

// unexpected says that the next JSON value is not of the kind that is needed, or
// what else is wrong with it.
func unexpected(d *jsontext.Decoder, want string) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	return malformed("%s is not %s", d.StackPointer(), want)
}

// checkSet sorts a set and refuses an empty one and one with an element twice.
func (v *value) checkSet() error {
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

// compare orders two values of one type S, N or B: strings and binaries by their
// bytes, numbers by value.
func (v value) compare(other value) int {
	if v.typ == "N" {
		return v.number.compare(*other.number)
	}
	return strings.Compare(v.text, other.text)
}

// equal reports whether two values have the same type and content. The order of
// a set's elements and of a map's members is not content.
func (v value) equal(other value) bool {
	return v.typ == other.typ && v.text == other.text &&
		slices.EqualFunc(v.elements, other.elements, value.equal) &&
		slices.EqualFunc(v.members, other.members, func(a, b attribute) bool { return a.name == b.name && a.value.equal(b.value) })
}

// size is what the value adds to its item's size. From the developer guide,
// "Item sizes and formats": strings in UTF-8, binaries as they are, one byte for
// BOOL and NULL, three for a list or map and one for each of its elements.
func (v value) size() int {
	switch v.typ {
	case "N":
		return v.number.size()
	case "BOOL", "NULL":
		return 1
	case "M":
		return 3 + len(v.members) + v.members.size()
	case "L":
		size := 3 + len(v.elements)
		for _, element := range v.elements {
			size += element.size()
		}
		return size
	default:
		size := len(v.text)
		for _, element := range v.elements {
			size += element.size()
		}
		return size
	}
}

// size is the size of an item with these attributes.
func (a attributes) size() int {
	size := 0
	for i := range a {
		size += len(a[i].name) + a[i].value.size()
	}
	return size
}

// append appends the canonical JSON of the attributes.
func (a attributes) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range a {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, a[i].name)
		dst = append(dst, ':')
		dst = a[i].value.append(dst)
	}
	return append(dst, '}')
}

func (v value) append(dst []byte) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, v.typ...)
	dst = append(dst, `":`...)
	switch v.typ {
	case "M":
		dst = v.members.append(dst)
	case "L":
		dst = v.appendElements(dst, value.append)
	case "SS", "NS", "BS":
		dst = v.appendElements(dst, value.appendContent)
	default:
		dst = v.appendContent(dst)
	}
	return append(dst, '}')
}

func (v value) appendElements(dst []byte, appendElement func(value, []byte) []byte) []byte {
	dst = append(dst, '[')
	for i := range v.elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendElement(v.elements[i], dst)
	}
	return append(dst, ']')
}

// appendContent appends what stands behind the type of a value without parts.
func (v value) appendContent(dst []byte) []byte {
	switch v.typ {
	case "S":
		return appendQuoted(dst, v.text)
	case "B":
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.text))
		return append(dst, '"')
	case "N":
		dst = append(dst, '"')
		dst = append(dst, v.text...)
		return append(dst, '"')
	default: // BOOL, NULL
		return append(dst, v.text...)
	}
}

func appendQuoted(dst []byte, text string) []byte {
	// It fails only for invalid UTF-8, which the decoder has refused.
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}

package memorydb

import (
	"slices"
	"strings"
)

// value is one attribute value.
type value struct {
	typ string // one of types
	// text is a string's characters, a number's normal form, a binary's bytes, or
	// the JSON of BOOL and NULL.
	text     string
	number   *number // of N
	elements []value // of L and of the sets, which are sorted
	members  attributes
}

// types are the types of attribute values, as JSON names them.
var types = []string{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}

// attribute is a value and its name.
type attribute struct {
	name  string
	value value
}

// attributes are the attributes of an item or of a map, sorted by name.
type attributes []attribute

func (a attributes) find(name string) (*value, bool) {
	at, found := a.search(name)
	if !found {
		return nil, false
	}

	return &a[at].value, true
}

// search returns where an attribute is, or where it would be.
func (a attributes) search(name string) (at int, found bool) {
	return slices.BinarySearchFunc(a, name, func(a attribute, name string) int {
		return strings.Compare(a.name, name)
	})
}

// with returns a copy with one attribute set.
func (a attributes) with(name string, v value) attributes {
	at, found := a.search(name)
	if found {
		a = slices.Clone(a)
		a[at].value = v
		return a
	}
	return slices.Insert(slices.Clone(a), at, attribute{name, v})
}

// without returns a copy without one attribute.
func (a attributes) without(name string) attributes {
	at, found := a.search(name)
	if !found {
		return a
	}
	return slices.Delete(slices.Clone(a), at, at+1)
}

// compare orders two values of one type S, N or B: strings and binaries by their
// bytes, numbers by value.
func (v value) compare(other value) int {
	if v.typ == "N" {
		return v.number.compare(*other.number)
	}

	return strings.Compare(v.text, other.text)
}

// equal reports whether two values have the same type and content. The order of a
// set's elements and of a map's members does not matter.
func (v value) equal(other value) bool {
	return v.typ == other.typ && v.text == other.text &&
		slices.EqualFunc(v.elements, other.elements, value.equal) &&
		slices.EqualFunc(v.members, other.members, attribute.equal)
}

func (a attribute) equal(other attribute) bool {
	return a.name == other.name && a.value.equal(other.value)
}

// size is the size of an item with these attributes.
func (a attributes) size() int {
	size := 0
	for i := range a {
		size += len(a[i].name) + a[i].value.size()
	}

	return size
}

// size is how much the value adds to its item's size. Source: DynamoDB Developer
// Guide, "Item sizes and formats": strings in UTF-8, binaries as they are, one byte
// for BOOL and NULL, three for a list or map and one for each of its elements.
func (v value) size() int {
	switch v.typ {
	case "N":
		return v.number.size()
	case "BOOL", "NULL":
		return 1
	case "M":
		return 3 + len(v.members) + v.members.size()
	case "L":
		return 3 + len(v.elements) + v.elementsSize()
	default:
		return len(v.text) + v.elementsSize()
	}
}

func (v value) elementsSize() int {
	size := 0
	for _, element := range v.elements {
		size += element.size()
	}

	return size
}

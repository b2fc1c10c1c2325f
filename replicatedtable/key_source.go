package replicatedtable

import (
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// KeySource says what a target key attribute is derived from. Only the functions
// KeySource_Attribute and KeySource_Composite create one.
//
// They name attributes like [Condition]: a name is that of a top-level attribute,
// and a dot leads into a map, as in "address.city". But the full name of a source
// key attribute means that attribute, even if it contains dots. An item without one
// of these attributes has no target item.
type KeySource interface {
	toSpec(source spec.KeySchema) spec.KeySource
}

// KeySource_Attribute is one attribute of the source item. Its value must have the
// type of the target key attribute. If it has another type, the change goes to the
// failure queue.
func KeySource_Attribute(attribute *string) KeySource {
	return keySource{Parts: [][]string{toPath(attribute)}}
}

// KeySource_Composite joins at least two attributes of the source item into one
// string, with separator between them: "city#email". The target key attribute has
// type STRING.
//
// Strings are joined as they are, numbers in decimal notation without an exponent
// or superfluous zeros, binary as base64. If a part has another type, the change
// goes to the failure queue. A part may be the empty string. NULL counts as absent.
// All parts and separators together must fit into the 1,024 bytes of a sort key, or
// the 2,048 of a partition key.
//
// The separator is one character other than the backslash. A separator or a
// backslash inside a part gets a backslash before it. So different texts never make
// the same key, and a Query for keys that begin with "Albany#" finds Albany alone,
// not "Albany\#2". But where a part is a number in one item and a string in another,
// 1 and "1" have the same text.
func KeySource_Composite(separator *string, attributes ...*string) KeySource {
	k := keySource{Separator: toString(separator)}
	for _, attribute := range attributes {
		k.Parts = append(k.Parts, toPath(attribute))
	}
	return k
}

// keySource wraps that of the spec, sound or not: the zero value represents nil, and
// the spec's rules refuse it.
type keySource spec.KeySource

func (k keySource) toSpec(source spec.KeySchema) spec.KeySource {
	s := spec.KeySource(k)
	s.Parts = slices.Clone(s.Parts)
	for i, path := range s.Parts {
		if name := strings.Join(path, "."); source.Contains(name) {
			s.Parts[i] = []string{name}
		}
	}

	return s
}

// toPath splits the name of an attribute into the steps that lead to it.
func toPath(attribute *string) []string {
	name := toString(attribute)
	if isToken(name) { // its text contains a dot too, and the rules refuse it as a whole
		return []string{name}
	}
	return strings.Split(name, ".")
}

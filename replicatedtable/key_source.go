package replicatedtable

import (
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// KeySource says what a target key attribute is made of. The functions
// KeySource_Attribute and KeySource_Composite make one, and nothing else does.
//
// They take names of attributes as [Condition] does: of a top-level attribute, and
// a dot leads into a map, as in "address.city"; but the whole name of a source key
// attribute is that attribute, with its dots. An item without one of these
// attributes has no target item.
type KeySource interface {
	toSpec(source spec.KeySchema) spec.KeySource
}

// KeySource_Attribute is one attribute of the source item. Its value has to have
// the type of the target key attribute: a change of an item where it has another
// goes to the failure queue.
func KeySource_Attribute(attribute *string) KeySource {
	return keySource{Parts: [][]string{toPath(attribute)}}
}

// KeySource_Composite joins at least two attributes of the source item into one
// string, with separator between them: "city#email". The target key attribute has
// type STRING.
//
// Strings are joined as they are, numbers in decimal notation without an exponent
// or superfluous zeros, binary as base64; a change of an item where a part has
// another type goes to the failure queue. A part may be the empty string; NULL counts
// as absent. All parts and separators share the 1,024 bytes of a sort key, or the
// 2,048 of a partition key.
//
// The separator is one character, and not the backslash. Where a part contains
// the separator or a backslash, a backslash stands before it. So different texts
// never make one key, and a Query for keys that begin with "Albany#" finds Albany
// alone, "Albany\#2" not. A part that is a number in one item and a string in
// another has one text for 1 and "1".
func KeySource_Composite(separator *string, attributes ...*string) KeySource {
	k := keySource{Separator: toString(separator)}
	for _, attribute := range attributes {
		k.Parts = append(k.Parts, toPath(attribute))
	}
	return k
}

// keySource is that of the spec, sound or not: the zero value stands for what was
// nil, and the spec's rules refuse it.
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
	if isToken(name) { // its text has a dot too, and is refused whole
		return []string{name}
	}
	return strings.Split(name, ".")
}

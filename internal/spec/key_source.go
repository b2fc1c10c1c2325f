package spec

import "slices"

// Escape is written before a separator, or an Escape, that belongs to a part of a
// composite.
const Escape = `\`

// KeySource says what a target key attribute is derived from: one attribute of the
// source item, which may have another name or lie in a map, or a composite.
//
// A composite joins the texts of several attributes into one string. An Escape comes
// before every Separator and every Escape inside a part. So different texts never join
// to the same composite, and a prefix of whole parts with their separators matches only
// composites that begin with these parts. The text of a number is its plain decimal
// notation, that of binary its base64; so only values of one type always have different
// texts.
type KeySource struct {
	// Parts are paths in the source item: a top-level attribute, then members of nested
	// maps. More than one is a composite.
	Parts [][]string
	// Separator is the character between the parts of a composite. Empty for a single
	// part.
	Separator string `json:",omitempty"`
}

// KeySource returns the source of the target key attribute called name.
func (t Target) KeySource(name string) KeySource {
	if k, derived := t.KeySources[name]; derived {
		return k
	}
	return KeySource{Parts: [][]string{{name}}}
}

// Contains reports whether the top-level attribute called name is a part.
func (k KeySource) Contains(name string) bool {
	return slices.ContainsFunc(k.Parts, func(path []string) bool { return len(path) == 1 && path[0] == name })
}

package replicatedtable

import "github.com/replicatedtable/cdk-go/internal/spec"

// KeySource says what a target key attribute is derived from: one attribute of the
// source item or, with a separator, several that are joined into one string. An item
// without one of these attributes has no target item.
type KeySource struct {
	// Attributes are the paths of the attributes, in the order in which they are
	// joined. [AttributePath] says what a path is. Required.
	//
	// The value of a single attribute must have the type of the target key attribute.
	// If it has another type, the change goes to the failure queue.
	//
	// Several attributes make a target key attribute of type STRING, such as
	// "city#email". Strings are joined as they are, numbers in decimal notation without
	// an exponent or superfluous zeros, binary as base64. If a part has another type,
	// the change goes to the failure queue. A part may be the empty string. NULL counts
	// as absent. All parts and separators together must fit into the 1,024 bytes of a
	// sort key, or the 2,048 of a partition key.
	Attributes *[]*string

	// Separator is the character between joined attributes, other than the backslash.
	// It is required for several attributes, and refused for one.
	//
	// A separator or a backslash inside a part gets a backslash before it. So different
	// texts never make the same key, and a Query for keys that begin with "Albany#"
	// finds Albany alone, not "Albany\#2". But where a part is a number in one item and
	// a string in another, 1 and "1" have the same text.
	Separator *string
}

// toSpec converts a key source, sound or not.
func (k *KeySource) toSpec() spec.KeySource {
	if k == nil {
		return spec.KeySource{}
	}

	source := spec.KeySource{Separator: toString(k.Separator)}
	for _, attribute := range toStrings(k.Attributes) {
		source.Parts = append(source.Parts, toPath(&attribute))
	}
	return source
}

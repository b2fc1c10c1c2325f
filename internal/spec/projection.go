package spec

import "slices"

// Projection selects the attributes that a target item carries besides the key
// attributes of both tables, which it always carries.
type Projection struct {
	Type ProjectionType
	// Attributes are the names that INCLUDE adds or EXCLUDE leaves out.
	Attributes []string `json:",omitempty"`
	// Renames are the new names of carried attributes, by their names in the source
	// item.
	Renames map[string]string `json:",omitempty"`
}

// ProjectionType says how Projection.Attributes is read.
type ProjectionType string

// The projection types. All but EXCLUDE are those of a global secondary index.
const (
	All      ProjectionType = "ALL"
	KeysOnly ProjectionType = "KEYS_ONLY"
	Include  ProjectionType = "INCLUDE"
	Exclude  ProjectionType = "EXCLUDE"
)

// isKnown reports whether t is one of the projection types.
func (t ProjectionType) isKnown() bool {
	return slices.Contains([]ProjectionType{All, KeysOnly, Include, Exclude}, t)
}

// Selects reports whether the attribute called name, which is not a key attribute, is
// carried.
func (p Projection) Selects(name string) bool {
	switch p.Type {
	case All:
		return true
	case Include:
		return slices.Contains(p.Attributes, name)
	case Exclude:
		return !slices.Contains(p.Attributes, name)
	default: // KEYS_ONLY, and types that are not known
		return false
	}
}

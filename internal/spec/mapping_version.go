package spec

import (
	"cmp"
	"encoding/json"
)

// MappingVersion is the version of the rules by which this release maps an item. Raise
// it whenever the same configuration maps some item otherwise than before. Then the
// templates of all apps change once, and no function applies a mapping that was written
// for other rules.
const MappingVersion = 1

// impliedMappingVersion is the version of a spec that names none. It never changes:
// specs of releases without versions, and those of version 1, name none.
const impliedMappingVersion = 1

// New returns an empty spec of this release's mapping version.
func New() Spec { return Spec{MappingVersion: named(MappingVersion)} }

// named is how a spec names a mapping version: not at all if it is implied.
func named(version int) int {
	if version == impliedMappingVersion {
		return 0
	}
	return version
}

// VersionOf returns the mapping version of an encoded Spec, which may be that of another release
// and have fields that this one does not know. It is 0 when the text is not JSON.
func VersionOf(text []byte) int {
	var s struct{ MappingVersion int }
	if json.Unmarshal(text, &s) != nil {
		return 0
	}
	return cmp.Or(s.MappingVersion, impliedMappingVersion)
}

// mappingVersion checks that this release maps as the spec means it.
func (ps *problems) mappingVersion(s Spec) {
	if version := cmp.Or(s.MappingVersion, impliedMappingVersion); version != MappingVersion {
		ps.add("MappingVersion", "is %d, and the function maps by the rules of version %d: "+
			"deploy the construct and the function of one release", version, MappingVersion)
	}
}

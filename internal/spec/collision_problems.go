package spec

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// MissingSourceKeys lists the source key attributes that the target key does not
// contain, neither by themselves nor as a part of a composite. The mapping is unique
// when none is missing: then two source items can never meet on one target key.
func (s Spec) MissingSourceKeys(t Target) []string {
	var missing []string
	for _, source := range s.Source.Attributes() {
		contains := func(a Attribute) bool { return t.KeySource(a.Name).Contains(source.Name) }
		if !slices.ContainsFunc(t.Attributes(), contains) {
			missing = append(missing, source.Name)
		}
	}
	return missing
}

func (r targetRules) collision() {
	missing := r.spec.MissingSourceKeys(r.target)
	switch r.target.OnKeyCollision {
	case "":
		r.versionAttribute()
		if len(missing) > 0 {
			r.notUnique(missing)
		}
	case LastWriterWins:
		if len(missing) == 0 {
			r.add("OnKeyCollision", "is %s but the target key contains the whole source key: "+
				"two items can never meet; remove it, unconditional writes are cheaper", LastWriterWins)
		}
		if r.target.VersionAttribute == "" {
			r.add("VersionAttribute", "is empty: LAST_WRITER_WINS needs an attribute for the version")
		}
		r.versionAttribute()
	default:
		r.add("OnKeyCollision", "is %q: the policy is %s", r.target.OnKeyCollision, LastWriterWins)
	}
}

// versionAttribute checks the name of the version attribute. Empty is not a name.
func (r targetRules) versionAttribute() {
	name := r.target.VersionAttribute
	switch {
	case name == "":
	case !utf8.ValidString(name):
		r.add("VersionAttribute", "%q is not valid UTF-8: attribute names are UTF-8 strings", name)
	case r.spec.Source.Contains(name) || r.target.Contains(name):
		r.add("VersionAttribute", "%q is a key attribute: name an attribute that nothing else uses", name)
	}
}

// notUnique reports that the target key misses source keys and no policy is chosen.
func (r targetRules) notUnique(missing []string) {
	field, keys := "PartitionKey", quoted(r.target.PartitionKey.Name)+" does"
	if sortKey := r.target.SortKey; sortKey != nil {
		field, keys = "SortKey", fmt.Sprintf("%q and PartitionKey %q do", sortKey.Name, r.target.PartitionKey.Name)
	}
	noun, remedy := "key", fmt.Sprintf("add %s to the sort key", quoted(missing...))
	if len(missing) > 1 { // usually the target key has no room for both besides its own attributes
		noun, remedy = "keys", fmt.Sprintf("use %q and %q as the target key", missing[0], missing[1])
	}

	r.add(field, "%s not contain the source %s %s: two items could meet on one target key; %s or set OnKeyCollision",
		keys, noun, quoted(missing...), remedy)
}

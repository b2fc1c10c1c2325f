package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

func (r targetRules) keySources() {
	for _, name := range slices.Sorted(maps.Keys(r.target.KeySources)) {
		a, isKey := r.target.find(name)
		if !isKey {
			r.add("KeySources", "%q is not a key attribute of the target table: name one of its key attributes", name)
			continue
		}
		r.keySource(a, r.target.KeySources[name])
	}
}

// keySource checks the source k of the target key attribute a.
func (r targetRules) keySource(a Attribute, k KeySource) {
	if r.spec.Source.Contains(a.Name) {
		r.add("KeySources", "%q is a key attribute of the source table, and a target item always carries that one "+
			"as it is: give the target's key attribute another name", a.Name)
	}
	if len(k.Parts) == 0 {
		r.add("KeySources", "%q is derived from nothing: name an attribute of the source item", a.Name)
		return
	}

	for _, part := range k.Parts {
		r.problems.attributePath(r.path+".KeySources "+quoted(a.Name), part)
	}
	if len(k.Parts) > 1 {
		r.composite(a, k)
	} else {
		r.singlePart(a, k)
	}
}

func (r targetRules) composite(a Attribute, k KeySource) {
	if a.Type.conflicts(String) {
		r.add("KeySources", "%q joins %d attributes and has type %s: a composite is a string; give it type S",
			a.Name, len(k.Parts), a.Type)
	}
	oneCharacter := utf8.ValidString(k.Separator) && utf8.RuneCountInString(k.Separator) == 1
	if !oneCharacter || k.Separator == Escape {
		r.add("KeySources", "%q has the separator %q: use one character, and not the backslash, which escapes it",
			a.Name, k.Separator)
	}
}

func (r targetRules) singlePart(a Attribute, k KeySource) {
	if k.Separator != "" {
		r.add("KeySources", "%q has a separator but one part: nothing is joined; remove it", a.Name)
	}
	if k.Contains(a.Name) {
		r.add("KeySources", "%q is derived from the source attribute of the same name, which is the default: remove it",
			a.Name)
	}
	for _, source := range r.spec.Source.Attributes() {
		if k.Contains(source.Name) && a.Type.conflicts(source.Type) {
			r.add("KeySources", "%q has type %s but is derived from the source key %q of type %s: "+
				"one value has one type", a.Name, a.Type, source.Name, source.Type)
		}
	}
}

// keyParts checks that one item can have all parts of the target key.
func (r targetRules) keyParts() {
	var parts [][]string
	for _, a := range r.target.Attributes() {
		parts = append(parts, r.target.KeySource(a.Name).Parts...)
	}

	reported := map[string]bool{} // by top-level attribute
	for _, part := range parts {
		if len(part) == 0 || reported[part[0]] {
			continue
		}
		if text := cmp.Or(r.reservedPart(part[0]), nestedPart(part, parts)); text != "" {
			r.add("KeySources", "%s", text)
			reported[part[0]] = true
		}
	}
}

// reservedPart says why no item could have the top-level attribute name and a target
// item, or returns nothing.
func (r targetRules) reservedPart(name string) string {
	_, renamed := r.target.Projection.Renames[name]
	carried := r.target.Projection.Selects(name) && !renamed
	what := r.reserved[name]
	if what == "" || !carried || r.spec.Source.Contains(name) {
		return ""
	}

	return fmt.Sprintf("need %q, which Projection carries, and that is the name of %s: no item could have both; "+
		"choose another name for that, or leave %q out with EXCLUDE or rename it", name, what, name)
}

// nestedPart says which of the parts lies inside part, or returns nothing.
func nestedPart(part []string, parts [][]string) string {
	for _, other := range parts {
		if len(other) > len(part) && slices.Equal(other[:len(part)], part) {
			return fmt.Sprintf("need %q and inside of it %q: no item could have both; name a value of one of them",
				strings.Join(part, "."), strings.Join(other, "."))
		}
	}
	return ""
}

// reserved lists the names that no carried attribute may have because every target item
// uses them already, with what they name.
func (t Target) reserved() map[string]string {
	names := map[string]string{}
	for name, k := range t.KeySources {
		if len(k.Parts) != 1 || !k.Contains(name) {
			names[name] = "a derived target key attribute"
		}
	}
	if t.VersionAttribute != "" && !t.Contains(t.VersionAttribute) {
		names[t.VersionAttribute] = "the version attribute"
	}
	return names
}

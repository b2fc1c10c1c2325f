package spec

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Escape stands before a separator, or an Escape, that belongs to a part of a
// composite.
const Escape = `\`

// KeySource is what a target key attribute is made of: one attribute of the
// source item, which may have another name or lie in a map, or a composite.
//
// A composite joins the texts of several attributes into one string. Every
// Separator and every Escape inside a part has an Escape before it, so different
// texts never make one composite, and what begins with some whole parts and their
// separators has these parts. The text of a number is its plain decimal notation,
// that of binary its base64; so only values of one type always have different texts.
type KeySource struct {
	// Parts are paths in the source item: a top-level attribute, then members of
	// nested maps. More than one is a composite.
	Parts [][]string
	// Separator stands between the parts of a composite: one character. Empty for
	// a single part.
	Separator string `json:",omitempty"`
}

// KeySource returns what the target key attribute called name is made of.
func (t Target) KeySource(name string) KeySource {
	if k, made := t.KeySources[name]; made {
		return k
	}
	return KeySource{Parts: [][]string{{name}}}
}

// contains reports whether the top-level attribute called name is a part.
func (k KeySource) contains(name string) bool {
	return slices.ContainsFunc(k.Parts, func(path []string) bool { return len(path) == 1 && path[0] == name })
}

func (s Spec) keySources(ps *problems, path string, t Target) {
	path += "KeySources"
	for _, name := range slices.Sorted(maps.Keys(t.KeySources)) {
		k := t.KeySources[name]
		a, isKey := t.find(name)
		if !isKey {
			ps.add(path, "%q is no key attribute of the target table: name one of its key attributes", name)
			continue
		}
		if s.Source.Contains(name) {
			ps.add(path, "%q is a key attribute of the source table, and a target item always carries that one as it is: give the target's key attribute another name", name)
		}
		if len(k.Parts) == 0 {
			ps.add(path, "%q is made of nothing: name an attribute of the source item", name)
			continue
		}
		for _, part := range k.Parts {
			ps.path(path+" "+quoted([]string{name}), part)
		}
		if len(k.Parts) > 1 {
			ps.composite(path, a, k)
			continue
		}
		if k.Separator != "" {
			ps.add(path, "%q has a separator but one part: nothing is joined; remove it", name)
		}
		if k.contains(name) {
			ps.add(path, "%q is made of the source attribute of the same name, as it would be without: remove it", name)
		}
		for _, source := range s.Source.Attributes() {
			if k.contains(source.Name) && source.Type != a.Type && source.Type != "" && a.Type != "" {
				ps.add(path, "%q has type %s but is made of the source key %q of type %s: one value has one type", name, a.Type, source.Name, source.Type)
			}
		}
	}
}

// reserved are the names of a target item that no carried attribute may have, with
// what they are: every target item has them already.
func (t Target) reserved() map[string]string {
	names := map[string]string{}
	for name, k := range t.KeySources {
		if len(k.Parts) == 1 && k.contains(name) {
			continue
		}
		names[name] = "a target key attribute that is made of others"
	}
	if t.VersionAttribute != "" && !t.Contains(t.VersionAttribute) {
		names[t.VersionAttribute] = "the version attribute"
	}
	return names
}

// partProblems lists what keeps every item that has all parts of the target key
// from having a target item.
func (s Spec) partProblems(ps *problems, path string, t Target) {
	path += "KeySources"
	var parts [][]string
	for _, a := range t.Attributes() {
		parts = append(parts, t.KeySource(a.Name).Parts...)
	}
	said, names := map[string]bool{}, t.reserved()
	for _, part := range parts {
		if len(part) == 0 || said[part[0]] {
			continue
		}
		top := part[0]
		_, moved := t.Projection.Renames[top]
		if what, reserved := names[top]; reserved && t.Projection.selects(top) && !moved && !s.Source.Contains(top) {
			ps.add(path, "need %q, which Projection carries, and that is the name of %s: no item could have both; choose another name for that, or leave %q out with EXCLUDE or rename it", top, what, top)
			said[top] = true
		}
		for _, other := range parts {
			if len(other) > len(part) && slices.Equal(other[:len(part)], part) && !said[top] {
				ps.add(path, "need %q and inside of it %s: no item could have both; name a value of one of them", strings.Join(part, "."), quoted([]string{strings.Join(other, ".")}))
				said[top] = true
			}
		}
	}
}

func (ps *problems) composite(path string, a Attribute, k KeySource) {
	if a.Type != String && a.Type != "" {
		ps.add(path, "%q joins %d attributes and has type %s: a composite is a string; give it type S", a.Name, len(k.Parts), a.Type)
	}
	if !utf8.ValidString(k.Separator) || utf8.RuneCountInString(k.Separator) != 1 || strings.Contains(k.Separator, Escape) {
		ps.add(path, "%q has the separator %q: use one character, and not the backslash, which escapes it", a.Name, k.Separator)
	}
}

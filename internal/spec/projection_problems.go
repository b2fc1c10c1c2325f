package spec

import "unicode/utf8"

func (r targetRules) projection() {
	p := r.target.Projection
	switch p.Type {
	case All, KeysOnly:
		if len(p.Attributes) > 0 {
			r.add("Projection", "%s lists attributes (%s): only INCLUDE and EXCLUDE do", p.Type, quoted(p.Attributes...))
		}
	case Include, Exclude:
		if len(p.Attributes) == 0 {
			r.add("Projection", "%s lists no attributes: name at least one, or use ALL or KEYS_ONLY", p.Type)
		}
		r.listedNames()
	default:
		r.add("Projection", "has type %q: use ALL, KEYS_ONLY, INCLUDE or EXCLUDE", p.Type)
	}
}

func (r targetRules) listedNames() {
	seen := map[string]bool{}
	for _, name := range r.target.Projection.Attributes {
		r.listedName(name, seen[name])
		seen[name] = true
	}
}

// listedName checks one name that INCLUDE or EXCLUDE lists.
func (r targetRules) listedName(name string, again bool) {
	p, reserved := r.target.Projection, r.reserved[name]
	switch {
	case name == "":
		r.add("Projection", "%s lists an empty name: remove it", p.Type)
	case !utf8.ValidString(name):
		r.add("Projection", "%s lists %q, which is not valid UTF-8: attribute names are UTF-8 strings", p.Type, name)
	case again:
		r.add("Projection", "%s lists %q twice: remove one", p.Type, name)
	case r.spec.Source.Contains(name):
		r.add("Projection", "%s lists %q, a key attribute of the source table: a target item always carries it; "+
			"remove it from the list", p.Type, name)
	case r.target.Contains(name) && reserved == "":
		r.add("Projection", "%s lists %q, a key attribute of the target table: a target item always carries it; "+
			"remove it from the list", p.Type, name)
	case p.Type == Include && reserved != "" && p.Renames[name] == "":
		r.add("Projection", "INCLUDE lists %q, which is also the name of %s: remove it from the list, or rename it",
			name, reserved)
	}
}

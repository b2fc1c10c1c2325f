package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

func (r targetRules) renames() {
	p := r.target.Projection
	if !p.Type.isKnown() {
		return // projection reports it
	}

	froms := map[string]string{} // by new name
	for _, from := range slices.Sorted(maps.Keys(p.Renames)) {
		to := p.Renames[from]
		text := cmp.Or(renameProblem(from, to), r.oldNameProblem(from), r.newNameProblem(from, to, froms))
		if text != "" {
			r.add("Projection", "renames %s", text)
		}
		froms[to] = from
	}
}

// renameProblem says what is wrong with the two names, whatever the tables are, or
// returns nothing.
func renameProblem(from, to string) string {
	switch {
	case from == "" || to == "":
		return fmt.Sprintf("%q to %q: write both names out", from, to)
	case !utf8.ValidString(from) || !utf8.ValidString(to):
		return fmt.Sprintf("%q to %q, which is not valid UTF-8: attribute names are UTF-8 strings", from, to)
	case from == to:
		return fmt.Sprintf("%q to itself: remove it", from)
	default:
		return ""
	}
}

// oldNameProblem says why the source attribute from cannot have another name, or
// returns nothing.
func (r targetRules) oldNameProblem(from string) string {
	p := r.target.Projection
	_, derived := r.target.KeySources[from]
	switch {
	case r.spec.Source.Contains(from):
		return fmt.Sprintf("%q, a key attribute of the source table: a target item always carries it as it is; "+
			"remove it", from)
	case r.target.Contains(from) && !derived:
		return fmt.Sprintf("%q, a key attribute of the target table: give the key attribute the other name instead, "+
			"and name its source in KeySources", from)
	case !p.Selects(from):
		return fmt.Sprintf("%q, which %s does not carry: remove it, or carry the attribute", from, p.Type)
	default:
		return ""
	}
}

// newNameProblem says why the attribute from cannot be called to, or returns nothing.
// froms are the attributes renamed so far, by their new names.
func (r targetRules) newNameProblem(from, to string, froms map[string]string) string {
	p := r.target.Projection
	other, again := froms[to]
	_, renamed := p.Renames[to]
	switch {
	case r.spec.Source.Contains(to) || r.target.Contains(to):
		return fmt.Sprintf("%q to %q, a key attribute: choose another name", from, to)
	case to == r.target.VersionAttribute:
		return fmt.Sprintf("%q to %q, the version attribute: choose another name", from, to)
	case again:
		return fmt.Sprintf("%q and %q to %q: choose two names", other, from, to)
	case p.Type == Include && slices.Contains(p.Attributes, to) && !renamed:
		return fmt.Sprintf("%q to %q, which INCLUDE lists too: rename that one as well, or choose another name",
			from, to)
	default:
		return ""
	}
}

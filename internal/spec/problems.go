package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxKeyAttributeNameBytes is the longest name of a key attribute.
// Source: Amazon DynamoDB Developer Guide, "Quotas", naming rules: attribute
// names that are part of a primary key are 1 to 255 characters.
const MaxKeyAttributeNameBytes = 255

// Problem is one broken rule.
type Problem struct {
	// Path is the field, as Problems' caller would write it.
	Path string
	// Text says which rule the value breaks and what to do.
	Text string
}

func (p Problem) String() string { return p.Path + " " + p.Text }

// Problems checks every rule and returns all that are broken, in field order.
func (s Spec) Problems() []Problem {
	ps := problems{}
	ps.table("Source", s.Source)
	if s.FailureQueueURL == "" {
		ps.add("FailureQueueURL", "is empty: name the queue for records that can never be applied")
	}
	if len(s.Targets) == 0 {
		ps.add("Targets", "is empty: the function needs at least one target table")
	}
	for i, t := range s.Targets {
		if t.TableName == s.Source.TableName && t.TableName != "" {
			ps.add(fmt.Sprintf("Targets[%d].TableName", i), "%q is the source table: its changes would never end; name another table", t.TableName)
		}
		same := func(other Target) bool { return other.TableName == t.TableName }
		if first := slices.IndexFunc(s.Targets, same); first < i {
			ps.add(fmt.Sprintf("Targets[%d].TableName", i), "%q is the table of Targets[%d] too: they would delete each other's items; name another table", t.TableName, first)
		}
		s.target(&ps, fmt.Sprintf("Targets[%d].", i), t)
	}
	return ps
}

type problems []Problem

func (ps *problems) add(path, format string, args ...any) {
	*ps = append(*ps, Problem{path, fmt.Sprintf(format, args...)})
}

func (s Spec) target(ps *problems, path string, t Target) {
	ps.table(strings.TrimSuffix(path, "."), t.Table)
	for _, a := range t.Attributes() {
		if _, made := t.KeySources[a.Name]; made {
			continue
		}
		if src, ok := s.Source.find(a.Name); ok && src.Type != a.Type && a.Name != "" && a.Type != "" && src.Type != "" {
			ps.add(path+s.keyField(t.KeySchema, a), "has type %s but the source key %q has type %s: one attribute has one type", a.Type, a.Name, src.Type)
		}
	}
	s.keySources(ps, path, t)
	s.partProblems(ps, path, t)
	s.projection(ps, path, t)
	s.renames(ps, path, t)
	if t.Filter != nil {
		ps.condition(path+"Filter", *t.Filter, 1)
	}
	s.collision(ps, path, t)
	switch t.ExpiredItems {
	case "", KeepExpired:
	default:
		ps.add(path+"ExpiredItems", "is %q: leave it out to delete the target item, or use %s", t.ExpiredItems, KeepExpired)
	}
}

func (s Spec) keyField(k KeySchema, a Attribute) string {
	if k.PartitionKey == a {
		return "PartitionKey"
	}
	return "SortKey"
}

func (ps *problems) table(path string, t Table) {
	if t.TableName == "" {
		ps.add(path+".TableName", "is empty: name the table")
	}
	k := t.KeySchema
	ps.attribute(path+".PartitionKey", k.PartitionKey)
	if k.SortKey == nil {
		return
	}
	ps.attribute(path+".SortKey", *k.SortKey)
	if k.SortKey.Name == k.PartitionKey.Name && k.SortKey.Name != "" {
		ps.add(path+".SortKey", "%q is the partition key too: a key schema names two different attributes", k.SortKey.Name)
	}
}

func (ps *problems) attribute(path string, a Attribute) {
	switch {
	case a.Name == "":
		ps.add(path, "has no name: name the key attribute")
	case len(a.Name) > MaxKeyAttributeNameBytes:
		ps.add(path, "has a name of %d bytes: a key attribute's name has at most %d", len(a.Name), MaxKeyAttributeNameBytes)
	case !utf8.ValidString(a.Name):
		ps.add(path, "%q is not valid UTF-8: attribute names are UTF-8 strings", a.Name)
	}
	switch a.Type {
	case String, Number, Binary:
	default:
		ps.add(path, "%q has type %q: a key attribute has type S, N or B", a.Name, a.Type)
	}
}

func (s Spec) projection(ps *problems, path string, t Target) {
	path += "Projection"
	names := t.Projection.Attributes
	switch t.Projection.Type {
	case All, KeysOnly:
		if len(names) > 0 {
			ps.add(path, "%s lists attributes (%s): only INCLUDE and EXCLUDE do", t.Projection.Type, quoted(names))
		}
		return
	case Include, Exclude:
		if len(names) == 0 {
			ps.add(path, "%s lists no attributes: name at least one, or use ALL or KEYS_ONLY", t.Projection.Type)
		}
	default:
		ps.add(path, "has type %q: use ALL, KEYS_ONLY, INCLUDE or EXCLUDE", t.Projection.Type)
		return
	}
	seen, reserved := map[string]bool{}, t.reserved()
	for _, name := range names {
		switch {
		case name == "":
			ps.add(path, "%s lists an empty name: remove it", t.Projection.Type)
		case !utf8.ValidString(name):
			ps.add(path, "%s lists %q, which is not valid UTF-8: attribute names are UTF-8 strings", t.Projection.Type, name)
		case seen[name]:
			ps.add(path, "%s lists %q twice: remove one", t.Projection.Type, name)
		case s.Source.Contains(name):
			ps.add(path, "%s lists %q, a key attribute of the source table: a target item always carries it; remove it from the list", t.Projection.Type, name)
		case t.Contains(name) && reserved[name] == "":
			ps.add(path, "%s lists %q, a key attribute of the target table: a target item always carries it; remove it from the list", t.Projection.Type, name)
		case t.Projection.Type == Include && reserved[name] != "" && t.Projection.Renames[name] == "":
			ps.add(path, "INCLUDE lists %q, which is also the name of %s: remove it from the list, or rename it", name, reserved[name])
		}
		seen[name] = true
	}
}

func (s Spec) renames(ps *problems, path string, t Target) {
	path += "Projection"
	p := t.Projection
	if !slices.Contains([]ProjectionType{All, KeysOnly, Include, Exclude}, p.Type) {
		return // projection has said so
	}
	froms := map[string]string{} // by new name
	for _, from := range slices.Sorted(maps.Keys(p.Renames)) {
		to := p.Renames[from]
		_, made := t.KeySources[from]
		other, again := froms[to]
		_, moved := p.Renames[to]
		switch {
		case from == "" || to == "":
			ps.add(path, "renames %q to %q: write both names out", from, to)
		case !utf8.ValidString(from) || !utf8.ValidString(to):
			ps.add(path, "renames %q to %q, which is not valid UTF-8: attribute names are UTF-8 strings", from, to)
		case from == to:
			ps.add(path, "renames %q to itself: remove it", from)
		case s.Source.Contains(from):
			ps.add(path, "renames %q, a key attribute of the source table: a target item always carries it as it is; remove it", from)
		case t.Contains(from) && !made:
			ps.add(path, "renames %q, a key attribute of the target table: give the key attribute the other name instead, and say in KeySources what it is made of", from)
		case !p.selects(from):
			ps.add(path, "renames %q, which %s does not carry: remove it, or carry the attribute", from, p.Type)
		case s.Source.Contains(to) || t.Contains(to):
			ps.add(path, "renames %q to %q, a key attribute: choose another name", from, to)
		case to == t.VersionAttribute:
			ps.add(path, "renames %q to %q, the version attribute: choose another name", from, to)
		case again:
			ps.add(path, "renames %q and %q to %q: choose two names", other, from, to)
		case p.Type == Include && slices.Contains(p.Attributes, to) && !moved:
			ps.add(path, "renames %q to %q, which INCLUDE lists too: rename that one as well, or choose another name", from, to)
		}
		froms[to] = from
	}
}

func (s Spec) collision(ps *problems, path string, t Target) {
	missing := s.MissingSourceKeys(t)
	switch t.OnKeyCollision {
	case "":
		if t.VersionAttribute != "" {
			s.version(ps, path, t)
		}
		if len(missing) == 0 {
			return
		}
		field, keys := "PartitionKey", quoted([]string{t.PartitionKey.Name})+" does"
		if t.SortKey != nil {
			field, keys = "SortKey", fmt.Sprintf("%q and PartitionKey %q do", t.SortKey.Name, t.PartitionKey.Name)
		}
		noun, remedy := "key", fmt.Sprintf("add %s to the sort key", quoted(missing))
		if len(missing) > 1 { // as a rule the target key has no room for both beside what it has
			noun, remedy = "keys", fmt.Sprintf("make the target key of %s", strings.ReplaceAll(quoted(missing), `", "`, `" and "`))
		}
		ps.add(path+field, "%s not contain the source %s %s: two items could meet on one target key; %s or set OnKeyCollision",
			keys, noun, quoted(missing), remedy)
	case LastWriterWins:
		if len(missing) == 0 {
			ps.add(path+"OnKeyCollision", "is %s but the target key contains the whole source key: two items can never meet; remove it, unconditional writes are cheaper", LastWriterWins)
		}
		if t.VersionAttribute == "" {
			ps.add(path+"VersionAttribute", "is empty: LAST_WRITER_WINS needs an attribute for the version")
		} else {
			s.version(ps, path, t)
		}
	default:
		ps.add(path+"OnKeyCollision", "is %q: the policy is %s", t.OnKeyCollision, LastWriterWins)
	}
}

func (s Spec) version(ps *problems, path string, t Target) {
	switch {
	case !utf8.ValidString(t.VersionAttribute):
		ps.add(path+"VersionAttribute", "%q is not valid UTF-8: attribute names are UTF-8 strings", t.VersionAttribute)
	case s.Source.Contains(t.VersionAttribute) || t.Contains(t.VersionAttribute):
		ps.add(path+"VersionAttribute", "%q is a key attribute: name an attribute that nothing else uses", t.VersionAttribute)
	}
}

// quoted lists names the way the messages show values.
func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

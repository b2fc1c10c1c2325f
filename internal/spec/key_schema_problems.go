package spec

import "unicode/utf8"

// MaxKeyAttributeNameBytes is the longest name of a key attribute.
// Source: Amazon DynamoDB Developer Guide, "Quotas", naming rules: attribute names that
// are part of a primary key are 1 to 255 characters.
const MaxKeyAttributeNameBytes = 255

func (ps *problems) table(path string, t Table) {
	if t.TableName == "" {
		ps.add(path+".TableName", "is empty: name the table")
	}
	ps.keyAttribute(path+".PartitionKey", t.PartitionKey)
	if t.SortKey == nil {
		return
	}

	ps.keyAttribute(path+".SortKey", *t.SortKey)
	if name := t.SortKey.Name; name == t.PartitionKey.Name && name != "" {
		ps.add(path+".SortKey", "%q is the partition key too: a key schema names two different attributes", name)
	}
}

func (ps *problems) keyAttribute(path string, a Attribute) {
	switch {
	case a.Name == "":
		ps.add(path, "has no name: name the key attribute")
	case len(a.Name) > MaxKeyAttributeNameBytes:
		ps.add(path, "has a name of %d bytes: a key attribute's name has at most %d",
			len(a.Name), MaxKeyAttributeNameBytes)
	case !utf8.ValidString(a.Name):
		ps.add(path, "%q is not valid UTF-8: attribute names are UTF-8 strings", a.Name)
	}

	switch a.Type {
	case String, Number, Binary:
	default:
		ps.add(path, "%q has type %q: a key attribute has type S, N or B", a.Name, a.Type)
	}
}

// keyTypes checks that a target key attribute that is not derived has its type in the
// source table. Names and types that are empty are problems already.
func (r targetRules) keyTypes() {
	for _, a := range r.target.Attributes() {
		if _, derived := r.target.KeySources[a.Name]; derived {
			continue
		}
		source, ok := r.spec.Source.find(a.Name)
		if ok && a.Name != "" && a.Type.conflicts(source.Type) {
			r.add(r.keyField(a), "has type %s but the source key %q has type %s: one attribute has one type",
				a.Type, a.Name, source.Type)
		}
	}
}

// keyField is the field of the target's key schema that holds a.
func (r targetRules) keyField(a Attribute) string {
	if r.target.PartitionKey == a {
		return "PartitionKey"
	}
	return "SortKey"
}

// conflicts reports whether t and other are different types, and neither is missing.
func (t AttributeType) conflicts(other AttributeType) bool {
	return t != other && t != "" && other != ""
}

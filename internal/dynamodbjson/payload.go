package dynamodbjson

import "bytes"

// MaxPayloadBytes is the longest text of a Payload. It keeps every position within 32
// bits, including those of unescaped names. A payload of Lambda has at most 6 MB.
const MaxPayloadBytes = 1 << 29

// Payload is a JSON text with the items that a Reader has found in it. It keeps the members
// of its items as positions in the text: there are tens of thousands of them, the text is
// not copied, and the garbage collector has nothing to follow.
type Payload struct {
	text []byte
	// unescaped holds the names and strings that have escapes, decoded. Positions beyond
	// the end of the text continue here.
	unescaped []byte
	members   []Member
}

// Reset replaces the text and forgets all items. Items of the text before are no longer
// valid, and neither are the results of Reader.Name and Reader.String.
func (p *Payload) Reset(text []byte) {
	p.text, p.unescaped, p.members = text, p.unescaped[:0], p.members[:0]
}

// Item is an item of a payload. The zero Item is absent.
type Item struct {
	// first and end are the numbers of its first member and of the one after its last.
	first, end uint32
	// Raw is the item as JSON.
	Raw []byte
}

// Exists reports whether there is an item.
func (i Item) Exists() bool { return len(i.Raw) > 0 }

// Member is one attribute of an item.
type Member struct {
	// name is the attribute name, without quotes and escapes; value the attribute value.
	name, value span
	// from is where the member begins: "name":{"S":"text"}.
	from uint32
}

// span is a part of a payload's text, from one position to another.
type span struct{ from, to uint32 }

// slice returns the text of a span.
func (p *Payload) slice(s span) []byte {
	if n := uint32(len(p.text)); s.from >= n && s.to > 0 { // #nosec G115 -- see MaxPayloadBytes
		return p.unescaped[s.from-n : s.to-n : s.to-n]
	}
	return p.text[s.from:s.to:s.to]
}

// Name returns the name of an attribute, without quotes and escapes.
func (p *Payload) Name(m *Member) []byte { return p.slice(m.name) }

// Value returns the attribute value as JSON: {"S":"text"}.
func (p *Payload) Value(m *Member) []byte { return p.slice(m.value) }

// Raw returns the whole attribute as JSON: "name":{"S":"text"}.
func (p *Payload) Raw(m *Member) []byte { return p.slice(span{m.from, m.value.to}) }

// Members returns the attributes of an item.
func (p *Payload) Members(i Item) []Member { return p.members[i.first:i.end] }

// Find returns the attribute called name, or nil.
func (p *Payload) Find(i Item, name string) *Member {
	members := p.Members(i)
	for n := range members {
		if s := members[n].name; int(s.to-s.from) == len(name) && string(p.slice(s)) == name {
			return &members[n]
		}
	}
	return nil
}

// near is the number of attributes that FindNear compares.
const near = 64

// FindNear is Find for an attribute that probably has the number start: usually both
// images of a record list their attributes in the same order. It compares only the next
// near attributes, so that comparing two large items is as fast as reading them.
func (p *Payload) FindNear(i Item, start int, name []byte) *Member {
	members := p.Members(i)
	for n := range min(near, len(members)) {
		if m := &members[(start+n)%len(members)]; bytes.Equal(p.Name(m), name) {
			return m
		}
	}
	return nil
}

// At returns the attribute value at path: a top-level attribute, then members of nested
// maps. It returns nil when there is none.
func (p *Payload) At(i Item, path []string) []byte {
	attribute := p.Find(i, path[0])
	if attribute == nil {
		return nil
	}
	value := p.Value(attribute)
	for _, name := range path[1:] {
		value = In(value, name)
	}
	return value
}

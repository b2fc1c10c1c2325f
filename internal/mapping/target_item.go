package mapping

import "github.com/replicatedtable/cdk-go/internal/dynamodbjson"

// TargetItem is the result of mapping one source item: a target item, none, or an error.
// It is valid until the Mapper's next Reset.
type TargetItem struct {
	// Key identifies the target item within its table: two target items with the same Key
	// are one item for DynamoDB.
	Key []byte
	// Err says why no target item can be derived. It names attributes, types and sizes,
	// never a value.
	Err error

	// source is the item that it is derived from, nil when there is no target item.
	source *dynamodbjson.Item
	// keyValues are the values of the target key attributes, as JSON.
	keyValues [2][]byte
}

// Exists reports whether there is a target item.
func (t *TargetItem) Exists() bool { return t.source != nil }

// Mapper derives target items. It keeps its memory from one payload to the next.
type Mapper struct {
	// scratch holds the identities and composites of target keys.
	scratch []byte
	// parts holds the parts of one target key.
	parts [][]byte

	evaluator evaluator
	composer  composer
}

// Reset ends the validity of all target items that the Mapper has derived.
func (m *Mapper) Reset() { m.scratch = m.scratch[:0] }

// Map derives a target item from an item of a payload and stores it in t, which is empty.
// An absent item has no target item.
func (m *Mapper) Map(t *TargetItem, mapping *Mapping, p *dynamodbjson.Payload, item *dynamodbjson.Item) {
	if !item.Exists() || mapping.filter != nil && !m.evaluator.holds(mapping.filter, p, *item) {
		return
	}

	m.parts = m.parts[:0]
	for i := range mapping.Key {
		k := &mapping.Key[i]
		for _, path := range k.parts {
			value := p.At(*item, path)
			if value == nil || k.isAbsent(value) {
				// An item that lacks a part of the target key has no target item, whatever
				// its other attributes are.
				return
			}
			m.parts = append(m.parts, value)
		}
	}

	keyValues, key, err := m.key(mapping)
	if err == nil {
		err = mapping.conflict(p, *item)
	}
	if err != nil {
		t.Err = err
		return
	}
	t.source, t.Key, t.keyValues = item, key, keyValues
}

// key derives the target key from its parts: the values of the key attributes, and the
// identity of the target item.
func (m *Mapper) key(mapping *Mapping) (values [2][]byte, identity []byte, err error) {
	parts := m.parts
	for i := range mapping.Key {
		k := &mapping.Key[i]
		if values[i] = parts[0]; len(k.parts) > 1 {
			at := len(m.scratch)
			if m.scratch, err = m.composer.append(m.scratch, k, parts[:len(k.parts)]); err != nil {
				return values, nil, err
			}
			values[i] = m.scratch[at:len(m.scratch):len(m.scratch)]
		}
		parts = parts[len(k.parts):]
	}

	at := len(m.scratch)
	for i := range mapping.Key {
		if m.scratch, err = mapping.Key[i].AppendIdentity(m.scratch, values[i]); err != nil {
			return values, nil, err
		}
	}

	return values, m.scratch[at:len(m.scratch):len(m.scratch)], nil
}

// AppendAttributes appends the attributes of a target item that exists, as the members of
// a JSON object without its braces. There is at least one: every item has a key.
func (m *Mapping) AppendAttributes(dst []byte, p *dynamodbjson.Payload, t *TargetItem) []byte {
	start := len(dst)
	for i := range m.Key {
		if k := &m.Key[i]; k.derived {
			dst = appendMember(dst, start, k.head, t.keyValues[i])
		}
	}

	members := p.Members(*t.source)
	for i := range members {
		name := p.Name(&members[i])
		if !m.carries(name) {
			continue
		}

		if head, renamed := m.renamed[string(name)]; renamed {
			dst = appendMember(dst, start, head, p.Value(&members[i]))
		} else {
			dst = appendMember(dst, start, "", p.Raw(&members[i]))
		}
	}

	return dst
}

// AppendKey appends the target key attributes of a target item that exists, as
// AppendAttributes does.
func (m *Mapping) AppendKey(dst []byte, t *TargetItem) []byte {
	start := len(dst)
	for i := range m.Key {
		dst = appendMember(dst, start, m.Key[i].head, t.keyValues[i])
	}
	return dst
}

// appendMember appends a member to the object whose members begin at start. head is its
// name with the colon.
func appendMember(dst []byte, start int, head string, value []byte) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	dst = append(dst, head...)
	return append(dst, value...)
}

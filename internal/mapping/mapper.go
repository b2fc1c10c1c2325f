package mapping

import "github.com/replicatedtable/cdk-go/internal/dynamodbjson"

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

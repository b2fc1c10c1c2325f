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
		if !m.Carries(name) {
			continue
		}

		if to, renamed := m.renamed[string(name)]; renamed {
			dst = appendMember(dst, start, to.head, p.Value(&members[i]))
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

package mapping

import "github.com/replicatedtable/cdk-go/internal/dynamodbjson"

// Equal reports whether stored, an item of the payload in, is the target item t, which exists and is
// derived from an item of the payload p. The version attribute is not compared, but a fingerprint in
// it must be that of the stored item's names.
func (m *Mapping) Equal(
	p *dynamodbjson.Payload, t *TargetItem, in *dynamodbjson.Payload, stored dynamodbjson.Item,
) bool {
	n := 0 // attributes of stored that are as they should be
	same := func(name, value []byte) bool {
		other := in.FindNear(stored, n, name)
		if other == nil {
			other = in.Find(stored, string(name))
		}
		n++
		return other != nil && dynamodbjson.Equal(value, in.Value(other))
	}

	for i := range m.Key {
		if k := &m.Key[i]; k.derived && !same(k.name, t.keyValues[i]) {
			return false
		}
	}
	members := p.Members(*t.source)
	for i := range members {
		name := p.Name(&members[i])
		if !m.Carries(name) {
			continue
		}
		if to, renamed := m.renamed[string(name)]; renamed {
			name = to.name
		}
		if !same(name, p.Value(&members[i])) {
			return false
		}
	}

	return m.hasOnly(in, stored, n)
}

// hasOnly reports whether a stored item has n attributes without its version, and a fingerprint that
// fits if it has one.
func (m *Mapping) hasOnly(in *dynamodbjson.Payload, stored dynamodbjson.Item, n int) bool {
	members := in.Members(stored)
	version := m.StoredVersion(in, stored)
	if version == nil {
		return len(members) == n
	}
	if len(members) != n+1 {
		return false
	}

	v, ok := m.ReadVersion(version)
	if !ok || v.Names == "" {
		return true
	}
	names := make([][]byte, 0, n)
	for i := range members {
		if name := in.Name(&members[i]); string(name) != m.VersionAttribute {
			names = append(names, name)
		}
	}

	return v.Names == Fingerprint(names)
}

// StoredVersion returns the version attribute of a stored target item, or nil.
func (m *Mapping) StoredVersion(in *dynamodbjson.Payload, stored dynamodbjson.Item) []byte {
	if m.VersionAttribute == "" {
		return nil
	}
	if found := in.Find(stored, m.VersionAttribute); found != nil {
		return in.Value(found)
	}
	return nil
}

package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// FingerprintLength is the length of a fingerprint in characters.
const FingerprintLength = fingerprintBytes / 3 * 4

// fingerprintBytes is how much of the hash a fingerprint keeps. Applications may let their
// users choose names, so neither a count nor a weak hash would do: two sets of names with one
// fingerprint would keep a withdrawn attribute in the target.
const fingerprintBytes = 15

// Fingerprint returns a text that stands for a set of attribute names, whatever their order:
// letters, digits, '-' and '_'.
func Fingerprint(names [][]byte) string {
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, bytes.Compare)
	h := sha256.New()
	var length [4]byte
	for _, name := range sorted {
		// With its length in front, no name continues in the next one.
		binary.BigEndian.PutUint32(length[:], uint32(len(name))) // #nosec G115 -- a name has at most 64 KB
		_, _ = h.Write(length[:])                                // never fails
		_, _ = h.Write(name)
	}

	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:fingerprintBytes])
}

// AppendNames appends the names of a target item's attributes without the version, in the
// order of AppendAttributes.
func (m *Mapping) AppendNames(dst [][]byte, p *dynamodbjson.Payload, t *TargetItem) [][]byte {
	for i := range m.Key {
		if k := &m.Key[i]; k.derived {
			dst = append(dst, k.name)
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
		dst = append(dst, name)
	}

	return dst
}

// AppendValues appends the values of a target item's attributes, separated by commas, in the
// order of AppendNames: with the target key attributes or without them.
func (m *Mapping) AppendValues(dst []byte, p *dynamodbjson.Payload, t *TargetItem, withKey bool) []byte {
	start := len(dst)
	for i := range m.Key {
		if withKey && m.Key[i].derived {
			dst = appendMember(dst, start, "", t.keyValues[i])
		}
	}

	members := p.Members(*t.source)
	for i := range members {
		name := p.Name(&members[i])
		if !m.Carries(name) {
			continue
		}
		if !withKey && m.IsKey(name) {
			if _, renamed := m.renamed[string(name)]; !renamed {
				continue
			}
		}
		dst = appendMember(dst, start, "", p.Value(&members[i]))
	}

	return dst
}

// AppendKeyValues appends the values of the target key attributes, separated by commas.
func (m *Mapping) AppendKeyValues(dst []byte, t *TargetItem) []byte {
	start := len(dst)
	for i := range m.Key {
		dst = appendMember(dst, start, "", t.keyValues[i])
	}
	return dst
}

// IsKey reports whether name is that of a target key attribute.
func (m *Mapping) IsKey(name []byte) bool {
	for i := range m.Key {
		if string(name) == m.Key[i].Name {
			return true
		}
	}
	return false
}

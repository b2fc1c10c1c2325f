package replicator

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// shape is the attribute names of target items, in the order in which they are written, and
// what follows from them. Items of one table have few shapes.
type shape struct {
	names [][]byte
	// fingerprint is the names' part in the version.
	fingerprint string
	// insert is the statement that puts such an item, or "" when none can.
	insert string
}

// maxShapeBytes bounds the memory of shapes and their statements. Names may be an application's
// data, with a new one in every item.
const maxShapeBytes = 1 << 20

// shapes finds the shapes of one mapping's target items, and the statements between them. It
// keeps them until they need too much memory, and then begins again: those in use stay valid.
type shapes struct {
	encoder *encoder
	seed    maphash.Seed

	mu      sync.Mutex
	bytes   int
	known   map[uint64]*shape // by the hash of their names
	updates map[update]string
	names   [][]byte // scratch
}

// update is what the statement of an UPDATE depends on: the shape of the new item and those of
// the items that it may replace.
type update struct {
	to   *shape
	from [maxAccepted]*shape
}

func newShapes(e *encoder) *shapes {
	s := &shapes{encoder: e, seed: maphash.MakeSeed()}
	s.forget()
	return s
}

func (s *shapes) forget() {
	s.bytes, s.known, s.updates = 0, map[uint64]*shape{}, map[update]string{}
}

// resolve decides how guarded puts are sent: by a statement, or by themselves when none
// can carry them.
func (s *shapes) resolve(from *event, writes []write) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		if !w.put || w.shape != nil {
			continue
		}

		w.shape = s.of(&from.payload, w.item)
		if w.statement = s.statement(&from.payload, w); w.statement == "" {
			w.step = bySingle
		}
	}
	clear(s.names[:cap(s.names)]) // they are parts of the payload
}

// of returns the shape of a target item.
func (s *shapes) of(p *dynamodbjson.Payload, t *mapping.TargetItem) *shape {
	s.names = s.encoder.mapping.AppendNames(s.names[:0], p, t)
	var h maphash.Hash
	h.SetSeed(s.seed)
	var length [4]byte
	for _, name := range s.names {
		binary.LittleEndian.PutUint32(length[:], uint32(len(name))) // #nosec G115 -- a name has at most 64 KB
		_, _ = h.Write(length[:])
		_, _ = h.Write(name)
	}
	sum := h.Sum64()
	if known := s.known[sum]; known != nil && slices.EqualFunc(known.names, s.names, bytes.Equal) {
		return known
	}

	return s.add(sum)
}

// add adds the shape of the names in s.names.
func (s *shapes) add(sum uint64) *shape {
	names := make([][]byte, len(s.names))
	size := 0
	for i, name := range s.names {
		names[i] = bytes.Clone(name)
		size += len(name) + 32 // with the memory of a slice
	}
	added := &shape{names: names, fingerprint: mapping.Fingerprint(names), insert: s.encoder.insertStatement(names)}
	s.reserve(size + len(added.insert))
	s.known[sum] = added

	return added
}

// reserve counts memory that is about to be kept.
func (s *shapes) reserve(size int) {
	if s.bytes += size; s.bytes > maxShapeBytes {
		s.forget()
		s.bytes = size
	}
}

// statement returns the statement for a put whose shape is known, or "".
func (s *shapes) statement(p *dynamodbjson.Payload, w *write) string {
	to := w.shape
	if len(w.earlier) == 0 {
		return to.insert
	}

	u := update{to: to}
	accepted := 0
	for _, t := range w.earlier {
		from := s.of(p, t)
		if slices.ContainsFunc(u.from[:accepted], func(s *shape) bool { return s.fingerprint == from.fingerprint }) {
			continue
		}
		if accepted == maxAccepted {
			return ""
		}
		u.from[accepted] = from
		accepted++
	}

	text, known := s.updates[u]
	if !known {
		text = s.encoder.updateStatement(to, u.from[:accepted])
		s.reserve(len(text) + 64) // with the memory of the key
		s.updates[u] = text
	}

	return text
}

package statement

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// Shape is the attribute names of target items, in the order in which they are written, and
// what follows from them. Items of one table have few shapes.
type Shape struct {
	Names [][]byte
	// Fingerprint is the names' part in the version.
	Fingerprint string
	// Insert is the statement that puts such an item, or "" when none can.
	Insert string
}

// MaxShapeBytes bounds the memory of shapes and their statements. Names may be an application's
// data, with a new one in every item.
const MaxShapeBytes = 1 << 20

// Shapes finds the shapes of one mapping's target items. It keeps them until they need too much
// memory, and then begins again: those in use stay valid. It is not safe for concurrent use.
type Shapes struct {
	// Forgotten is called when the shapes are forgotten. Nil is nothing to do.
	Forgotten func()

	mapping *mapping.Mapping
	seed    maphash.Seed
	bytes   int
	known   map[uint64]*Shape // by the hash of their names
	names   [][]byte          // scratch
}

// NewShapes returns the shapes of one mapping.
func NewShapes(m *mapping.Mapping) *Shapes {
	return &Shapes{mapping: m, seed: maphash.MakeSeed(), known: map[uint64]*Shape{}}
}

// Of returns the shape of a target item that exists.
func (s *Shapes) Of(p *dynamodbjson.Payload, t *mapping.TargetItem) *Shape {
	s.names = s.mapping.AppendNames(s.names[:0], p, t)
	defer clear(s.names) // they are parts of the payload
	var h maphash.Hash
	h.SetSeed(s.seed)
	var length [4]byte
	for _, name := range s.names {
		binary.LittleEndian.PutUint32(length[:], uint32(len(name))) // #nosec G115 -- a name has at most 64 KB
		_, _ = h.Write(length[:])
		_, _ = h.Write(name)
	}
	sum := h.Sum64()
	if known := s.known[sum]; known != nil && slices.EqualFunc(known.Names, s.names, bytes.Equal) {
		return known
	}

	return s.add(sum)
}

// add adds the shape of the names in s.names.
func (s *Shapes) add(sum uint64) *Shape {
	names := make([][]byte, len(s.names))
	size := 0
	for i, name := range s.names {
		names[i] = bytes.Clone(name)
		size += len(name) + 32 // with the memory of a slice
	}
	added := &Shape{Names: names, Fingerprint: mapping.Fingerprint(names), Insert: Insert(s.mapping, names)}
	s.Reserve(size + len(added.Insert))
	s.known[sum] = added

	return added
}

// Reserve counts memory that is about to be kept together with the shapes.
func (s *Shapes) Reserve(size int) {
	if s.bytes += size; s.bytes <= MaxShapeBytes {
		return
	}
	s.bytes, s.known = size, map[uint64]*Shape{}
	if s.Forgotten != nil {
		s.Forgotten()
	}
}

// Kept returns how much memory is kept, and for how many shapes.
func (s *Shapes) Kept() (bytes, shapes int) { return s.bytes, len(s.known) }

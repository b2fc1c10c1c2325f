package memorydb

import (
	"cmp"
	"hash/fnv"
	"math/bits"
	"slices"
	"strings"
)

// position is where an item is in the order of a table's items: by a hash of the partition
// key, then by the sort key.
type position struct {
	hash      uint64
	partition string
	sort      *value // nil in a table without a sort key
	identity  string
}

// position returns the position of the item with a key.
func (t *table) position(key attributes, identity string) position {
	v, _ := key.find(t.keys[0].name)
	h := fnv.New64a()
	_, _ = h.Write([]byte(v.text)) // never fails
	p := position{hash: spread(h.Sum64()), partition: v.text, identity: identity}
	if len(t.keys) > 1 {
		p.sort, _ = key.find(t.keys[1].name)
	}

	return p
}

// spread makes the high bits of a hash, which choose the segment, depend on all of its bits:
// the output function of SplitMix64.
func spread(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb

	return x ^ x>>31
}

func (p position) compare(other position) int {
	order := cmp.Or(cmp.Compare(p.hash, other.hash), strings.Compare(p.partition, other.partition))
	if order != 0 || p.sort == nil {
		return order
	}

	return p.sort.compare(*other.sort)
}

// segment returns the number of the position's segment.
func (p position) segment(of int) int {
	segment, _ := bits.Mul64(p.hash, uint64(of)) // #nosec G115 -- not negative
	return int(segment)                          // #nosec G115 -- less than of
}

// inOrder returns the positions of all items in their order, and possibly those of items that
// were deleted.
func (t *table) inOrder() []position {
	if len(t.added) == 0 {
		return t.order
	}
	slices.SortFunc(t.added, position.compare)
	merged := make([]position, 0, len(t.items))
	for len(t.order) > 0 || len(t.added) > 0 {
		from := &t.order
		if len(t.order) == 0 || len(t.added) > 0 && t.added[0].compare(t.order[0]) < 0 {
			from = &t.added
		}
		next := (*from)[0]
		*from = (*from)[1:]
		_, exists := t.items[next.identity]
		if exists && (len(merged) == 0 || merged[len(merged)-1].identity != next.identity) {
			merged = append(merged, next)
		}
	}
	t.order, t.added = merged, nil

	return merged
}

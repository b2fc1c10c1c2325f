package replicator

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// chain is all changes of one source item to one target, in order.
type chain struct {
	mapping int
	// first is the index of the first change: where the stream must resume when the chain
	// is not applied.
	first int
	// last is the last effect that changed the target item, nil when none did.
	last *effect
	// after is the target item after the whole chain.
	after *mapping.TargetItem
	// keys are the target items that the source item had before and between the changes,
	// for their keys.
	keys []*mapping.TargetItem
	// ended says that the target item now has no owner: its source item expired, and it
	// was kept.
	ended bool

	source []byte
	next   int // the next chain with the same hash, or -1
}

// addKey adds a target key to the chain. Usually one change's key is the next one's old
// key.
func (c *chain) addKey(t *mapping.TargetItem) {
	if t.Exists() && (len(c.keys) == 0 || !bytes.Equal(t.Key, c.keys[len(c.keys)-1].Key)) {
		c.keys = append(c.keys, t)
	}
}

// chain returns the chain of a source item, which starts with change when there is none
// yet. Chains with the same hash are a list.
func (p *planner) chain(mapping, change int, source []byte) *chain {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_ = h.WriteByte(byte(mapping)) // #nosec G115 -- a collision costs a comparison, no more
	_, _ = h.Write(source)
	sum := h.Sum64()
	head, found := p.heads[sum]
	if !found {
		head = -1
	}
	for i := head; i >= 0; i = p.chains[i].next {
		if c := &p.chains[i]; c.mapping == mapping && bytes.Equal(c.source, source) {
			return c
		}
	}

	n := len(p.chains)
	// The list of keys of an earlier batch's chain is used again.
	p.chains = slices.Grow(p.chains, 1)[:n+1]
	c := &p.chains[n]
	*c = chain{mapping: mapping, first: change, source: source, next: head, keys: c.keys[:0]}
	p.heads[sum] = n

	return c
}

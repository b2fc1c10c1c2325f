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
	// first is the index of the first change. The stream resumes there when the chain is
	// not applied.
	first int
	// last is the last effect that changes the target item, nil when none does.
	last *effect
	// after is the target item after the whole chain.
	after *mapping.TargetItem
	// keys are the target items before, between and after the changes, for their keys.
	keys []*mapping.TargetItem
	// states are the target items before each change that changes them, where writes are
	// guarded: whatever earlier attempts have carried out, the table has one of them, or the
	// last.
	states []*mapping.TargetItem
	// ended says that the target item no longer has an owner: its source item expired, and
	// the target item was kept.
	ended bool

	source []byte
	next   int // the next chain with the same hash, or -1
}

// addKey adds a target key to the chain, except right after the same key: usually the key
// after one change is the key before the next.
func (c *chain) addKey(t *mapping.TargetItem) {
	if t.Exists() && (len(c.keys) == 0 || !bytes.Equal(t.Key, c.keys[len(c.keys)-1].Key)) {
		c.keys = append(c.keys, t)
	}
}

// under returns the states with the key of t, or nil when the first state is not one.
func (c *chain) under(t *mapping.TargetItem) []*mapping.TargetItem {
	if len(c.states) == 0 || !c.states[0].Exists() || !bytes.Equal(c.states[0].Key, t.Key) {
		return nil
	}
	c.states = slices.DeleteFunc(c.states, func(s *mapping.TargetItem) bool {
		return !s.Exists() || !bytes.Equal(s.Key, t.Key)
	})

	return c.states
}

// chain returns the chain of a source item. If there is none yet, a new one starts with
// change. Chains with the same hash form a list.
func (p *planner) chain(mapping, change int, source []byte) *chain {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_ = h.WriteByte(byte(mapping)) // #nosec G115 -- a collision only costs a comparison
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

	// A chain of an earlier batch may be there already: its lists are used again.
	n := len(p.chains)
	p.chains = slices.Grow(p.chains, 1)[:n+1]
	c := &p.chains[n]
	*c = chain{mapping: mapping, first: change, source: source, next: head, keys: c.keys[:0], states: c.states[:0]}
	p.heads[sum] = n

	return c
}

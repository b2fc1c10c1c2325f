package replicator

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// Limits of one BatchWriteItem call. Source: Amazon DynamoDB API Reference,
// BatchWriteItem.
const (
	maxBatchWrites = 25
	maxBatchBytes  = 16 << 20
)

// chain is all changes of one source item to one target, in order.
type chain struct {
	mapping int
	// first is the index of the first change: where the stream must resume when
	// the chain is not applied.
	first int
	// last is the last effect that changed the target item, nil when none did.
	last *effect
	// after is the target item after the whole chain.
	after *view
	// keys are the target keys the item had before and between the changes.
	keys []*view

	source []byte
	next   int // the next chain with the same hash, or -1
}

// write is one put or delete of a target item.
type write struct {
	chain int
	// put is set for a put, clear for a delete.
	put bool
	// item is the target item to put, or one that has the key to delete.
	item *view
	// change gives the write its version and its owner.
	change *change
	// size is how many bytes the item takes in a request, at least.
	size int
}

// plan is the writes of one invocation.
type plan struct {
	chains []chain
	// first holds the puts, and the deletes that wait for nothing.
	first []batch
	// then holds the deletes of moved items' old keys. Each waits until the put
	// of its chain has succeeded.
	then []batch
}

// batch is the writes of one request to one table.
type batch struct {
	mapping int
	writes  []write
}

// planner coalesces effects into writes. It keeps its memory from one batch to
// the next.
type planner struct {
	mappings []mapping
	seed     maphash.Seed

	chains []chain
	heads  map[uint64]int // hash of mapping and source item -> chain
	first  [][]write      // by mapping
	then   [][]write      // by mapping
	out    plan
}

func newPlanner(mappings []mapping) *planner {
	return &planner{
		mappings: mappings,
		seed:     maphash.MakeSeed(),
		heads:    map[uint64]int{},
		first:    make([][]write, len(mappings)),
		then:     make([][]write, len(mappings)),
	}
}

// plan decides what to write for the effects of one invocation. The effects of
// one source item are in the order of its changes.
func (p *planner) plan(changes []change, effects []effect) *plan {
	p.gather(changes, effects)
	for i := range p.mappings {
		p.first[i], p.then[i] = p.first[i][:0], p.then[i][:0]
	}
	for i := range p.chains {
		p.write(i, changes)
	}
	p.out.chains = p.chains
	p.out.first, p.out.then = p.out.first[:0], p.out.then[:0]
	for i := range p.mappings {
		p.out.first = p.cut(p.out.first, i, p.first[i])
		p.out.then = p.cut(p.out.then, i, p.then[i])
	}
	return &p.out
}

// gather sorts the effects into chains.
func (p *planner) gather(changes []change, effects []effect) {
	p.chains = p.chains[:0]
	clear(p.heads)
	for i := range effects {
		e := &effects[i]
		c := p.chain(e.mapping, e.change, changes[e.change].source)
		if e.before.exists() {
			c.keys = append(c.keys, &e.before)
		}
		if e.after.exists() {
			c.keys = append(c.keys, &e.after)
		}
		if !e.unchanged {
			c.last = e
		}
		c.after = &e.after
	}
}

// chain returns the chain of a source item, which starts with change when there
// is none yet.
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

// write plans the writes of one chain: at most one put, and a delete for every
// other key that the item had.
func (p *planner) write(index int, changes []change) {
	c := &p.chains[index]
	if c.last == nil {
		return
	}
	m := c.mapping
	by := &changes[c.last.change]
	deletes := &p.first[m]
	if c.after.exists() {
		p.first[m] = append(p.first[m], write{index, true, c.after, by, p.mappings[m].size(c.after.image)})
		deletes = &p.then[m]
	}
	slices.SortFunc(c.keys, func(a, b *view) int { return bytes.Compare(a.key, b.key) })
	var previous []byte
	for _, v := range c.keys {
		if bytes.Equal(v.key, previous) {
			continue
		}
		previous = v.key
		if c.after.exists() && bytes.Equal(v.key, c.after.key) {
			continue
		}
		*deletes = append(*deletes, write{index, false, v, by, 0})
	}
}

// size returns how many bytes the attributes of a target item take as JSON.
func (m *mapping) size(img image) int {
	n := 0
	for i := range img {
		if m.carries(img[i].name) {
			n += len(img[i].raw) + len(",")
		}
	}
	return n
}

// cut appends the batches that writes make. A guarded write has a condition,
// which only a request of its own can carry.
func (p *planner) cut(dst []batch, mapping int, writes []write) []batch {
	limit := maxBatchWrites
	if p.mappings[mapping].versionAttribute != "" {
		limit = 1
	}
	for len(writes) > 0 {
		n, size := 0, 0
		for n < len(writes) && n < limit {
			size += writes[n].size + batchWriteOverhead
			if n > 0 && size > maxBatchBytes {
				break
			}
			n++
		}
		dst = append(dst, batch{mapping, writes[:n]})
		writes = writes[n:]
	}
	return dst
}

package replicator

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// maxBatchWrites is the most writes of one BatchWriteItem call. Source: Amazon
// DynamoDB API Reference, BatchWriteItem. Its other limit, 16 MB, is out of reach:
// all records of an invocation have 6 MB, and each item is written once.
const maxBatchWrites = 25

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
	// ended says that the target item is now nobody's: its source item expired,
	// and it was kept.
	ended bool

	source span
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
}

// plan is the writes of one invocation, by mapping.
type plan struct {
	event  *event
	chains []chain
	// first holds the puts, and the deletes that wait for nothing.
	first [][]write
	// then holds the deletes of moved items' old keys. Each waits until the put
	// of its chain has succeeded.
	then [][]write
}

// batch is the writes of one request to one table.
type batch struct {
	event   *event
	mapping int
	writes  []write
}

// planner coalesces effects into writes. It keeps its memory from one batch to
// the next.
type planner struct {
	mappings []mapping
	seed     maphash.Seed

	event  *event
	chains []chain
	heads  map[uint64]int // hash of mapping and source item -> chain
	first  [][]write      // by mapping
	then   [][]write      // by mapping
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

// plan decides what to write for effects, which are in the order of the changes.
// It returns the effects that must wait until that is written: those from the
// one on that makes anew a source item whose target item was kept. The kept item
// must be written before something else may take its key.
func (p *planner) plan(e *event, effects []effect) (out plan, rest []effect) {
	p.event = e
	rest = effects[p.gather(effects):]
	for i := range p.mappings {
		p.first[i], p.then[i] = p.first[i][:0], p.then[i][:0]
	}
	for i := range p.chains {
		p.write(i)
	}
	return plan{e, p.chains, p.first, p.then}, rest
}

// gather sorts effects into chains and returns how many it took.
func (p *planner) gather(effects []effect) int {
	p.chains = p.chains[:0]
	clear(p.heads)
	for i := range effects {
		e := &effects[i]
		c := p.chain(e.mapping, e.change, p.event.changes[e.change].source)
		if c.ended {
			return i
		}
		c.ended = e.kept
		p.had(c, &e.before)
		p.had(c, &e.after)
		if !e.unchanged {
			c.last = e
		}
		c.after = &e.after
	}
	return len(effects)
}

// had adds a target key to a chain. One change's key is the next one's old key as
// a rule.
func (p *planner) had(c *chain, v *view) {
	if v.exists() && (len(c.keys) == 0 || !p.equal(v.key, c.keys[len(c.keys)-1].key)) {
		c.keys = append(c.keys, v)
	}
}

// equal reports whether two spans have the same text.
func (p *planner) equal(a, b span) bool {
	return bytes.Equal(p.event.text(a), p.event.text(b))
}

// chain returns the chain of a source item, which starts with change when there
// is none yet.
func (p *planner) chain(mapping, change int, source span) *chain {
	var h maphash.Hash
	h.SetSeed(p.seed)
	_ = h.WriteByte(byte(mapping)) // #nosec G115 -- a collision costs a comparison, no more
	_, _ = h.Write(p.event.text(source))
	sum := h.Sum64()
	head, found := p.heads[sum]
	if !found {
		head = -1
	}
	for i := head; i >= 0; i = p.chains[i].next {
		if c := &p.chains[i]; c.mapping == mapping && p.equal(c.source, source) {
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
func (p *planner) write(index int) {
	c := &p.chains[index]
	if c.last == nil {
		return
	}
	m := c.mapping
	by := &p.event.changes[c.last.change]
	deletes := &p.first[m]
	if c.after.exists() {
		p.first[m] = append(p.first[m], write{index, true, c.after, by})
		deletes = &p.then[m]
	}
	text := p.event.text
	slices.SortFunc(c.keys, func(a, b *view) int { return bytes.Compare(text(a.key), text(b.key)) })
	for i, v := range c.keys {
		if i > 0 && p.equal(v.key, c.keys[i-1].key) || c.after.exists() && p.equal(v.key, c.after.key) {
			continue
		}
		*deletes = append(*deletes, write{index, false, v, by})
	}
}

// cut appends the batches that writes to mapping number index make. A guarded
// write has a condition, which only a request of its own can carry.
func (m *mapping) cut(dst []batch, e *event, index int, writes []write) []batch {
	limit := maxBatchWrites
	if m.versionAttribute != "" {
		limit = 1
	}
	for chunk := range slices.Chunk(writes, limit) {
		dst = append(dst, batch{e, index, chunk})
	}
	return dst
}

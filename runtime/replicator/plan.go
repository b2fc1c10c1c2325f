package replicator

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// maxBatchWrites is the highest number of writes in one BatchWriteItem call. Source:
// Amazon DynamoDB API Reference, BatchWriteItem. Its other limit, 16 MB, is out of reach:
// all records of an invocation have 6 MB, and each item is written once.
const maxBatchWrites = 25

// write is one put or delete of a target item.
type write struct {
	chain int
	// put is set for a put, clear for a delete.
	put bool
	// item is the target item to put, or one with the key to delete.
	item *mapping.TargetItem
	// change is the source of the write's version and owner.
	change *change
}

// plan is the writes of one invocation, by mapping.
type plan struct {
	event  *event
	chains []chain
	// first holds the puts, and the deletes that do not wait.
	first [][]write
	// then holds the deletes of moved items' old keys. Each waits for the put of its chain
	// to succeed.
	then [][]write
}

// planner coalesces effects into writes. It keeps its memory from one batch to the next.
type planner struct {
	mappings []mapping.Mapping
	seed     maphash.Seed

	event  *event
	chains []chain
	heads  map[uint64]int // hash of mapping and source item -> chain
	first  [][]write      // by mapping
	then   [][]write      // by mapping
}

func newPlanner(mappings []mapping.Mapping) *planner {
	return &planner{
		mappings: mappings,
		seed:     maphash.MakeSeed(),
		heads:    map[uint64]int{},
		first:    make([][]write, len(mappings)),
		then:     make([][]write, len(mappings)),
	}
}

// plan decides what to write for effects, which are in the order of the changes. It also
// returns the rest, the effects that must wait until the plan is written. For each mapping
// the rest starts where a source item is back whose target item was kept: the kept item
// must be written before another item can get its key.
func (p *planner) plan(e *event, effects []effect) (out plan, rest []effect) {
	p.event = e
	rest = p.gather(effects)

	for i := range p.mappings {
		p.first[i], p.then[i] = p.first[i][:0], p.then[i][:0]
	}
	for i := range p.chains {
		p.write(i)
	}

	return plan{e, p.chains, p.first, p.then}, rest
}

// gather adds effects to their chains. It returns those that must wait.
func (p *planner) gather(effects []effect) (rest []effect) {
	p.chains = p.chains[:0]
	clear(p.heads)
	var waits []bool // by mapping
	for i := range effects {
		e := &effects[i]
		if waits != nil && waits[e.mapping] {
			rest = append(rest, *e)
			continue
		}

		c := p.chain(e.mapping, e.change, p.event.changes[e.change].source)
		if c.ended {
			if waits == nil {
				waits = make([]bool, len(p.mappings))
			}
			waits[e.mapping] = true
			rest = append(rest, *e)
			continue
		}
		c.ended = e.kept
		c.addKey(&e.before)
		c.addKey(&e.after)
		if !e.unchanged {
			c.last = e
		}
		c.after = &e.after
	}

	return rest
}

// write plans the writes of one chain: at most one put, and a delete for each of the
// item's other keys.
func (p *planner) write(index int) {
	c := &p.chains[index]
	if c.last == nil {
		return
	}

	m := c.mapping
	by := &p.event.changes[c.last.change]
	deletes := &p.first[m]
	if c.after.Exists() {
		p.first[m] = append(p.first[m], write{index, true, c.after, by})
		deletes = &p.then[m]
	}

	slices.SortFunc(c.keys, func(a, b *mapping.TargetItem) int { return bytes.Compare(a.Key, b.Key) })
	for i, item := range c.keys {
		if i > 0 && bytes.Equal(item.Key, c.keys[i-1].Key) || c.after.Exists() && bytes.Equal(item.Key, c.after.Key) {
			continue
		}
		*deletes = append(*deletes, write{index, false, item, by})
	}
}

func countPuts(writes []write) int {
	n := 0
	for i := range writes {
		if writes[i].put {
			n++
		}
	}
	return n
}

package replicator

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/statement"
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

	// The rest is about guarded writes.

	// earlier are the states that the item had under its key within the chain, from before the
	// first change on. It is empty when it had another key before, or none: then the put
	// probably finds nothing.
	earlier []*mapping.TargetItem
	// shape and statement of a put are set before it is sent; see shapes.resolve.
	shape     *statement.Shape
	statement string
	step      step
	// tries counts the passing errors of statements and reads.
	tries int8
	// refusedCall is the write's call that the table has refused, or its statement. It is set on
	// one write of a call, and counts when the table takes that write by itself.
	refusedCall *refusedCall
	// endsRow says that the table has accepted other puts of the write's call: if it refuses
	// this one, that does not continue a row of refusals.
	endsRow bool
	// fellBack says that it goes by itself because its way is closed, and was not counted yet.
	fellBack bool
}

// step says how a guarded write is sent next.
type step int8

const (
	// byStatement sends it with others in one BatchExecuteStatement call.
	byStatement step = iota
	// byRead reads the item first, as a statement was refused: usually what is stored shows
	// that nothing is left to write.
	byRead
	// bySingle sends a conditional PutItem or DeleteItem, which decides.
	bySingle
)

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
		if !e.unchanged && p.mappings[e.mapping].VersionAttribute != "" {
			c.states = append(c.states, &e.before)
		}
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
		p.first[m] = append(p.first[m], write{
			chain: index, put: true, item: c.after, change: by, earlier: c.under(c.after),
		})
		deletes = &p.then[m]
	}

	slices.SortFunc(c.keys, func(a, b *mapping.TargetItem) int { return bytes.Compare(a.Key, b.Key) })
	for i, item := range c.keys {
		if i > 0 && bytes.Equal(item.Key, c.keys[i-1].Key) || c.after.Exists() && bytes.Equal(item.Key, c.after.Key) {
			continue
		}
		*deletes = append(*deletes, write{chain: index, item: item, change: by})
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

package replicator

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// outcome collects what becomes of a plan's writes: what remains, what was refused, and
// which tables get nothing more.
type outcome struct {
	// lanes are where the requests of each mapping go.
	lanes []lane

	mu sync.Mutex
	// remaining holds the writes that the next round must send, by mapping.
	remaining [][]write
	// pending holds the reason why a chain has remaining writes, by chain. These chains
	// have failed when the time is up.
	pending map[int]error
	// refused holds the writes that can never be carried out, by chain.
	refused map[int]refusal
	// stopped holds why nothing more is sent to the table of a mapping, and what becomes
	// of its chains, by mapping; nil for most.
	stopped []*failure
}

// lane is the time of all requests of one mapping. It ends with the time to send, or when
// the mapping is stopped.
type lane struct {
	ctx context.Context
	end context.CancelFunc
}

func newLane(ctx context.Context) lane {
	ctx, end := context.WithCancel(ctx)
	return lane{ctx, end}
}

func newOutcome(ctx context.Context, mappings int) *outcome {
	o := &outcome{remaining: make([][]write, mappings), stopped: make([]*failure, mappings)}
	for range mappings {
		o.lanes = append(o.lanes, newLane(ctx))
	}
	return o
}

// end ends all lanes.
func (o *outcome) end() {
	for _, l := range o.lanes {
		l.end()
	}
}

// refusal is a write that the table does not accept.
type refusal struct {
	mapping int
	write   write
	err     error
	// undecided says that the table may be wrong: no delete of the item is sent yet.
	undecided bool
	// removed says that the delete of the older state under its key has been added.
	removed bool
}

// retry adds writes to the next round.
func (o *outcome) retry(mapping int, writes []write, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remaining[mapping] = append(o.remaining[mapping], writes...)
	o.hold(writes, why)
}

// refuse records a write that can never be carried out, or whose table may be wrong.
func (o *outcome) refuse(mapping int, write write, err error, undecided bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused == nil {
		o.refused = map[int]refusal{}
	}
	o.refused[write.chain] = refusal{mapping, write, err, undecided, !write.put}
}

// stop ends all sending to the table of a mapping. The first reason counts.
func (o *outcome) stop(mapping int, class class, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped[mapping] == nil {
		o.stopped[mapping] = &failure{mapping: mapping, class: class, err: err}
	}
	o.lanes[mapping].end()
}

// wait ends all sending to the table of a mapping until the batch is redelivered.
func (o *outcome) wait(mapping int, why error) { o.stop(mapping, transient, why) }

// dropStopped drops the writes to tables that get nothing more.
func (o *outcome) dropStopped(lists ...[][]write) {
	for i, stopped := range o.stopped {
		if stopped == nil {
			continue
		}
		for _, writes := range lists {
			writes[i] = nil
		}
	}
}

// drainRemaining returns the writes that the next round must send, and forgets them. A
// chain without any is no longer pending.
func (o *outcome) drainRemaining() [][]write {
	remaining := o.remaining
	o.remaining = make([][]write, len(remaining))
	still := map[int]bool{}
	for i := range remaining {
		for j := range remaining[i] {
			still[remaining[i][j].chain] = true
		}
	}
	maps.DeleteFunc(o.pending, func(chain int, _ error) bool { return !still[chain] })

	return remaining
}

// undecided counts the puts of a mapping that a table refused which may be wrong, and
// returns the reason for one of them.
func (o *outcome) undecided(mapping int) (refused int, why reason) {
	for _, refusal := range o.refused {
		if refusal.mapping == mapping && refusal.undecided {
			refused++
			why = reasonOf(refusal.err)
		}
	}
	return refused, why
}

// decide notes that the table of a mapping is not wrong.
func (o *outcome) decide(mapping int) {
	for chain, refused := range o.refused {
		if refused.mapping == mapping {
			refused.undecided = false
			o.refused[chain] = refused
		}
	}
}

// release splits the writes that wait for the puts of their chains: ready ones need not
// wait any longer.
func (o *outcome) release(wait [][]write) (ready, waiting [][]write) {
	ready, waiting = make([][]write, len(wait)), make([][]write, len(wait))
	for i := range wait {
		if len(o.pending) == 0 && len(o.refused) == 0 {
			ready[i] = wait[i]
			continue
		}

		for _, write := range wait[i] {
			if _, pending := o.pending[write.chain]; pending || o.refused[write.chain].undecided {
				waiting[i] = append(waiting[i], write)
			} else {
				ready[i] = append(ready[i], write)
			}
		}
	}

	return ready, waiting
}

// addRemovals adds a delete for the key of each refused put. The item under that key is an
// older state, and no item is better than an outdated one: the same rule holds for a new
// image that cannot be mapped.
func (o *outcome) addRemovals(ready [][]write) {
	for chain, refused := range o.refused {
		if refused.removed || refused.undecided || o.stopped[refused.mapping] != nil {
			continue
		}

		remove := refused.write
		remove.put = false
		ready[refused.mapping] = append(ready[refused.mapping], remove)
		refused.removed = true
		o.refused[chain] = refused
	}
}

// hold notes why the chains of writes are pending. The first reason counts.
func (o *outcome) hold(writes []write, why error) {
	if o.pending == nil {
		o.pending = map[int]error{}
	}
	for i := range writes {
		if _, known := o.pending[writes[i].chain]; !known {
			o.pending[writes[i].chain] = why
		}
	}
}

// timeIsUp notes that the chains of all unsent writes are pending, and so are those of
// writes that a table refused which may be wrong.
func (o *outcome) timeIsUp(remaining, ready, waiting [][]write) {
	for i := range remaining {
		o.hold(slices.Concat(remaining[i], ready[i], waiting[i]), errTimeIsUp)
	}
	for _, refused := range o.refused {
		if refused.undecided {
			o.hold([]write{refused.write}, errUndecided)
		}
	}
}

// failures returns a failure for each pending chain and each refused write.
func (o *outcome) failures(chains []chain) []failure {
	failures := make([]failure, 0, len(o.pending)+len(o.refused))
	for chain, err := range o.pending {
		if c := &chains[chain]; o.stopped[c.mapping] == nil {
			failures = append(failures, failure{change: c.first, mapping: c.mapping, class: transient, err: err})
		}
	}
	for chain, refused := range o.refused {
		if c := &chains[chain]; o.stopped[c.mapping] == nil {
			failures = append(failures, failure{change: c.last.change, mapping: c.mapping, class: permanent, err: refused.err})
		}
	}
	for _, stopped := range o.stopped {
		if stopped != nil {
			failures = append(failures, stopped.from(chains))
		}
	}

	return failures
}

package replicator

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// outcome collects what becomes of a plan's writes: what remains, what was refused, and
// what ends it all.
type outcome struct {
	cancel context.CancelFunc

	mu sync.Mutex
	// remaining holds the writes that this round leaves to the next, by mapping.
	remaining [][]write
	// pending holds why a chain has remaining writes, by chain. When the time is up, these
	// are the chains that have failed.
	pending map[int]error
	// refused holds the writes that can never be carried out, by chain.
	refused map[int]refusal
	// systemic is the first error that is not a chain's own. It ends all sending.
	systemic error
}

func newOutcome(mappings int, cancel context.CancelFunc) *outcome {
	return &outcome{cancel: cancel, remaining: make([][]write, mappings)}
}

// refusal is a write that the table does not accept.
type refusal struct {
	mapping int
	write   write
	err     error
	// undecided says that the table may be wrong: nothing of the item is deleted.
	undecided bool
	// removed says that the older state under its key is being deleted.
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

// stop ends all sending.
func (o *outcome) stop(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.systemic == nil {
		o.systemic = err
	}
	o.cancel()
}

// takeRemaining returns the writes that the round leaves to the next. The chains that
// have none are no longer pending.
func (o *outcome) takeRemaining() [][]write {
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

// undecided counts the puts of a mapping that were refused by a table that may be wrong,
// and returns why one of them was.
func (o *outcome) undecided(mapping int) (refused int, why reason) {
	for _, refusal := range o.refused {
		if refusal.mapping == mapping && refusal.undecided {
			refused++
			why = reasonOf(refusal.err)
		}
	}
	return refused, why
}

// decide says that the table of a mapping is not wrong.
func (o *outcome) decide(mapping int) {
	for chain, refused := range o.refused {
		if refused.mapping == mapping {
			refused.undecided = false
			o.refused[chain] = refused
		}
	}
}

// release splits the writes that wait for their chains' puts into those that need to wait
// no more and the others.
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

// addRemovals adds the deletes of the items under the keys of puts that were refused.
// Such an item is an older state, and to show nothing is better than to show what is no
// longer so: the same rule as for a new image that cannot be mapped.
func (o *outcome) addRemovals(ready [][]write) {
	for chain, refused := range o.refused {
		if refused.removed || refused.undecided {
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

// timeIsUp holds the chains of all writes that were not carried out, and of those that
// were refused by a table that may be wrong.
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

// failures returns what has failed in the end.
func (o *outcome) failures(chains []chain) []failure {
	failures := make([]failure, 0, len(o.pending)+len(o.refused))
	for chain, err := range o.pending {
		failures = append(failures, failure{chains[chain].first, chains[chain].mapping, transient, err})
	}
	for chain, refused := range o.refused {
		failures = append(failures, failure{chains[chain].last.change, chains[chain].mapping, permanent, refused.err})
	}
	return failures
}

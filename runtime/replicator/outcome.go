package replicator

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// outcome collects the results of a plan's writes: the remaining ones, the refused ones,
// and the error that ends all sending.
type outcome struct {
	cancel context.CancelFunc

	mu sync.Mutex
	// remaining holds the writes that the next round must send, by mapping.
	remaining [][]write
	// pending holds the reason why a chain has remaining writes, by chain. These chains
	// have failed when the time is up.
	pending map[int]error
	// refused holds the writes that can never be carried out, by chain.
	refused map[int]refusal
	// systemic is the first error that does not belong to one chain. It ends all sending.
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

// stop ends all sending.
func (o *outcome) stop(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.systemic == nil {
		o.systemic = err
	}
	o.cancel()
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
		failures = append(failures, failure{chains[chain].first, chains[chain].mapping, transient, err})
	}
	for chain, refused := range o.refused {
		failures = append(failures, failure{chains[chain].last.change, chains[chain].mapping, permanent, refused.err})
	}

	return failures
}

package replicator

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// outcome collects what becomes of a plan's writes to one table: what remains, what was
// refused, and whether the table gets nothing more.
type outcome struct {
	// ctx is the time of all requests. It ends with the time to send, or when the table is
	// stopped.
	ctx context.Context
	end context.CancelFunc

	mu sync.Mutex
	// counts are those of the writes that the table has answered for.
	counts *figures
	// remaining holds the writes that must be sent again.
	remaining []write
	// advanced holds the guarded writes that another step decides, in the same round.
	advanced []write
	// pending holds the reason why a chain has remaining writes, by chain. These chains
	// have failed when the time is up.
	pending map[int]error
	// refused holds the writes that can never be carried out, by chain.
	refused map[int]refusal
	// stopped is why nothing more is sent, and what becomes of the chains; usually nil.
	stopped *failure
}

func newOutcome(ctx context.Context, counts *figures) *outcome {
	o := &outcome{counts: counts}
	o.ctx, o.end = context.WithCancel(ctx)
	return o
}

// refusal is a write that the table does not accept.
type refusal struct {
	write write
	err   error
	// undecided says that the table may be wrong: no delete of the item is sent yet.
	undecided bool
	// removed says that the delete of the older state under its key has been added.
	removed bool
}

// carriedOut counts writes that the table has carried out.
func (o *outcome) carriedOut(writes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.writes += writes
}

// sentSingly counts a guarded write that a fallback sends by itself.
func (o *outcome) sentSingly() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.single++
}

// refusedAsStale counts a put that was not needed: the table has the same or a newer state.
func (o *outcome) refusedAsStale() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.stale++
}

// retry keeps writes that must be sent again, which those of a target that was stopped are not.
func (o *outcome) retry(writes []write, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped == nil {
		o.counts.retried += len(writes)
	}
	o.remaining = append(o.remaining, writes...)
	o.hold(writes, why)
}

// advance keeps guarded writes for their next step.
func (o *outcome) advance(writes []write, to step) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.advanced = append(o.advanced, writes...)
	for i := len(o.advanced) - len(writes); i < len(o.advanced); i++ {
		o.advanced[i].step = to
	}
}

// takeAdvanced returns the writes that another step decides.
func (o *outcome) takeAdvanced() []write {
	advanced := o.advanced
	o.advanced = nil
	return advanced
}

// refuse records a write that can never be carried out, or whose table may be wrong.
func (o *outcome) refuse(write write, err error, undecided bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refused == nil {
		o.refused = map[int]refusal{}
	}
	o.refused[write.chain] = refusal{write, err, undecided, !write.put}
}

// stop ends all sending to the table. The first reason counts.
func (o *outcome) stop(mapping int, class class, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped == nil {
		o.stopped = &failure{mapping: mapping, class: class, err: err}
	}
	o.end()
}

// settle decides which chains are pending after a round: those that have remaining writes or
// unsent ones.
func (o *outcome) settle(unsent []write) {
	o.hold(unsent, errTimeIsUp)
	if len(o.pending) == 0 {
		return
	}
	still := map[int]bool{}
	for _, writes := range [][]write{o.remaining, unsent} {
		for i := range writes {
			still[writes[i].chain] = true
		}
	}
	maps.DeleteFunc(o.pending, func(chain int, _ error) bool { return !still[chain] })
}

// takeRemaining returns the writes that must be sent again, in the order of the records: Lambda
// resumes at the first one that is left. Otherwise a throttled table would spend its capacity
// on the same later records with every redelivery.
func (o *outcome) takeRemaining() []write {
	remaining := o.remaining
	o.remaining = nil
	slices.SortStableFunc(remaining, func(a, b write) int { return cmp.Compare(a.chain, b.chain) })

	return remaining
}

// undecided counts the puts that the table refused and that may mean it is wrong, and
// returns the reason for one of them.
func (o *outcome) undecided() (refused int, why dynamodberror.Reason) {
	for _, refusal := range o.refused {
		if refusal.undecided {
			refused++
			why = dynamodberror.ReasonOf(refusal.err)
		}
	}
	return refused, why
}

// decide notes that the table is not wrong.
func (o *outcome) decide() {
	for chain, refused := range o.refused {
		refused.undecided = false
		o.refused[chain] = refused
	}
}

// release splits the writes that wait for the puts of their chains: ready ones need not
// wait any longer.
func (o *outcome) release(wait []write) (ready, waiting []write) {
	if len(o.pending) == 0 && len(o.refused) == 0 {
		return wait, nil
	}

	for _, write := range wait {
		if _, pending := o.pending[write.chain]; pending || o.refused[write.chain].undecided {
			waiting = append(waiting, write)
		} else {
			ready = append(ready, write)
		}
	}

	return ready, waiting
}

// appendRemovals appends a delete for the key of each refused put. The item under that key
// is an older state, and no item is better than an outdated one: the same rule holds for a
// new image that cannot be mapped.
func (o *outcome) appendRemovals(ready []write) []write {
	ready = slices.Clip(ready)
	for chain, refused := range o.refused {
		if refused.removed || refused.undecided {
			continue
		}

		remove := refused.write
		remove.put, remove.step, remove.tries, remove.refusedCall = false, byStatement, 0, nil
		ready = append(ready, remove)
		refused.removed = true
		o.refused[chain] = refused
	}

	return ready
}

// hold notes why the chains of writes are pending. The first reason counts, after that of
// writes that were not sent.
func (o *outcome) hold(writes []write, why error) {
	if o.pending == nil && len(writes) > 0 {
		o.pending = map[int]error{}
	}
	for i := range writes {
		if known := o.pending[writes[i].chain]; known == nil || errors.Is(known, errTimeIsUp) {
			o.pending[writes[i].chain] = why
		}
	}
}

// timeIsUp notes that the chains of all unsent writes are pending, and so are those of
// writes that a table refused which may be wrong.
func (o *outcome) timeIsUp(unsent ...[]write) {
	for _, writes := range unsent {
		o.hold(writes, errTimeIsUp)
	}
	for _, refused := range o.refused {
		if refused.undecided {
			o.hold([]write{refused.write}, errUndecided)
		}
	}
}

// failures returns a failure for each pending chain and each refused write, or the one
// that stopped the table.
func (o *outcome) failures(chains []chain) []failure {
	if o.stopped != nil {
		return []failure{o.stopped.from(chains)}
	}

	failures := make([]failure, 0, len(o.pending)+len(o.refused))
	for chain, err := range o.pending {
		c := &chains[chain]
		failures = append(failures, failure{change: c.first, mapping: c.mapping, class: transient, err: err})
	}
	for chain, refused := range o.refused {
		c := &chains[chain]
		failures = append(failures, failure{change: c.last.change, mapping: c.mapping, class: permanent, err: refused.err})
	}

	return failures
}

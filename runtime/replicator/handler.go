package replicator

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Replicator applies batches of stream records to the target tables of one spec. It is
// the function's handler, and safe for concurrent use.
type Replicator struct {
	spec         spec.Spec
	mappings     []mapping.Mapping
	workspaces   pool[workspace]
	writer       *writer
	failureQueue *failureQueue
	// grace is how long one target may fail as a whole while others do not, before it is
	// set aside.
	grace time.Duration
	// connect opens a connection to the target tables' endpoint.
	connect func(context.Context)
	// metrics is nil where nobody reads any.
	metrics *metrics
	log     *slog.Logger
}

// Invoke applies one batch of stream records to the target tables and tells Lambda where
// to resume. An error means that the payload is not a batch of stream records; every
// other failure is in the response.
func (r *Replicator) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	w := r.workspace()
	defer r.release(w)
	writing, queueing, cancel := sendingTimes(ctx)
	defer cancel()

	e, failures, err := w.decoder.decode(payload)
	if err != nil {
		return nil, err
	}

	if !isSystemic(failures) {
		effects, unmapped := w.projector.project(e)
		unwritten := r.apply(writing, w, e, effects)
		failures = join(unwritten, failures, unmapped)
	}
	w.counts.judged(failures, r.writer.healths)

	if !isSystemic(failures) {
		remaining, sent := r.failureQueue.send(queueing, e, failures)
		r.logSent(ctx, e, sent)
		w.counts.sent(sent)
		failures = remaining
	}

	response := report(e, failures)
	r.logFailures(ctx, e, failures)
	r.logFallbacks(ctx)
	r.measure(ctx, w, started)

	return response, nil
}

// join joins the failures of all stages. A systemic failure of the writes replaces the
// others. A record whose new image has no target item, and whose old item cannot be deleted either, has
// one failure.
func join(unwritten, undecoded, unmapped []failure) []failure {
	if isSystemic(unwritten) {
		return unwritten
	}
	for _, u := range unmapped {
		unwritten = slices.DeleteFunc(unwritten, func(f failure) bool {
			return f.class == permanent && f.change == u.change && f.mapping == u.mapping
		})
	}
	return slices.Concat(unwritten, undecoded, unmapped)
}

// apply plans and writes effects. Usually that is one plan; planner.plan says when there
// are more. A target for which one plan fails is left out of the next.
func (r *Replicator) apply(ctx context.Context, w *workspace, e *event, effects []effect) []failure {
	var all []failure
	var done []int // puts, by mapping
	for {
		plan, rest := w.planner.plan(e, effects)
		w.counts.planned(effects, rest, plan.chains)
		failures := r.settle(e, plan.chains, r.writer.write(ctx, plan, done, w.counts.targets))
		if isSystemic(failures) {
			return failures
		}
		next, waiting := r.next(rest, failures)
		all = append(append(all, failures...), waiting...)
		if len(next) == 0 {
			return all
		}

		if done == nil {
			done = make([]int, len(r.mappings))
		}
		for i := range done {
			done[i] += countPuts(plan.first[i])
		}
		effects = next
	}
}

// next returns the effects of the next plan. Those of a target for which this plan fails
// wait until the batch is redelivered; a target that was set aside fails in the next plan
// by itself.
func (r *Replicator) next(rest []effect, failures []failure) (next []effect, waiting []failure) {
	if len(failures) == 0 {
		return rest, nil
	}

	fails := make([]bool, len(r.mappings))
	for _, f := range failures {
		fails[f.mapping] = fails[f.mapping] || f.class != setAside
	}
	hasWaiting := make([]bool, len(r.mappings))
	for _, e := range rest { // chains point to rest, so it stays as it is
		switch {
		case !fails[e.mapping]:
			next = append(next, e)
		case !hasWaiting[e.mapping]:
			hasWaiting[e.mapping] = true
			waiting = append(waiting, failure{change: e.change, mapping: e.mapping, class: transient, err: errWaited})
		}
	}

	return next, waiting
}

// settle decides what becomes of the targets that fail as a whole. When all do, the whole
// batch waits for a repair. Otherwise it waits for the grace time; from then on the others
// go on without those targets, and the keys of their items go to the failure queue.
func (r *Replicator) settle(e *event, chains []chain, failures []failure) []failure {
	at := slices.IndexFunc(failures, func(f failure) bool { return f.class == systemic })
	if at < 0 {
		return failures
	}
	if r.allFail(failures) {
		return systemicFailure(failures[at].err)
	}

	oldest := e.oldest()
	var settled []failure
	for _, f := range failures {
		if f.class != systemic || !r.writer.healths[f.mapping].setAside(r.grace, oldest) {
			settled = append(settled, f)
			continue
		}
		for i := range chains {
			if c := &chains[i]; c.mapping == f.mapping && c.last != nil {
				kept := *c // the next plan overwrites c
				kept.keys = slices.Clone(c.keys)
				settled = append(settled, failure{change: c.first, mapping: f.mapping, class: setAside, err: f.err, chain: &kept})
			}
		}
	}

	return settled
}

// allFail reports whether every target fails as a whole. One that has nothing to write now
// counts as it did when it was last written to, and as healthy before.
func (r *Replicator) allFail(failures []failure) bool {
	for i, h := range r.writer.healths {
		if !h.isFailing() && findSystemic(failures, i) < 0 {
			return false
		}
	}
	return true
}

const errWaited = ownError("it waited for an earlier change of its item, which was not applied")

// workspace is the memory of one invocation, kept for the next.
type workspace struct {
	decoder   *decoder
	projector *projector
	planner   *planner
	counts    counts
	lines     []byte // of the metrics
}

// workspace returns a workspace that no other invocation uses.
func (r *Replicator) workspace() *workspace {
	w := r.workspaces.get()
	if w.decoder == nil {
		*w = workspace{
			decoder: newDecoder(r.spec), projector: &projector{mappings: r.mappings}, planner: newPlanner(r.mappings),
			counts: counts{targets: make([]figures, len(r.mappings))},
		}
	}
	w.counts.reset()

	return w
}

// release keeps a workspace for the next invocation, without the payload, which is large
// and belongs to Lambda.
func (r *Replicator) release(w *workspace) {
	e := &w.decoder.event
	e.payload.Reset(nil)
	clear(e.changes)
	clear(w.projector.effects)
	r.workspaces.put(w)
}

func newReplicator(s spec.Spec, t table, q queue, inFlight int, log *slog.Logger) *Replicator {
	grace := time.Duration(s.SetAsideSeconds) * time.Second
	r := &Replicator{
		spec: s, mappings: make([]mapping.Mapping, len(s.Targets)), log: log, grace: cmp.Or(grace, defaultGrace),
	}
	r.writer = &writer{table: t, mappings: r.mappings, inFlight: inFlight}
	r.failureQueue = &failureQueue{q, r.mappings}
	for i, target := range s.Targets {
		r.mappings[i] = mapping.New(s.Source.KeySchema, target)
		r.writer.encoders = append(r.writer.encoders, newEncoder(&r.mappings[i]))
		r.writer.brakes = append(r.writer.brakes, &brake{disabled: target.WriteBrakeDisabled})
		r.writer.fallbacks = append(r.writer.fallbacks, &fallbacks{})
		r.writer.healths = append(r.writer.healths, &health{started: time.Now()})
	}

	return r
}

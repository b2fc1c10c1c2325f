package replicator

import (
	"context"
	"errors"
	"log/slog"
	"slices"

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
	// connect opens a connection to the target tables' endpoint.
	connect func(context.Context)
	log     *slog.Logger
}

// Invoke applies one batch of stream records to the target tables and tells Lambda where
// to resume. An error means that the payload is not a batch of stream records; every
// other failure is in the response.
func (r *Replicator) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
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
		unwritten := r.apply(writing, w.planner, e, effects)
		failures = join(unwritten, failures, unmapped)
	}

	if !isSystemic(failures) {
		remaining, sent := r.failureQueue.send(queueing, e, failures)
		r.logSent(ctx, e, sent)
		failures = remaining
	}

	response := report(e, failures)
	r.logFailures(ctx, e, failures)

	return response, nil
}

// join joins the failures of all stages. A systemic failure of the writes replaces the
// others.
func join(unwritten, undecoded, unmapped []failure) []failure {
	if isSystemic(unwritten) {
		return unwritten
	}
	return slices.Concat(unwritten, undecoded, unmapped)
}

// apply plans and writes effects. Usually that is one plan; planner.plan says when there
// are more. When one plan fails, the next is not started.
func (r *Replicator) apply(ctx context.Context, p *planner, e *event, effects []effect) []failure {
	var done []int // puts, by mapping
	for {
		plan, rest := p.plan(e, effects)
		failures := r.writer.write(ctx, plan, done)
		if len(rest) == 0 || isSystemic(failures) {
			return failures
		}
		if len(failures) > 0 {
			return append(failures, failure{rest[0].change, rest[0].mapping, transient, errWaited})
		}

		if done == nil {
			done = make([]int, len(r.mappings))
		}
		for i := range done {
			done[i] += countPuts(plan.first[i])
		}
		effects = rest
	}
}

var errWaited = errors.New("it waited for an earlier change of its item, which was not applied")

// workspace is the memory of one invocation, kept for the next.
type workspace struct {
	decoder   *decoder
	projector *projector
	planner   *planner
}

// workspace returns a workspace that no other invocation uses.
func (r *Replicator) workspace() *workspace {
	w := r.workspaces.get()
	if w.decoder == nil {
		*w = workspace{newDecoder(r.spec), &projector{mappings: r.mappings}, newPlanner(r.mappings)}
	}
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
	r := &Replicator{spec: s, mappings: make([]mapping.Mapping, len(s.Targets)), log: log}
	r.writer = &writer{table: t, mappings: r.mappings, inFlight: inFlight}
	r.failureQueue = &failureQueue{q, r.mappings}
	for i, target := range s.Targets {
		r.mappings[i] = mapping.New(s.Source.KeySchema, target)
		r.writer.encoders = append(r.writer.encoders, newEncoder(&r.mappings[i]))
		r.writer.brakes = append(r.writer.brakes, &brake{disabled: target.WriteBrakeDisabled})
	}

	return r
}

package replicator

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Replicator applies batches of stream records to the target tables of one spec.
// It is the function's handler, and safe for concurrent use.
type Replicator struct {
	spec         spec.Spec
	mappings     []mapping
	workspaces   spares[workspace]
	writer       *writer
	failureQueue *failureQueue
	// connect opens a connection to the target tables' endpoint.
	connect func(context.Context)
	log     *slog.Logger
}

// Invoke applies one batch of stream records to the target tables and tells
// Lambda where to resume. An error means that the payload was no batch of stream
// records; every other failure is in the response.
func (r *Replicator) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	w := r.workspace()
	defer r.leave(w)
	writing, giving, cancel := sendingTimes(ctx)
	defer cancel()

	e, err := w.decoder.decode(payload)
	if err != nil {
		return nil, err
	}
	effects := w.projector.project(e)
	failures := misconfigured(e.changes)
	if failures == nil {
		failures = r.apply(writing, w.planner, e, effects)
	}
	if !isSystemic(failures) {
		failures = append(failures, unusable(e.changes, effects)...)
		var given []failure
		failures, given = r.failureQueue.give(giving, e, failures)
		r.logGiven(ctx, e, given)
	}
	response := report(e, failures)
	r.logFailures(ctx, e, failures)
	return response, nil
}

// apply plans and writes effects. As a rule that is one plan; see planner.plan for
// the exception. When a part fails, what waited for it is not begun.
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

// misconfigured returns a systemic failure if the function gets records that are
// not meant for it.
func misconfigured(changes []change) []failure {
	for i := range changes {
		if changes[i].err == nil {
			continue // before anything that allocates: this is every record
		}
		if wrong := (*configurationError)(nil); errors.As(changes[i].err, &wrong) {
			return []failure{{0, everyMapping, systemic, wrong}}
		}
	}
	return nil
}

// isSystemic reports whether the batch failed for a reason that is no record's.
// Such a failure stands alone.
func isSystemic(failures []failure) bool {
	return len(failures) == 1 && failures[0].class == systemic
}

// maxLoggedReasons bounds the line about records that were given up.
const maxLoggedReasons = 5

// givenReason is why some of the records of a batch were given up, and the first.
type givenReason struct {
	Reason         string `json:"reason"`
	Count          int    `json:"count"`
	SequenceNumber string `json:"sequenceNumber"`
}

// logGiven says which records were given up and why. The failures are in the order of
// the records.
func (r *Replicator) logGiven(ctx context.Context, e *event, given []failure) {
	if len(given) == 0 {
		return
	}
	var reasons []givenReason
	for _, f := range given {
		text := loggable(f.err)
		at := slices.IndexFunc(reasons, func(g givenReason) bool { return g.Reason == text })
		switch {
		case at >= 0:
		case len(reasons) <= maxLoggedReasons:
			at = len(reasons)
			if at == maxLoggedReasons {
				text = "other reasons, which the messages in the failure queue name"
			}
			reasons = append(reasons, givenReason{Reason: text, SequenceNumber: string(e.text(e.changes[f.change].sequenceNumber))})
		default:
			at = maxLoggedReasons
		}
		reasons[at].Count++
	}

	r.log.LogAttrs(ctx, slog.LevelWarn, "records that can never be applied went to the failure queue",
		slog.Int("given", len(given)),
		slog.Int("records", len(e.changes)),
		slog.Any("reasons", reasons))
}

// logFailures says once why records come again. The failures are in the order of
// the records.
func (r *Replicator) logFailures(ctx context.Context, e *event, failures []failure) {
	if len(failures) == 0 {
		return
	}
	resume := failures[0]
	c := &e.changes[resume.change]
	attributes := []slog.Attr{
		slog.String("sequenceNumber", string(e.text(c.sequenceNumber))),
		slog.String("eventName", string(e.text(c.eventName))),
		slog.String("reason", loggable(resume.err)),
		slog.Int("failures", len(failures)),
		slog.Int("records", len(e.changes)),
	}
	if resume.class == systemic {
		r.log.LogAttrs(ctx, slog.LevelError, "nothing can be applied until this is repaired: Lambda delivers the whole batch again",
			append(attributes, slog.String("remedy", remedy(resume.err)))...)
		return
	}
	r.log.LogAttrs(ctx, slog.LevelError, "not everything was applied: Lambda delivers the records from this one on again", attributes...)
}

// workspace is the memory that one invocation works in and leaves to the next.
type workspace struct {
	decoder   *decoder
	projector *projector
	planner   *planner
}

// workspace returns a workspace that nobody uses.
func (r *Replicator) workspace() *workspace {
	w := r.workspaces.take()
	if w.decoder == nil {
		*w = workspace{newDecoder(r.spec), &projector{mappings: r.mappings}, newPlanner(r.mappings)}
	}
	return w
}

func (r *Replicator) leave(w *workspace) {
	w.decoder.event.payload = nil // not ours, and large
	r.workspaces.leave(w)
}

func newReplicator(s spec.Spec, t table, q queue, inFlight int, log *slog.Logger) *Replicator {
	mappings := make([]mapping, len(s.Targets))
	for i, target := range s.Targets {
		mappings[i] = newMapping(s, target)
	}
	return &Replicator{
		spec:         s,
		mappings:     mappings,
		writer:       newWriter(t, mappings, inFlight),
		failureQueue: &failureQueue{q, mappings},
		log:          log,
	}
}

// unusable returns a failure for every record that could not be decoded, or not
// be projected for some target.
func unusable(changes []change, effects []effect) []failure {
	var failures []failure
	for i := range changes {
		if changes[i].err != nil {
			failures = append(failures, failure{i, everyMapping, permanent, changes[i].err})
		}
	}
	for i := range effects {
		if e := &effects[i]; e.after.err != nil && changes[e.change].err == nil {
			failures = append(failures, failure{e.change, e.mapping, permanent, e.after.err})
		}
	}
	return failures
}

package replicator

import (
	"context"
	"log/slog"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Replicator applies batches of stream records to the target tables of one spec.
// It is the function's handler, and safe for concurrent use.
type Replicator struct {
	workspaces sync.Pool
	writer     *writer
	log        *slog.Logger
}

// Invoke applies one batch of stream records to the target tables and tells
// Lambda where to resume. An error means that the payload was no batch of stream
// records; every other failure is in the response.
func (r *Replicator) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	w := r.workspaces.Get().(*workspace)
	defer r.workspaces.Put(w)

	changes, err := w.decoder.decode(payload)
	if err != nil {
		return nil, err
	}
	effects := w.projector.project(changes)
	plan := w.planner.plan(changes, effects)
	failures := r.writer.write(ctx, plan)
	failures = append(failures, unusable(changes, effects)...)
	response := report(changes, failures)

	if len(failures) > 0 {
		lowest := failures[0]
		r.log.LogAttrs(ctx, slog.LevelError, "not everything was applied: Lambda delivers the records from this one on again",
			slog.String("sequenceNumber", string(changes[lowest.change].sequenceNumber)),
			slog.String("eventName", string(changes[lowest.change].event)),
			slog.String("reason", loggable(lowest.err)),
			slog.Int("failures", len(failures)),
			slog.Int("records", len(changes)))
	}
	return response, nil
}

// workspace is the memory that one invocation works in and leaves to the next.
type workspace struct {
	decoder   *decoder
	projector *projector
	planner   *planner
}

func newReplicator(s spec.Spec, t table, log *slog.Logger) *Replicator {
	mappings := make([]mapping, len(s.Targets))
	for i, target := range s.Targets {
		mappings[i] = newMapping(s, target)
	}
	return &Replicator{
		workspaces: sync.Pool{New: func() any {
			return &workspace{
				decoder:   newDecoder(s),
				projector: &projector{mappings: mappings},
				planner:   newPlanner(mappings),
			}
		}},
		writer: newWriter(t, mappings),
		log:    log,
	}
}

// unusable returns a failure for every record that could not be decoded, or not
// be projected for some target.
func unusable(changes []change, effects []effect) []failure {
	var failures []failure
	for i := range changes {
		if changes[i].err != nil {
			failures = append(failures, failure{i, changes[i].err})
		}
	}
	for i := range effects {
		if e := &effects[i]; e.after.err != nil && changes[e.change].err == nil {
			failures = append(failures, failure{e.change, e.after.err})
		}
	}
	return failures
}

package replicator

import (
	"context"
	"errors"
	"log/slog"
	"slices"
)

// target names the target that a line is about.
func (r *Replicator) target(mapping int) slog.Attr {
	return slog.String("target", r.mappings[mapping].TableName)
}

// targetOf names the target of a failure. When all fail, it is the one whose error is logged;
// "all" is none in particular.
func (r *Replicator) targetOf(f failure) string {
	var (
		table  *tableError
		braked *brakeError
	)
	switch {
	case f.mapping != everyMapping:
		return r.mappings[f.mapping].TableName
	case errors.As(f.err, &table):
		return table.tableName
	case errors.As(f.err, &braked):
		return braked.tableName
	case len(r.mappings) == 1:
		return r.mappings[0].TableName
	default:
		return "all"
	}
}

// logTarget says that one target fails as a whole, and what to do.
func (r *Replicator) logTarget(ctx context.Context, f failure) {
	r.log.LogAttrs(ctx, slog.LevelError,
		"a target table fails, and holds up the others until the grace time is over: then it is set aside",
		r.target(f.mapping),
		slog.String("reason", loggable(f.err)),
		slog.String("remedy", remedy(f.err)),
		slog.Duration("grace", r.grace))
}

// logAside says that one target is set aside, and what to do. The failures are those of
// its items whose keys the failure queue has accepted.
func (r *Replicator) logAside(ctx context.Context, items []failure) {
	f := items[0]
	r.log.LogAttrs(ctx, slog.LevelError,
		"a target table is set aside because it still fails: the keys of the items that it misses went to the failure queue",
		r.target(f.mapping),
		slog.String("reason", loggable(f.err)),
		slog.String("remedy", remedy(f.err)),
		slog.Int("items", len(items)))
}

// logFallbacks says once of each target which requests its guarded writes go without from now
// on, and what to do.
func (r *Replicator) logFallbacks(ctx context.Context) {
	for i, f := range r.writer.fallbacks {
		for by := range f {
			why := f[by].Report()
			if why == nil {
				continue
			}
			r.log.LogAttrs(ctx, slog.LevelWarn,
				"guarded writes are sent one by one from now on, which costs a request each: "+
					"the target table has refused several calls in a row, and taken the same writes one by one",
				r.target(i),
				slog.String("action", actions[by]),
				slog.String("reason", loggable(why)),
				slog.String("remedy", "allow the function's role the action on the target table if it does not; "+
					"the next process tries again"))
		}
	}
}

// maxLoggedReasons bounds the line about records in the failure queue.
const maxLoggedReasons = 5

// loggedReason says why some records of a batch are in the failure queue, and names the
// first of them.
type loggedReason struct {
	Target         string `json:"target"`
	Reason         string `json:"reason"`
	Count          int    `json:"count"`
	SequenceNumber string `json:"sequenceNumber"`
}

// logSent logs what went to the failure queue and why: in one line the records that can
// never be applied, in one line each the targets that are set aside.
func (r *Replicator) logSent(ctx context.Context, e *event, sent []failure) {
	var records []failure
	aside := make([][]failure, len(r.mappings))
	for _, f := range sent {
		if f.class == setAside {
			aside[f.mapping] = append(aside[f.mapping], f)
		} else {
			records = append(records, f)
		}
	}

	if len(records) > 0 {
		r.log.LogAttrs(ctx, slog.LevelWarn, "records that can never be applied went to the failure queue",
			slog.Int("sent", len(records)),
			slog.Int("records", len(e.changes)),
			slog.Any("reasons", r.loggedReasons(e, records)))
	}
	for _, items := range aside {
		if len(items) > 0 {
			r.logAside(ctx, items)
		}
	}
}

// loggedReasons groups failures by their targets and reasons. They are in the order of the
// records.
func (r *Replicator) loggedReasons(e *event, sent []failure) []loggedReason {
	var reasons []loggedReason
	for _, f := range sent {
		target, text := r.targetOf(f), loggable(f.err)
		at := slices.IndexFunc(reasons, func(r loggedReason) bool { return r.Target == target && r.Reason == text })
		switch {
		case at >= 0:
		case len(reasons) <= maxLoggedReasons:
			at = len(reasons)
			if at == maxLoggedReasons {
				target, text = "all", "other reasons, which the messages in the failure queue name"
			}
			first := string(e.changes[f.change].sequenceNumber)
			reasons = append(reasons, loggedReason{Target: target, Reason: text, SequenceNumber: first})
		default:
			at = maxLoggedReasons
		}
		reasons[at].Count++
	}

	return reasons
}

// logFailures logs once why records are redelivered, and once for each target that fails as
// a whole. The failures are in the order of the records.
func (r *Replicator) logFailures(ctx context.Context, e *event, failures []failure) {
	if len(failures) == 0 {
		return
	}

	resume := failures[0]
	c := &e.changes[resume.change]
	attributes := []slog.Attr{
		slog.String("target", r.targetOf(resume)),
		slog.String("sequenceNumber", string(c.sequenceNumber)),
		slog.String("eventName", string(c.eventName)),
		slog.String("reason", loggable(resume.err)),
		slog.Int("failures", len(failures)),
		slog.Int("records", len(e.changes)),
	}
	if isSystemic(failures) {
		r.log.LogAttrs(ctx, slog.LevelError,
			"nothing can be applied until this is repaired: Lambda redelivers the whole batch, "+
				"up to the age limit of the event source mapping",
			append(attributes, slog.String("remedy", remedy(resume.err)))...)
		return
	}
	for i := range r.mappings {
		if at := findSystemic(failures, i); at >= 0 {
			r.logTarget(ctx, failures[at])
		}
	}
	if refused := (*queueError)(nil); errors.As(resume.err, &refused) {
		attributes = append(attributes, slog.String("remedy", refused.remedy()))
	}
	r.log.LogAttrs(ctx, slog.LevelError,
		"not everything was applied: Lambda redelivers the records from this one on", attributes...)
}

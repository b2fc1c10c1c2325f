package replicator

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// logTarget says that one target fails as a whole, and what to do.
func (r *Replicator) logTarget(ctx context.Context, f failure) {
	r.log.LogAttrs(ctx, slog.LevelError,
		"a target table fails, and holds up the others until the grace time is over: then it is set aside",
		slog.String("target", r.mappings[f.mapping].TableName),
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
		slog.String("target", r.mappings[f.mapping].TableName),
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
				slog.String("target", r.mappings[i].TableName),
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
			slog.Any("reasons", loggedReasons(e, records)))
	}
	for _, items := range aside {
		if len(items) > 0 {
			r.logAside(ctx, items)
		}
	}
}

// loggedReasons groups failures by their reasons. They are in the order of the records.
func loggedReasons(e *event, sent []failure) []loggedReason {
	var reasons []loggedReason
	for _, f := range sent {
		text := loggable(f.err)
		at := slices.IndexFunc(reasons, func(r loggedReason) bool { return r.Reason == text })
		switch {
		case at >= 0:
		case len(reasons) <= maxLoggedReasons:
			at = len(reasons)
			if at == maxLoggedReasons {
				text = "other reasons, which the messages in the failure queue name"
			}
			first := string(e.changes[f.change].sequenceNumber)
			reasons = append(reasons, loggedReason{Reason: text, SequenceNumber: first})
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
	r.log.LogAttrs(ctx, slog.LevelError,
		"not everything was applied: Lambda redelivers the records from this one on", attributes...)
}

// remedy says how to repair a systemic error.
func remedy(err error) string {
	if wrong := (*configurationError)(nil); errors.As(err, &wrong) {
		return wrong.remedy
	}
	if braked := (*brakeError)(nil); errors.As(err, &braked) {
		return braked.remedy()
	}

	var api smithy.APIError
	if !errors.As(err, &api) {
		return "look up the reason"
	}

	switch code := api.ErrorCode(); {
	case code == "AccessDeniedException":
		return "allow the function's role the action on the target table, and its key if it is encrypted with one"
	case code == "ResourceNotFoundException":
		return "restore the target table under the name in the function's configuration, or deploy the stack again"
	case strings.HasPrefix(code, "KMS"), code == "InaccessibleEncryptionCredentialsException":
		return "enable the target table's key and allow the function's role to use it"
	case dynamodberror.IsRefusal(code):
		return "the target table has another key schema than the function's configuration: deploy the stack again"
	default:
		return "look up the error code"
	}
}

// loggable returns a text about an error that may be logged: it never has an attribute
// value. DynamoDB's message can quote the item that it refuses, so loggable replaces it
// with its code and a description in our own words.
func loggable(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && dynamodberror.IsRefusal(api.ErrorCode()) {
		return api.ErrorCode() + ": " + dynamodberror.ReasonOf(err).String()
	}
	return err.Error()
}

package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Start is the main of the Lambda function that AddReconciler of the construct defines. It reads
// the spec from the environment like the function that applies the stream, and then works for the
// state machine until Lambda ends the process. It does not return.
//
// A configuration that cannot be used ends the process before the first invocation, which Lambda
// reports as an init error; the log line names the variable or the file, and the field.
func Start() {
	level := new(slog.LevelVar)
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	w, err := newWorker(os.Getenv, log)
	if err != nil {
		log.Error("the reconciler cannot start", slog.String("reason", err.Error()))
		os.Exit(1)
	}
	level.Set(w.spec.LogLevel.Slog())
	lambda.Start(w)
}

// worker does the tasks of a state machine.
type worker struct {
	spec     spec.Spec
	dynamoDB dynamodb.Options
	log      *slog.Logger
}

// newWorker returns a worker for the environment variables of the function, as getenv returns them.
func newWorker(getenv func(string) string, log *slog.Logger) (*worker, error) {
	s, specErr := spec.Load(getenv(spec.EnvironmentVariable), os.ReadFile)
	c, configErr := awsconfig.FromLambda(getenv)
	if err := errors.Join(specErr, configErr); err != nil {
		return nil, err
	}

	options := c.DynamoDB()
	options.HTTPClient = awsconfig.NewHTTPClient(DefaultInFlight)
	return &worker{spec: s, dynamoDB: options, log: log}, nil
}

// task is what the state machine invokes the function with: a plan between two passes, or a slice
// within one segment. The names are those of its definition, in reconciler_definition.go of the
// construct.
type task struct {
	Plan *progress
	// MaxConcurrency is the number of segments in progress at once.
	MaxConcurrency int
	// FunctionName is the name of the function that applies the stream.
	FunctionName string

	Slice *slice
	// Retries is how often this task was retried, and Execution has how often the child execution
	// was redriven.
	Retries   int
	Execution struct{ RedriveCount int }
}

// Invoke does one task.
func (w *worker) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var t task
	if err := json.Unmarshal(payload, &t); err != nil {
		return nil, err
	}

	var answer any
	var err error
	switch {
	case t.Plan != nil:
		answer, err = w.plan(ctx, t)
	case t.Slice != nil:
		answer, err = w.slice(ctx, t)
	default:
		err = errors.New("the task is neither a plan nor a slice: " +
			"only the state machine of AddReconciler invokes this function")
	}
	if err != nil {
		reason := loggable(err) // the state machine's history is a log too
		w.log.ErrorContext(ctx, "a task failed, and the state machine retries it", slog.String("reason", reason))
		return nil, errors.New(reason)
	}

	return json.Marshal(answer)
}

// reserve is the time before the deadline in which no page is started, apart from twice the grace
// time, which Page may wait, and the time that the longest page has taken. The function has 15 minutes.
const reserve = time.Minute

// answering is the time before the deadline in which a page is ended, so that the function still
// answers with the pages that are finished.
const answering = 5 * time.Second

// slice carries out the pages of a segment until the segment is done or the time is up.
//
// The progress is in the answer. A page that fails is retried by the next slice, which becomes
// interrupted; when it is the slice's first, the state machine waits before it retries. When the mapping
// has changed, the slice only says so.
func (w *worker) slice(ctx context.Context, t task) (slice, error) {
	s := *t.Slice
	if s.Run.Mapping != w.mappingHash() {
		s.Done, s.Result = true, &segmentResult{MappingChanged: true}
		return s, nil
	}
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-answering))
	defer cancel()

	segment := s.segment()
	if t.Retries > 0 || t.Execution.RedriveCount > 0 {
		// What the earlier attempt has done is not known.
		segment.Begun = true
	}
	r := w.reconciler(s.Run.Input, min(t.MaxConcurrency, segment.Of))
	before := segment.Counts.Pages
	var longest time.Duration
	for !segment.Done && time.Until(deadline) > reserve+2*r.options.Grace+longest {
		start := time.Now()
		err := r.Page(ctx, &segment, func(Segment) error { return nil })
		if err != nil && segment.Counts.Pages == before {
			return slice{}, err
		}
		if err != nil {
			w.log.WarnContext(ctx, "a page failed, and is retried", slog.String("reason", loggable(err)))
			break
		}
		longest = max(longest, time.Since(start))
	}

	w.log.InfoContext(ctx, "a slice ends",
		slog.String("operation", string(segment.Operation)), slog.String("target", segment.Target),
		slog.Int("segment", segment.Number), slog.Int("of", segment.Of),
		slog.Bool("done", segment.Done), slog.Any("counts", segment.Counts))

	return s.with(segment), nil
}

// reconciler returns a Reconciler with the limits of one of so many slices at once.
func (w *worker) reconciler(in input, slices int) *Reconciler {
	return New(w.spec, Options{
		DynamoDB:   w.dynamoDB,
		WriteUnits: in.WriteUnits / float64(slices),
		ReadUnits:  in.ReadUnits / float64(slices),
		Grace:      time.Duration(in.GraceSeconds) * time.Second,
		Strict:     in.Strict,
		DryRun:     in.DryRun,
		Report:     w.report,
	})
}

// report logs a finding with its keys, which are the application's data: at DEBUG only.
func (w *worker) report(f Finding) {
	w.log.Debug("found", slog.String("kind", string(f.Kind)), slog.String("table", f.TargetTable),
		slog.String("sourceKey", string(f.SourceKey)), slog.String("targetKey", string(f.TargetKey)),
		slog.String("reason", f.Reason), slog.Bool("repaired", f.Repaired))
}

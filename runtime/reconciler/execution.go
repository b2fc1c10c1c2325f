package reconciler

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// input is the input of an execution.
type input struct {
	Operation Operation `json:"operation"`
	// Segments is the number of segments of each pass, 0 for that of defaultSegments.
	Segments int `json:"segments,omitempty"`
	// WriteUnits and ReadUnits are limits per second, over all segments. 0 is no limit.
	WriteUnits float64 `json:"writeUnits,omitempty"`
	ReadUnits  float64 `json:"readUnits,omitempty"`
	// GraceSeconds is how long a difference is read again, 0 for DefaultGrace.
	GraceSeconds int  `json:"graceSeconds,omitempty"`
	Strict       bool `json:"strict,omitempty"`
	DryRun       bool `json:"dryRun,omitempty"`
	// SourceTable and FunctionName say which table and which function that applies its stream are
	// meant. "": those of this reconciler.
	SourceTable  string `json:"sourceTable,omitempty"`
	FunctionName string `json:"functionName,omitempty"`
}

// maxGraceSeconds leaves a slice of 14 minutes time for the page itself, which may wait twice as long.
const maxGraceSeconds = 300

// readInput reads the input of an execution that works on so many segments at once. The error
// lists all problems.
func readInput(text []byte, atOnce int) (input, error) {
	var in input
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return input{}, fmt.Errorf(`the input %w: use an object like {"operation": "verify"}`, plain(err))
	}

	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(in.Operation == Backfill || in.Operation == Verify || in.Operation == Repair,
		"operation is %q: use %q, %q or %q", in.Operation, Backfill, Verify, Repair)
	check(in.Segments >= 0 && in.Segments <= spec.MaxSegments,
		"segments is %d: use 1 to %d, or leave it out", in.Segments, spec.MaxSegments)
	check(in.GraceSeconds >= 0 && in.GraceSeconds <= maxGraceSeconds,
		"graceSeconds is %d: use 1 to %d, or leave it out", in.GraceSeconds, maxGraceSeconds)
	if in.Segments > 0 {
		atOnce = min(atOnce, in.Segments)
	}
	for _, rate := range []struct {
		name  string
		units float64
	}{{"writeUnits", in.WriteUnits}, {"readUnits", in.ReadUnits}} {
		check(rate.units == 0 || rate.units >= float64(spec.MinSegmentUnits*atOnce),
			"%s is %v: use at least %d, which is %d a second for each of the segments that are in progress at once, "+
				"or leave it out", rate.name, rate.units, spec.MinSegmentUnits*atOnce, spec.MinSegmentUnits)
	}

	return in, errors.Join(problems...)
}

// check compares the table and the function that are meant with those of this reconciler.
func (in input) check(sourceTable, functionName string) error {
	if cmp.Or(in.SourceTable, sourceTable) != sourceTable || cmp.Or(in.FunctionName, functionName) != functionName {
		return fmt.Errorf("the input is about the table %q and the function %q, and this is the reconciler of the table %q "+
			"and the function %q: start the execution of the other one's state machine",
			in.SourceTable, in.FunctionName, sourceTable, functionName)
	}
	return nil
}

// plain says what is wrong with a JSON text, in the words of the text instead of Go's.
func plain(err error) error {
	if wrongType := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrongType) && wrongType.Field != "" {
		return fmt.Errorf("has a %s for %s", wrongType.Value, wrongType.Field)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("has the unknown field %s", field)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("is empty")
	}

	return errors.New("is not an object")
}

// run is what an execution is doing: the passes that are finished, and the pass in progress with
// the number of its segments.
type run struct {
	Input input
	// Mapping is the hash of the mapping that the execution began with.
	Mapping  string
	Finished []passResult
	Pass     Pass
	Segments int
}

// passResult is the result of one pass.
type passResult struct {
	Pass
	Segments int
	// Interrupted is the number of segments that were interrupted.
	Interrupted int `json:",omitempty"`
	Counts      Counts
}

// progress is the state of an execution when it plans: before the first pass, or after one.
type progress struct {
	// Input is the input of the execution, before the first pass.
	Input json.RawMessage
	// Run is what it has been doing, and Results are those of the segments, after a pass.
	Run     *run
	Results []segmentResult
}

// decision is what an execution does next.
type decision struct {
	Next next
	// Run and Segments, the numbers from 0, are for the next pass.
	Run      *run  `json:",omitempty"`
	Segments []int `json:",omitempty"`
	// Output is that of an execution that has succeeded.
	Output *output `json:",omitempty"`
	// Error and Cause are those of an execution that has failed.
	Error string `json:",omitempty"`
	Cause string `json:",omitempty"`
}

// next says what a decision is. Definition of the state machine.
type next string

const (
	nextPass      next = "Pass"
	nextSucceeded next = "Succeeded"
	nextFailed    next = "Failed"
)

// output is the output of an execution.
type output struct {
	Operation Operation    `json:"operation"`
	Passes    []passResult `json:"passes"`
	// Counts are those of all passes together.
	Counts Counts `json:"counts"`
}

// plan says what an execution does next.
func (w *worker) plan(ctx context.Context, t task) (decision, error) {
	r := t.Plan.Run
	if r == nil {
		in, err := readInput(t.Plan.Input, t.MaxConcurrency)
		if err != nil {
			return failed("InputError", err), nil
		}
		if err := in.check(w.spec.Source.TableName, t.FunctionName); err != nil {
			return failed("InputError", err), nil
		}
		r = &run{Input: in, Mapping: w.mappingHash()}
	}
	if r.Mapping != w.mappingHash() {
		return failed("FunctionChanged", errMappingChanged), nil
	}

	passes := w.reconciler(r.Input, 1).Passes(r.Input.Operation)
	if t.Plan.Run != nil {
		if err := r.finish(t.Plan.Results); err != nil {
			return failed("FunctionChanged", err), nil
		}
	}
	if r.isFinished(passes) {
		return r.end(t.FunctionName), nil
	}

	r.Pass, r.Segments = passes[len(r.Finished)], r.Input.Segments
	if r.Segments == 0 {
		size, err := w.tableBytes(ctx, cmp.Or(r.Pass.Target, w.spec.Source.TableName))
		if err != nil {
			return decision{}, err
		}
		r.Segments = defaultSegments(size, t.MaxConcurrency)
	}
	numbers := make([]int, r.Segments)
	for i := range numbers {
		numbers[i] = i
	}

	return decision{Next: nextPass, Run: r, Segments: numbers}, nil
}

// errMappingChanged is why an execution ends after a deployment: what it has compared is compared with
// another mapping now, and its passes are others.
var errMappingChanged = errors.New(
	"the function's mapping has changed since the execution began: start another one")

// mappingHash identifies how items are mapped, and the tables. Everything else may be deployed while an
// execution runs.
func (w *worker) mappingHash() string {
	s := w.spec
	s.FailureQueueURL, s.SetAsideSeconds, s.LogLevel = "", 0, ""
	s.Targets = slices.Clone(s.Targets)
	for i := range s.Targets {
		s.Targets[i].WriteBrakeDisabled = false
	}
	sum := sha256.Sum256([]byte(s.Encode()))

	return hex.EncodeToString(sum[:])
}

// failed ends an execution with an error that no retry can mend.
func failed(name string, err error) decision {
	return decision{Next: nextFailed, Error: name, Cause: strings.ReplaceAll(err.Error(), "\n", "; ")}
}

// finish adds the results of a pass.
func (r *run) finish(results []segmentResult) error {
	finished := passResult{Pass: r.Pass, Segments: r.Segments}
	for _, result := range results {
		if result.MappingChanged {
			return errMappingChanged
		}
		counts, err := result.Counts.counts()
		if err != nil {
			return err
		}
		finished.Counts.Add(counts)
		if result.Interrupted {
			finished.Interrupted++
		}
	}
	r.Finished = append(r.Finished, finished)

	return nil
}

// isFinished reports whether no pass is left that is needed: after a backfill without
// interruptions, the passes over the targets are not.
func (r *run) isFinished(passes []Pass) bool {
	if len(r.Finished) >= len(passes) {
		return true
	}
	return r.Input.Operation == Backfill && len(r.Finished) > 0 && (r.Finished[0].Interrupted == 0 || r.Input.DryRun)
}

// end is the last decision: an execution fails when differences are left.
func (r *run) end(functionName string) decision {
	out := output{Operation: r.Input.Operation, Passes: r.Finished}
	for _, finished := range r.Finished {
		out.Counts.Add(finished.Counts)
	}

	c := out.Counts
	left := c.Unrepaired
	if r.Input.Operation == Verify {
		left = c.Differences(r.Input.Strict)
	}
	if left == 0 {
		return decision{Next: nextSucceeded, Output: &out}
	}

	cause := fmt.Sprintf("%d differences are left (found: %d missing, %d extra, %d stale, %d with a wrong owner, "+
		"%d unclaimed; repaired: %d; equal: %d). To repair them, start an execution with {\"operation\": \"repair\"}, "+
		"or run: replicatedtable repair -function %s",
		left, c.Missing, c.Extra, c.Stale, c.WrongOwner, c.Unclaimed, c.Repaired, c.Equal, functionName)
	return decision{Next: nextFailed, Error: "Differences", Cause: cause}
}

// bytesPerSegment is the part of a table that is one segment by default. A slice of 14 minutes
// reads about as much, so that a table of many gigabytes is not one long chain of slices.
const bytesPerSegment = 1 << 30

// defaultSegments is the number of segments for a table of that size. DynamoDB updates the size
// only every six hours, so there are at least as many as can be in progress at once. Source:
// Amazon DynamoDB API Reference, TableDescription, TableSizeBytes.
func defaultSegments(size int64, atOnce int) int {
	return int(min(max(size/bytesPerSegment, int64(atOnce)), spec.MaxSegments))
}

func (w *worker) tableBytes(ctx context.Context, name string) (int64, error) {
	out, err := dynamodb.New(w.dynamoDB).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return 0, err
	}
	if out.Table.TableSizeBytes == nil {
		return 0, nil
	}

	return *out.Table.TableSizeBytes, nil
}

// slice is the state of a child execution: the progress of one segment.
type slice struct {
	Run    run
	Number int
	// Segment is nil before the first slice.
	Segment *Segment
	Done    bool
	// Result is that of a segment that is done.
	Result *segmentResult `json:",omitempty"`
}

// segment returns the segment to continue with.
func (s slice) segment() Segment {
	if s.Segment != nil {
		return *s.Segment
	}
	return Segment{Pass: s.Run.Pass, Number: s.Number, Of: s.Run.Segments}
}

func (s slice) with(segment Segment) slice {
	s.Segment, s.Done = &segment, segment.Done
	if s.Done {
		s.Result = &segmentResult{Interrupted: segment.Interrupted, Counts: numbersOf(segment.Counts)}
	}
	return s
}

// segmentResult is the result of one segment. It is short: those of all segments are the output of
// one state.
type segmentResult struct {
	Interrupted bool `json:",omitempty"`
	// MappingChanged ends the execution. An error would be retried for an hour.
	MappingChanged bool `json:",omitempty"`
	Counts         numbers
}

// numbers are Counts without their names, in the order of their fields.
type numbers []float64

func numbersOf(c Counts) numbers {
	fields := reflect.ValueOf(c)
	n := make(numbers, fields.NumField())
	for i := range n {
		n[i] = fields.Field(i).Convert(reflect.TypeFor[float64]()).Float()
	}
	return n
}

func (n numbers) counts() (Counts, error) {
	var c Counts
	fields := reflect.ValueOf(&c).Elem()
	if len(n) != fields.NumField() {
		return Counts{}, fmt.Errorf("a segment has %d counts, and there are %d: "+
			"the function changed while the execution ran; start another execution", len(n), fields.NumField())
	}
	for i := range n {
		fields.Field(i).Set(reflect.ValueOf(n[i]).Convert(fields.Field(i).Type()))
	}

	return c, nil
}

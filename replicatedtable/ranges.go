package replicatedtable

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// sizes are the props with a range, in plain numbers. Nil is a prop that is not
// set, or a token, whose value only deployment knows: Lambda checks that one.
type sizes struct {
	setAsideSeconds                               *float64
	memoryMiB, timeoutSeconds, reservedExecutions *float64
	batchSize, windowSeconds, parallelization     *float64
	recordAgeSeconds, retryAttempts               *float64
	iteratorAgeSeconds, unreadSeconds, failures   *float64
	// tokens are the paths of the durations that are tokens, and whose value the construct
	// needs.
	tokens []string
	// subnetProblems say why the function cannot be in the selected subnets.
	subnetProblems []spec.Problem
	// architecture is the name of the function's instruction set.
	architecture string
	// place decides the length of the tables' names.
	place place
	// source and target are the tables that exist, or nil.
	source, target *existingTable
	// logGroupClass is the class of the caller's log group, "" where the app does not say.
	logGroupClass string
}

// knownSizes reads the props with a range.
func knownSizes(props *ReplicatedTableProps) sizes {
	if props == nil {
		return sizes{}
	}

	s := sizes{
		memoryMiB:          known(props.MemorySize),
		timeoutSeconds:     seconds(props.Timeout),
		reservedExecutions: known(props.ReservedConcurrentExecutions),
		batchSize:          known(props.BatchSize),
		windowSeconds:      seconds(props.MaxBatchingWindow),
		parallelization:    known(props.ParallelizationFactor),
		retryAttempts:      known(props.RetryAttempts),
		architecture:       defaultArchitecture,
	}
	if props.Architecture != nil {
		s.architecture = *props.Architecture.Name()
	}
	s.setAsideSeconds = s.requiredSeconds("SetAsideAfter", props.SetAsideAfter)
	s.recordAgeSeconds = s.requiredSeconds("MaxRecordAge", props.MaxRecordAge)
	if alarms := props.Alarms; alarms != nil {
		s.iteratorAgeSeconds = s.requiredSeconds("Alarms.MaxIteratorAge", alarms.MaxIteratorAge)
		s.unreadSeconds = s.requiredSeconds("Alarms.UnreadAfter", alarms.UnreadAfter)
		s.failures = known(alarms.MaxFailures)
	}

	return s
}

// requiredSeconds returns the duration at path, and notes it when it is a token.
func (s *sizes) requiredSeconds(path string, d awscdk.Duration) *float64 {
	if d != nil && *d.IsUnresolved() {
		s.tokens = append(s.tokens, path)
	}
	return seconds(d)
}

// seconds returns a duration unless it is a token.
func seconds(d awscdk.Duration) *float64 {
	if d == nil || *d.IsUnresolved() {
		return nil
	}
	return d.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
}

// known returns n unless it is a token. It does not ask the CDK about a number that JSON
// cannot express: that would end the CDK's process.
func known(n *float64) *float64 {
	if n == nil || !math.IsNaN(*n) && !math.IsInf(*n, 0) && *awscdk.Token_IsUnresolved(n) {
		return nil
	}
	return n
}

// sizeRange is a range of AWS. Values are whole numbers of the unit.
type sizeRange struct {
	min, max float64
	unit     string
}

var (
	// Source: AWS Lambda Developer Guide, "Lambda quotas", memory allocation.
	memoryRange = sizeRange{128, 10240, " MiB"}

	// The maximum is from AWS Lambda Developer Guide, "Lambda quotas", function
	// timeout. Lambda accepts 1 second, but the function keeps at least the last 2
	// seconds free: with less than 10, it would lose more than a fifth of its time,
	// and a single slow request could use up the rest.
	timeoutRange = sizeRange{10, 900, " s"}

	// Source: AWS Lambda API Reference, PutFunctionConcurrency. The maximum is the
	// account's, which Lambda checks.
	reservedRange = sizeRange{0, math.Inf(1), " executions"}

	// Source: AWS Lambda API Reference, CreateEventSourceMapping, BatchSize for
	// DynamoDB Streams.
	batchSizeRange = sizeRange{1, 10000, " records"}

	// Source of the next three: AWS Lambda API Reference, CreateEventSourceMapping.
	windowRange          = sizeRange{0, 300, " s"}
	parallelizationRange = sizeRange{1, 10, " batches"}
	retryRange           = sizeRange{retryUntilTooOld, 10000, " retries"}

	// The minimum is from AWS Lambda API Reference, CreateEventSourceMapping.
	recordAgeRange = sizeRange{60, longestRecordAge.Seconds(), " s"}

	// The maximum is less than the age at which the event source mapping gives up on the
	// records (maxRecordAge).
	setAsideRange = sizeRange{spec.MinSetAsideSeconds, spec.MaxSetAsideSeconds, " s"}

	// No record that is older is retried.
	iteratorAgeRange = sizeRange{1, longestRecordAge.Seconds(), " s"}

	// Source: Amazon CloudWatch API Reference, PutMetricAlarm, Threshold, which has no
	// maximum.
	failuresRange = sizeRange{0, math.Inf(1), " messages"}
)

func (r sizeRange) problems(path string, n *float64) []spec.Problem {
	if n == nil || *n >= r.min && *n <= r.max && *n == math.Trunc(*n) && !math.IsInf(*n, 0) {
		return nil
	}

	text := fmt.Sprintf("is %s%s: set a whole number from %s", decimal(*n), r.unit, decimal(r.min))
	if !math.IsInf(r.max, 1) {
		text += " to " + decimal(r.max)
	}
	return []spec.Problem{{Path: path, Text: text}}
}

// durationProblems checks a duration whose value the construct needs.
func (s sizes) durationProblems(path string, r sizeRange, n *float64) []spec.Problem {
	return slices.Concat(s.durationTokenProblems(path), r.problems(path, n))
}

func (s sizes) durationTokenProblems(path string) []spec.Problem {
	if !slices.Contains(s.tokens, path) {
		return nil
	}
	return []spec.Problem{{Path: path, Text: "is a token: its value must be known at synthesis; write it out"}}
}

// recordAge is the age in seconds at which the event source mapping gives up on a record.
func (s sizes) recordAge() float64 {
	return *cmp.Or(s.recordAgeSeconds, jsii.Number(maxRecordAge.Seconds()))
}

// iteratorAge and unread are thresholds of alarms in seconds.
func (s sizes) iteratorAge() float64 {
	return *cmp.Or(s.iteratorAgeSeconds, jsii.Number(maxIteratorAge.Seconds()))
}
func (s sizes) unread() float64 { return *cmp.Or(s.unreadSeconds, jsii.Number(maxUnread.Seconds())) }

// decimal writes n without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

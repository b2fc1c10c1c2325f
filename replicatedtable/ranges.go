package replicatedtable

import (
	"fmt"
	"math"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// sizes are the props with a range, in plain numbers. Nil is a prop that is not
// set, or a token, whose value only deployment knows: Lambda checks that one.
type sizes struct {
	memoryMiB, timeoutSeconds, batchSize, setAsideSeconds *float64
	// setAsideIsToken says so of SetAsideAfter: the function is told its number.
	setAsideIsToken bool
	// architecture is the name of the function's instruction set.
	architecture string
	// place decides the length of the tables' names.
	place place
	// source and target are the tables that exist, or nil.
	source, target *existingTable
}

// knownSizes reads the props with a range.
func knownSizes(props *ReplicatedTableProps) sizes {
	if props == nil {
		return sizes{}
	}

	s := sizes{memoryMiB: known(props.MemorySize), batchSize: known(props.BatchSize), architecture: defaultArchitecture}
	if props.Architecture != nil {
		s.architecture = *props.Architecture.Name()
	}
	if props.Timeout != nil && !*props.Timeout.IsUnresolved() {
		s.timeoutSeconds = seconds(props.Timeout)
	}
	switch {
	case props.SetAsideAfter == nil:
	case *props.SetAsideAfter.IsUnresolved():
		s.setAsideIsToken = true
	default:
		s.setAsideSeconds = seconds(props.SetAsideAfter)
	}
	return s
}

// seconds returns a duration that is not a token.
func seconds(d awscdk.Duration) *float64 {
	return d.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
}

// known returns n unless it is a token.
func known(n *float64) *float64 {
	if n == nil || *awscdk.Token_IsUnresolved(n) {
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

	// Source: AWS Lambda API Reference, CreateEventSourceMapping, BatchSize for
	// DynamoDB Streams.
	batchSizeRange = sizeRange{1, 10000, " records"}

	// The maximum is less than the age at which the event source mapping gives up on the
	// records (maxRecordAge).
	setAsideRange = sizeRange{spec.MinSetAsideSeconds, spec.MaxSetAsideSeconds, " s"}
)

func (r sizeRange) problems(path string, n *float64) []spec.Problem {
	if n == nil || *n >= r.min && *n <= r.max && *n == math.Trunc(*n) {
		return nil
	}

	text := fmt.Sprintf("is %s%s: set a whole number from %s to %s",
		decimal(*n), r.unit, decimal(r.min), decimal(r.max))
	return []spec.Problem{{Path: path, Text: text}}
}

// decimal writes n without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

package eventsource

import (
	"errors"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

// The namespace and the dimensions of the metrics. Source: AWS Lambda Developer Guide,
// "Viewing metrics for Lambda functions" and "Types of metrics for Lambda functions".
const (
	namespace         = "AWS/Lambda"
	functionDimension = "FunctionName"
	mappingDimension  = "EventSourceMappingUUID"
)

// ErrThrottled is the error of a [Handler] that was not invoked, because Lambda had no
// execution for it.
var ErrThrottled = errors.New("the function was throttled")

// Meter emits the metrics that CloudWatch has of an event source mapping and of its
// function. Its methods do nothing on a nil Meter. What they emit, and when, is in the
// package's documentation.
type Meter struct {
	FunctionName string
	// UUID is the event source mapping's. Its metrics are those of
	// MetricsConfig EventCount.
	UUID string
	// Emit gets the samples, one at a time for each shard.
	Emit func(emf.Sample)
}

// polled is a poll that found records, or none.
func (m *Meter) polled(records int) {
	if m == nil {
		return
	}
	m.ofMapping("PolledEventCount", records)
	m.ofMapping("FilteredOutEventCount", 0)
}

// invoked is an invocation with records that was sent at a time and has ended. failed is how
// many of the records have to be redelivered.
func (m *Meter) invoked(batch []Record, sent time.Time, failed int, failure error) {
	if m == nil {
		return
	}
	m.ofMapping("InvokedEventCount", len(batch))
	m.ofMapping("FailedInvokeEventCount", failed)
	if errors.Is(failure, ErrThrottled) {
		m.ofFunction("Throttles", "Count", 1)
		return
	}

	errorCount := 0.0
	if failure != nil && !errors.Is(failure, errAnswer) {
		errorCount = 1
	}
	m.ofFunction("Invocations", "Count", 1)
	m.ofFunction("Errors", "Count", errorCount)
	m.ofFunction("Throttles", "Count", 0)
	age := sent.Sub(batch[len(batch)-1].Created)
	m.ofFunction("IteratorAge", "Milliseconds", float64(max(age, 0).Milliseconds()))
}

// delivered is a batch that the on-failure destination has taken.
func (m *Meter) delivered(records int) {
	if m != nil {
		m.ofMapping("OnFailureDestinationDeliveredEventCount", records)
	}
}

// dropped is a batch that was discarded, and of which no destination knows.
func (m *Meter) dropped(records int) {
	if m != nil {
		m.ofMapping("DroppedEventCount", records)
	}
}

// undelivered is a batch that the on-failure destination has not taken.
func (m *Meter) undelivered() {
	if m != nil {
		m.ofFunction("DestinationDeliveryFailures", "Count", 1)
	}
}

func (m *Meter) ofFunction(name, unit string, value float64) {
	m.emit(name, unit, functionDimension, m.FunctionName, value)
}

func (m *Meter) ofMapping(name string, value int) {
	m.emit(name, "Count", mappingDimension, m.UUID, float64(value))
}

func (m *Meter) emit(name, unit, dimension, of string, value float64) {
	m.Emit(emf.Sample{
		Namespace: namespace, Name: name, Unit: unit, Dimensions: map[string]string{dimension: of},
		At: time.Now(), Value: value,
	})
}

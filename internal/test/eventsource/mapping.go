package eventsource

import (
	"context"
	"time"
)

// Handler is a function behind an event source mapping: it gets an event and
// answers. Its context has the function's deadline.
//
// Writes that a handler made before it failed stay made. A panic ends the test;
// Lambda would treat it as an error.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// Mapping is an event source mapping. Its zero value is the one that Lambda makes
// by default, but for MaxRetryAttempts. A Mapping keeps nothing between two calls
// of Drain.
type Mapping struct {
	// BatchSize is the highest number of records in a batch, 1 to 10,000.
	// 0: 100, as in Lambda.
	BatchSize int
	// MaxPayloadBytes is the highest size of an event. A larger record is delivered
	// alone. 0: 6 MB, as in Lambda, where it cannot be changed.
	MaxPayloadBytes int
	// Bisect is BisectBatchOnFunctionError: split a batch that failed.
	Bisect bool
	// PartialResponses is ReportBatchItemFailures: read the answers.
	PartialResponses bool
	// MaxRetryAttempts is how often a batch is delivered again before it is
	// discarded, 0 to 10,000. -1: until it is done, Lambda's default.
	MaxRetryAttempts int
	// ParallelizationFactor is how many batches of one shard are in flight at
	// once, 1 to 10. 0: 1, as in Lambda.
	ParallelizationFactor int
	// Timeout is the function's, at most 15 minutes. 0: none, and the handler
	// then runs in the goroutine of its lane.
	Timeout time.Duration
	// RetryDelay is the wait between a failure and the next invocation with
	// records of the same batch. Lambda does not tell its own.
	RetryDelay time.Duration
	// MaxRecordAge is MaximumRecordAgeInSeconds: older records are discarded. 0: none,
	// Lambda's default.
	MaxRecordAge time.Duration
	// Retention is how long the stream keeps a record. An older one is lost without a
	// trace. 0: for as long as the test runs; 24 hours in DynamoDB.
	Retention time.Duration
	// OnFailure is the on-failure destination. It gets discarded records, one call
	// at a time. With an error it did not take them. nil: none.
	OnFailure func(Discarded) error
	// Meter gets what CloudWatch counts of the mapping and of its function. nil: nobody.
	Meter *Meter
	// Disturb is called for every lane before its first batch. It returns the
	// accidents of that lane; nil: none. Lanes run concurrently: for a run that can
	// be repeated, decisions of one lane must not depend on those of another. See
	// [Seeded].
	//
	// A lane is one of the ParallelizationFactor parts of a shard. Lanes are
	// numbered from 0 in the order of the shards, lanes without records included.
	Disturb func(lane int) Disturbances
}

// Disturbances decide, for one lane, where AWS leaves a choice and which accidents
// happen. The functions are called by one goroutine.
type Disturbances struct {
	// Cut returns how many of the available records to take for the next batch, 1
	// to available. nil: all of them.
	Cut func(available int) int
	// Crash reports whether the answer of the last invocation is lost: whatever the
	// handler did and answered, its batch has failed. nil: never.
	Crash func() bool
	// Rewind returns how many of the lane's records before the checkpoint to
	// redeliver, 0 to done. It is called after a batch that moved the lane further
	// than ever, so a lane always ends. Discarded records are redelivered too.
	// nil: none.
	Rewind func(done int) int
}

// Shard is a sequence of records, oldest first.
type Shard struct {
	ID string
	// Parent is the ID of the shard that this one continues. With "", or a shard
	// that is not drained in the same call, it waits for none.
	Parent  string
	Records []Record
}

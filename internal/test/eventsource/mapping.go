package eventsource

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"
)

// What CreateEventSourceMapping allows, and Lambda's defaults and quotas.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	defaultBatchSize    = 100
	highestBatchSize    = 10_000
	highestPayloadBytes = 6 << 20
	noRetryLimit        = -1
	highestRetryLimit   = 10_000
	lowestAgeLimit      = time.Minute
	highestAgeLimit     = 7 * 24 * time.Hour
	highestParallelism  = 10
	highestTimeout      = 15 * time.Minute
)

// Handler is a function behind an event source mapping: it gets an event and
// answers. Its context has the function's deadline.
//
// What a handler did before it failed has happened. One that panics takes the
// test down with it, which Lambda would treat as an error.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// Mapping is an event source mapping. Its zero value is the one that Lambda makes
// by default, but for MaxRetryAttempts. A Mapping keeps nothing between two calls
// of Drain.
type Mapping struct {
	// BatchSize is the highest number of records in a batch, 1 to 10,000.
	// 0: 100, as in Lambda.
	BatchSize int
	// MaxPayloadBytes is the highest size of an event. A record that is larger
	// still is delivered, alone. 0: 6 MB, as in Lambda, where it cannot be changed.
	MaxPayloadBytes int
	// Bisect is BisectBatchOnFunctionError: split a batch that failed.
	Bisect bool
	// PartialResponses is ReportBatchItemFailures: read the answers.
	PartialResponses bool
	// MaxRetryAttempts is how often a batch is delivered again before it is
	// discarded, 0 to 10,000. -1: until it is done, Lambda's default.
	MaxRetryAttempts int
	// MaxRecordAge is the age at which a record is discarded, 1 minute to 7 days.
	// Zero or less: none, Lambda's default.
	MaxRecordAge time.Duration
	// ParallelizationFactor is how many batches of one shard are under way at
	// once, 1 to 10. 0: 1, as in Lambda.
	ParallelizationFactor int
	// Timeout is the function's, at most 15 minutes. 0: none, and the handler
	// then runs in the goroutine of its lane.
	Timeout time.Duration
	// RetryDelay is the wait between a failure and the next invocation with
	// records of the same batch. Lambda does not tell its own.
	RetryDelay time.Duration
	// OnFailure is the on-failure destination. It gets what is discarded, one call
	// at a time. nil: none.
	OnFailure func(Discarded)
	// Disturb is called for every lane before its first batch. What it returns
	// decides what happens to that lane by accident; nil: nothing. Lanes run
	// concurrently: for a run that can be repeated, decisions of one lane must not
	// depend on those of another. See [Seeded].
	//
	// A lane is one of the ParallelizationFactor parts of a shard. Lanes are
	// numbered from 0 in the order of the shards, those without records too.
	Disturb func(lane int) Disturbances
}

// Disturbances are the decisions about what AWS leaves open and about accidents,
// for one lane. The functions are called by one goroutine.
type Disturbances struct {
	// Cut returns how many of the available records to take for the next batch, 1
	// to available. nil: all of them.
	Cut func(available int) int
	// Crash reports whether the answer that an invocation has just given is lost:
	// whatever the handler did and said, its batch has failed. nil: never.
	Crash func() bool
	// Rewind returns how many of the lane's records before the checkpoint to
	// deliver again, 0 to done. It is asked after a batch that took the lane
	// further than ever, so a lane always ends. Discarded records come again too.
	// nil: none.
	Rewind func(done int) int
}

// Shard is a sequence of records, oldest first.
type Shard struct {
	ID string
	// Parent is the ID of the shard that this one continues. "" or a shard that is
	// not drained in the same call: it waits for none.
	Parent  string
	Records []Record
}

// Condition is why records were discarded, in Lambda's words.
type Condition string

// The conditions.
const (
	RetryAttemptsExhausted Condition = "RetryAttemptsExhausted"
	RecordAgeExceeded      Condition = "RecordAgeExceeded"
)

// Discarded is what the on-failure destination gets about records that the
// mapping has given up on.
type Discarded struct {
	Condition           Condition
	ShardID             string
	StartSequenceNumber string
	EndSequenceNumber   string
	// BatchSize is the number of records.
	BatchSize int
	// Payload is the event with the records. Only an S3 bucket gets it: a test
	// whose destination is a queue or a topic must not look at it.
	Payload []byte
}

// Stats counts what happened.
type Stats struct {
	Batches        int // cut from a shard, not counting what comes again
	Invocations    int
	Delivered      int // records in all invocations
	Redelivered    int // records in all invocations that had been delivered before
	Retries        int // of a batch or of what was left of it
	Splits         int // of a batch in two
	PartialAnswers int // that named a record after the first
	InvalidAnswers int // that failed their batch because they could not be read
	Errors         int // that the handler returned
	Timeouts       int // answers that came too late or not at all
	Crashes        int // answers that a Disturbances lost
	Rewinds        int
	Discarded      int // records, RecordAgeExceeded and RetryAttemptsExhausted
}

func (s *Stats) add(more Stats) {
	s.Batches += more.Batches
	s.Invocations += more.Invocations
	s.Delivered += more.Delivered
	s.Redelivered += more.Redelivered
	s.Retries += more.Retries
	s.Splits += more.Splits
	s.PartialAnswers += more.PartialAnswers
	s.InvalidAnswers += more.InvalidAnswers
	s.Errors += more.Errors
	s.Timeouts += more.Timeouts
	s.Crashes += more.Crashes
	s.Rewinds += more.Rewinds
	s.Discarded += more.Discarded
}

// Drain delivers the records of the shards until each is done or discarded. Shards
// that do not continue one another are drained concurrently.
//
// An error means that the mapping or the shards are not what Lambda would accept,
// and nothing was delivered; or that the context ended before the records did.
// It then tells where each lane stood and why its last invocation failed.
//
// Inside a testing/synctest bubble all waiting is in fake time.
func (m *Mapping) Drain(ctx context.Context, shards []Shard, handle Handler) (Stats, error) {
	settings, err := m.settings()
	if err != nil {
		return Stats{}, err
	}
	if err := checkShards(shards); err != nil {
		return Stats{}, err
	}
	var (
		destination sync.Mutex
		lanes       [][]*lane
		finished    = make(map[string]chan struct{}, len(shards))
	)
	for _, shard := range shards {
		finished[shard.ID] = make(chan struct{})
		var ofShard []*lane
		for _, records := range split(shard.Records, settings.ParallelizationFactor) {
			l := &lane{mapping: settings, handle: handle, destination: &destination, shardID: shard.ID, records: records}
			if settings.Disturb != nil {
				l.disturb = settings.Disturb(len(lanes)*settings.ParallelizationFactor + len(ofShard))
			}
			ofShard = append(ofShard, l)
		}
		lanes = append(lanes, ofShard)
	}

	errs := make([]error, len(shards))
	var all sync.WaitGroup
	for i, shard := range shards {
		all.Go(func() {
			defer close(finished[shard.ID])
			if parent, ok := finished[shard.Parent]; ok {
				<-parent
			}
			errs[i] = run(ctx, lanes[i])
		})
	}
	all.Wait()

	var stats Stats
	for _, ofShard := range lanes {
		for _, l := range ofShard {
			stats.add(l.stats)
		}
	}
	return stats, errors.Join(errs...)
}

// run drains the lanes of one shard.
func run(ctx context.Context, lanes []*lane) error {
	errs := make([]error, len(lanes))
	var all sync.WaitGroup
	for i, l := range lanes {
		all.Go(func() { errs[i] = l.drain(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// split deals the records of a shard out to lanes: all records of one item to the
// same one, in order.
func split(records []Record, lanes int) [][]Record {
	if lanes == 1 {
		return [][]Record{records}
	}
	dealt := make([][]Record, lanes)
	for _, r := range records {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Item)) // a hash never fails
		i := h.Sum32() % uint32(lanes) // #nosec G115 -- at most highestParallelism
		dealt[i] = append(dealt[i], r)
	}
	return dealt
}

// settings returns the mapping with its defaults filled in, or everything that
// Lambda would refuse.
func (m *Mapping) settings() (Mapping, error) {
	s := *m
	if s.BatchSize == 0 {
		s.BatchSize = defaultBatchSize
	}
	if s.MaxPayloadBytes == 0 {
		s.MaxPayloadBytes = highestPayloadBytes
	}
	if s.ParallelizationFactor == 0 {
		s.ParallelizationFactor = 1
	}
	var errs []error
	check := func(ok bool, format string, arguments ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("event source mapping: "+format, arguments...))
		}
	}
	check(s.BatchSize >= 1 && s.BatchSize <= highestBatchSize,
		"BatchSize %d is not 1 to %d", s.BatchSize, highestBatchSize)
	check(s.MaxPayloadBytes >= 1 && s.MaxPayloadBytes <= highestPayloadBytes,
		"MaxPayloadBytes %d is not 1 to %d", s.MaxPayloadBytes, highestPayloadBytes)
	check(s.MaxRetryAttempts >= noRetryLimit && s.MaxRetryAttempts <= highestRetryLimit,
		"MaxRetryAttempts %d is not -1 to %d", s.MaxRetryAttempts, highestRetryLimit)
	check(s.MaxRecordAge <= 0 || s.MaxRecordAge >= lowestAgeLimit && s.MaxRecordAge <= highestAgeLimit,
		"MaxRecordAge %s is not %s to %s", s.MaxRecordAge, lowestAgeLimit, highestAgeLimit)
	check(s.ParallelizationFactor >= 1 && s.ParallelizationFactor <= highestParallelism,
		"ParallelizationFactor %d is not 1 to %d", s.ParallelizationFactor, highestParallelism)
	check(s.Timeout >= 0 && s.Timeout <= highestTimeout,
		"Timeout %s is not 0 to %s", s.Timeout, highestTimeout)
	check(s.RetryDelay >= 0, "RetryDelay %s is negative", s.RetryDelay)
	return s, errors.Join(errs...)
}

// checkShards returns an error unless every shard has an ID of its own and comes
// after its parent.
func checkShards(shards []Shard) error {
	position := make(map[string]int, len(shards))
	for i, s := range shards {
		if s.ID == "" {
			return fmt.Errorf("shard number %d has no ID", i)
		}
		if _, taken := position[s.ID]; taken {
			return fmt.Errorf("two shards have the ID %s", s.ID)
		}
		position[s.ID] = i
	}
	for i, s := range shards {
		if parent, ok := position[s.Parent]; ok && parent >= i {
			return fmt.Errorf("shard %s comes before its parent %s", s.ID, s.Parent)
		}
	}
	return nil
}

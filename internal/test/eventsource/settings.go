package eventsource

import (
	"errors"
	"fmt"
	"time"
)

// The limits of CreateEventSourceMapping, and Lambda's defaults and quotas. Sources:
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	defaultBatchSize    = 100
	highestBatchSize    = 10_000
	highestPayloadBytes = 6 << 20
	noRetryLimit        = -1
	highestRetryLimit   = 10_000
	highestParallelism  = 10
	highestTimeout      = 15 * time.Minute
	lowestRecordAge     = time.Minute
	highestRecordAge    = 7 * 24 * time.Hour
)

// settings returns the mapping with its defaults filled in, or an error with
// everything that Lambda would refuse.
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
	check(s.ParallelizationFactor >= 1 && s.ParallelizationFactor <= highestParallelism,
		"ParallelizationFactor %d is not 1 to %d", s.ParallelizationFactor, highestParallelism)
	check(s.Timeout >= 0 && s.Timeout <= highestTimeout,
		"Timeout %s is not 0 to %s", s.Timeout, highestTimeout)
	check(s.RetryDelay >= 0, "RetryDelay %s is negative", s.RetryDelay)
	check(s.MaxRecordAge == 0 || s.MaxRecordAge >= lowestRecordAge && s.MaxRecordAge <= highestRecordAge,
		"MaxRecordAge %s is not %s to %s", s.MaxRecordAge, lowestRecordAge, highestRecordAge)
	check(s.Retention >= 0, "Retention %s is negative", s.Retention)

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

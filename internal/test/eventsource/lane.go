package eventsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// lane delivers a sequence of records, one batch after the other.
type lane struct {
	mapping     Mapping // with its defaults filled in
	handle      Handler
	disturb     Disturbances
	destination *sync.Mutex // held while OnFailure is called
	shardID     string
	records     []Record
	stats       Stats
	// seen is the position up to which records have been delivered at least once.
	seen int
	// at is the position of the first record that is neither done nor given up, once the
	// lane has ended.
	at int
	// failure is why the last failed invocation failed, nil before the first.
	failure error
}

var (
	errTimeout = errors.New("no answer before the deadline")
	errCrash   = errors.New("the answer was lost")
	errAnswer  = errors.New("the answer cannot be read")
)

// drain delivers all the records. It returns an error when the context ends first.
func (l *lane) drain(ctx context.Context) error {
	for next, furthest := 0, 0; next < len(l.records); {
		if err := ctx.Err(); err != nil {
			return l.stopped(err, next)
		}
		to := next + l.cut(next)
		l.stats.Batches++
		if err := l.deliver(ctx, next, to, 0); err != nil {
			return err
		}
		next = to
		if next > furthest {
			furthest = next
			next -= l.rewind(next)
		}
	}
	l.at = len(l.records)
	return nil
}

// cut returns the size of the batch that begins at next.
func (l *lane) cut(next int) int {
	available, size := 0, len(eventStart)+len(eventEnd)
	for _, r := range l.records[next:] {
		size += len(r.JSON) + len(",")
		if available == l.mapping.BatchSize || available > 0 && size > l.mapping.MaxPayloadBytes {
			break
		}
		available++
	}

	if l.disturb.Cut == nil {
		return available
	}
	n := l.disturb.Cut(available)
	if n < 1 || n > available {
		panic(fmt.Sprintf("eventsource: Cut returned %d of %d available records", n, available))
	}

	return n
}

// rewind returns how many of the done records are redelivered.
func (l *lane) rewind(done int) int {
	if l.disturb.Rewind == nil {
		return 0
	}
	n := l.disturb.Rewind(done)
	if n < 0 || n > done {
		panic(fmt.Sprintf("eventsource: Rewind returned %d of %d done records", n, done))
	}
	if n > 0 {
		l.stats.Rewinds++
	}

	return n
}

// deliver invokes the handler with records[from:to] until each of them is done or
// discarded. retries is how many they have used already.
func (l *lane) deliver(ctx context.Context, from, to, retries int) error {
	for {
		if from = l.expire(from, to); from == to {
			return nil
		}
		again, failure := l.invoke(ctx, from, to)
		if err := ctx.Err(); err != nil {
			return l.stopped(err, from)
		}
		if failure != nil {
			l.failure = failure
		}
		switch {
		case again == to:
			return nil
		case l.mapping.Bisect && failure != nil && to-from > 1:
			l.stats.Splits++
			middle := from + (to-from)/2
			if err := l.wait(ctx, from); err != nil {
				return err
			}
			if err := l.deliver(ctx, from, middle, retries); err != nil {
				return err
			}
			from = middle
			continue // without another wait: this part has not failed by itself yet
		case l.mapping.Bisect && again > from:
			l.stats.Splits++
		case retries == l.mapping.MaxRetryAttempts:
			l.discard(RetryAttemptsExhausted, again, to)
			return nil
		default:
			l.stats.Retries++
			retries++
		}
		from = again
		if err := l.wait(ctx, from); err != nil {
			return err
		}
	}
}

// expire returns the position of the first record of records[from:to] that is not too old.
// What the stream has dropped is lost; what is older than the mapping allows is discarded.
func (l *lane) expire(from, to int) int {
	older := func(at int, limit time.Duration) int {
		for limit > 0 && at < to && time.Since(l.records[at].Created) > limit {
			at++
		}
		return at
	}

	kept := older(from, l.mapping.Retention)
	l.stats.Trimmed += kept - from
	young := older(kept, l.mapping.MaxRecordAge)
	if young > kept {
		l.discard(EventAgeExceeded, kept, young)
	}

	return young
}

// invoke delivers records[from:to] once, and tells the meter. It returns the position of the first record
// to redeliver, to when all are done, and from with an error when the batch failed
// as a whole.
func (l *lane) invoke(ctx context.Context, from, to int) (again int, failure error) {
	sent := time.Now()
	again, failure = l.attempt(ctx, from, to)
	l.mapping.Meter.invoked(l.records[from:to], sent, to-again, failure)
	return again, failure
}

func (l *lane) attempt(ctx context.Context, from, to int) (again int, failure error) {
	batch := l.records[from:to]
	l.stats.Invocations++
	l.stats.Delivered += len(batch)
	l.stats.Redelivered += max(0, min(l.seen, to)-from)
	l.seen = max(l.seen, to)

	answer, err := l.call(ctx, eventOf(batch))
	switch {
	case l.disturb.Crash != nil && l.disturb.Crash():
		l.stats.Crashes++
		return from, errCrash
	case errors.Is(err, errTimeout):
		l.stats.Timeouts++
		return from, err
	case err != nil:
		l.stats.Errors++
		return from, err
	case !l.mapping.PartialResponses:
		return to, nil
	}

	done, err := checkpoint(answer, batch)
	switch {
	case err != nil:
		l.stats.InvalidAnswers++
		return from, fmt.Errorf("%w: %w", errAnswer, err)
	case done < len(batch):
		if done > 0 {
			l.stats.PartialAnswers++
		}
		l.failure = fmt.Errorf("the answer was %s", answer)
	}

	return from + done, nil
}

// call calls the handler. An answer after the deadline does not count, yet call waits
// for it as long again: Lambda ends a function at its deadline, so a late handler must
// not write after the next invocation has begun.
func (l *lane) call(ctx context.Context, payload []byte) ([]byte, error) {
	if l.mapping.Timeout == 0 {
		return l.handle(ctx, payload)
	}
	abandon := time.NewTimer(2 * l.mapping.Timeout)
	defer abandon.Stop()
	ctx, cancel := context.WithTimeout(ctx, l.mapping.Timeout)
	defer cancel()

	type response struct {
		answer []byte
		err    error
	}
	responses := make(chan response, 1)
	go func() {
		answer, err := l.handle(ctx, payload)
		if ctx.Err() != nil {
			answer, err = nil, errTimeout
		}
		responses <- response{answer, err}
	}()

	select {
	case r := <-responses:
		return r.answer, r.err
	case <-abandon.C:
		return nil, errTimeout
	}
}

// discard gives up on records[from:to].
func (l *lane) discard(why Condition, from, to int) {
	batch := l.records[from:to]
	l.stats.Discarded += len(batch)
	if l.mapping.OnFailure == nil {
		l.mapping.Meter.dropped(len(batch))
		return
	}
	l.destination.Lock()
	defer l.destination.Unlock()
	err := l.mapping.OnFailure(Discarded{
		Condition:           why,
		ShardID:             l.shardID,
		StartSequenceNumber: batch[0].SequenceNumber,
		EndSequenceNumber:   batch[len(batch)-1].SequenceNumber,
		First:               batch[0].Created,
		Last:                batch[len(batch)-1].Created,
		BatchSize:           len(batch),
		Payload:             eventOf(batch),
	})
	if err != nil {
		l.mapping.Meter.undelivered()
		l.mapping.Meter.dropped(len(batch))
		return
	}
	l.mapping.Meter.delivered(len(batch))
}

// wait waits before records[from:] are redelivered.
func (l *lane) wait(ctx context.Context, from int) error {
	if l.mapping.RetryDelay > 0 {
		delay := time.NewTimer(l.mapping.RetryDelay)
		defer delay.Stop()
		select {
		case <-delay.C:
		case <-ctx.Done():
		}
	}

	if err := ctx.Err(); err != nil {
		return l.stopped(err, from)
	}

	return nil
}

// stopped says where the lane was when the context ended.
func (l *lane) stopped(err error, at int) error {
	l.at = at
	err = fmt.Errorf("shard %s: stopped at record %s with %d of %d done: %w",
		l.shardID, l.records[at].SequenceNumber, at, len(l.records), err)
	if l.failure != nil {
		err = fmt.Errorf("%w; the last failure was: %w", err, l.failure)
	}

	return err
}

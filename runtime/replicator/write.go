package replicator

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// inFlight is how many requests are under way at once. More does not help at the
// default memory of 256 MB, a seventh of a core.
const inFlight = 8

// The replicator stops sending this long before the function's deadline, so that
// it always answers: a killed invocation reports nothing and starts from its
// first record again.
const (
	minReserve      = 2 * time.Second
	reserveFraction = 10 // of the time that is left when writing starts
)

// Full jitter: a random wait between 0 and a bound that doubles with each retry.
const (
	baseBackoff = 50 * time.Millisecond
	maxBackoff  = 2 * time.Second
)

// table sends one request whose body is ready. The body is not used any more
// once the call has returned.
type table interface {
	// batchWriteItem returns the writes that DynamoDB left unprocessed.
	batchWriteItem(ctx context.Context, body []byte) (unprocessed []types.WriteRequest, err error)
	// putItem and deleteItem report whether the condition held. It is not an
	// error when it did not.
	putItem(ctx context.Context, body []byte) (applied bool, err error)
	deleteItem(ctx context.Context, body []byte) (applied bool, err error)
}

// writer carries out plans.
type writer struct {
	table    table
	mappings []mapping
	encoders []*encoder
}

func newWriter(t table, mappings []mapping) *writer {
	w := &writer{table: t, mappings: mappings}
	for i := range mappings {
		w.encoders = append(w.encoders, newEncoder(&mappings[i]))
	}
	return w
}

// write carries out a plan and returns a failure for every chain that was not
// applied whole.
func (w *writer) write(ctx context.Context, p *plan) []failure {
	ctx, cancel := stopSendingBeforeDeadline(ctx)
	defer cancel()
	r := &result{}
	w.sendAll(ctx, p.first, r)
	w.sendAll(ctx, p.then, r)
	failures := make([]failure, 0, len(r.errs))
	for chain, err := range r.errs {
		failures = append(failures, failure{p.chains[chain].first, err})
	}
	return failures
}

// result collects the chains that failed.
type result struct {
	mu   sync.Mutex
	errs map[int]error // by chain; the first error of each
}

func (r *result) fail(writes []write, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.errs == nil {
		r.errs = map[int]error{}
	}
	for i := range writes {
		if _, failed := r.errs[writes[i].chain]; !failed {
			r.errs[writes[i].chain] = err
		}
	}
}

// without removes the writes of chains that failed.
func (r *result) without(writes []write) []write {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errs) == 0 {
		return writes
	}
	return slices.DeleteFunc(writes, func(w write) bool {
		_, failed := r.errs[w.chain]
		return failed
	})
}

func stopSendingBeforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	reserve := max(minReserve, time.Until(deadline)/reserveFraction)
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}

// sendAll sends the batches, inFlight at a time, and waits for all of them.
func (w *writer) sendAll(ctx context.Context, batches []batch, r *result) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(inFlight, len(batches)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(batches) {
					return
				}
				w.send(ctx, batches[i], r)
			}
		})
	}
	workers.Wait()
}

func (w *writer) send(ctx context.Context, b batch, r *result) {
	writes := r.without(b.writes)
	switch {
	case len(writes) == 0:
	case w.mappings[b.mapping].versionAttribute != "":
		w.sendGuarded(ctx, b.mapping, writes, r)
	default:
		w.sendBatch(ctx, b.mapping, writes, r)
	}
}

// sendBatch sends one BatchWriteItem call, and what it leaves unprocessed again
// until nothing is left or the time is up.
func (w *writer) sendBatch(ctx context.Context, mapping int, writes []write, r *result) {
	for attempt := 0; ; attempt++ {
		unprocessed, err := w.table.batchWriteItem(ctx, w.encoders[mapping].appendBatch(nil, writes))
		if err == nil && len(unprocessed) > 0 {
			writes, err = w.stillPending(mapping, writes, unprocessed)
			if err == nil {
				err = sleep(ctx, backoff(attempt))
			}
		}
		if err != nil {
			r.fail(writes, fmt.Errorf("write to %s: %w", w.mappings[mapping].tableName, err))
			return
		}
		if len(unprocessed) == 0 {
			return
		}
	}
}

// errUnprocessed says that DynamoDB kept leaving writes unprocessed.
var errUnprocessed = errors.New("the table kept leaving writes unprocessed until the time was up: its capacity or its partition limit is exceeded")

// stillPending picks the writes that DynamoDB left unprocessed, by their key. On
// an error all of writes are pending.
func (w *writer) stillPending(mapping int, writes []write, unprocessed []types.WriteRequest) ([]write, error) {
	m := &w.mappings[mapping]
	pending := make([]write, 0, len(unprocessed))
	for _, u := range unprocessed {
		attributes := map[string]types.AttributeValue{}
		switch {
		case u.PutRequest != nil:
			attributes = u.PutRequest.Item
		case u.DeleteRequest != nil:
			attributes = u.DeleteRequest.Key
		}
		identity, err := m.identity(attributes)
		if err != nil {
			return writes, fmt.Errorf("an unprocessed write cannot be told: %w", err)
		}
		at := slices.IndexFunc(writes, func(w write) bool { return string(w.item.key) == string(identity) })
		if at < 0 {
			return writes, errors.New("an unprocessed write is none of those that were sent")
		}
		pending = append(pending, writes[at])
	}
	return pending, nil
}

// identity returns the identity of a target item that the SDK has decoded.
func (m *mapping) identity(attributes map[string]types.AttributeValue) ([]byte, error) {
	var identity []byte
	for _, k := range m.key {
		var typ, text string
		switch v := attributes[k.name].(type) {
		case *types.AttributeValueMemberS:
			typ, text = "S", v.Value
		case *types.AttributeValueMemberN:
			typ, text = "N", v.Value
		case *types.AttributeValueMemberB:
			typ, text = "B", base64.StdEncoding.EncodeToString(v.Value)
		default:
			return nil, fmt.Errorf("it has no key attribute %q", k.name)
		}
		var err error
		if identity, err = k.appendIdentity(identity, fmt.Appendf(nil, `{%q:%s}`, typ, quote(text))); err != nil {
			return nil, err
		}
	}
	return identity, nil
}

// sendGuarded sends conditional writes, one request each. A condition that does
// not hold means that the target already has something newer: the write is done.
func (w *writer) sendGuarded(ctx context.Context, mapping int, writes []write, r *result) {
	for i := range writes {
		send := w.table.deleteItem
		if writes[i].put {
			send = w.table.putItem
		}
		if _, err := send(ctx, w.encoders[mapping].appendGuarded(nil, &writes[i])); err != nil {
			r.fail(writes[i:i+1], fmt.Errorf("conditional write to %s: %w", w.mappings[mapping].tableName, err))
		}
	}
}

// backoff is how long to wait before retry number attempt, counted from 0.
func backoff(attempt int) time.Duration {
	bound := maxBackoff
	if attempt < 16 { // beyond, the shift is far over maxBackoff
		bound = min(maxBackoff, baseBackoff<<attempt)
	}
	return rand.N(bound) // #nosec G404 -- jitter needs no secrecy
}

// sleep waits, unless the time to send is up before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errUnprocessed
	}
}

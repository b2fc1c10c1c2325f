package replicator

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// How many requests are under way at once. A function's CPU grows with its memory:
// with 256 MiB, a seventh of a core, more than 8 requests only wait for each other;
// with more, more of the time passes in waiting for the table. One per 32 MiB fits
// both; make bench measures 8 and 40.
const (
	mebibytesPerRequest = 32
	minInFlight         = 8
	maxInFlight         = 64
)

// inFlightWith returns how many requests are under way in a function with that
// much memory.
func inFlightWith(mebibytes int) int {
	return min(max(mebibytes/mebibytesPerRequest, minInFlight), maxInFlight)
}

// Full jitter: a random wait between 0 and a bound that doubles with each retry.
const (
	baseBackoff = 50 * time.Millisecond
	maxBackoff  = 2 * time.Second
)

// table sends one request whose body is ready.
type table interface {
	// batchWriteItem returns the writes that DynamoDB left unprocessed.
	batchWriteItem(ctx context.Context, body *requestBody) (unprocessed []types.WriteRequest, err error)
	// putItem and deleteItem send conditional writes. It is no error when the
	// condition does not hold: the table then has something newer, and a put is not
	// stored.
	putItem(ctx context.Context, body *requestBody) (stored bool, err error)
	deleteItem(ctx context.Context, body *requestBody) error
}

// writer carries out plans.
type writer struct {
	table    table
	mappings []mapping
	encoders []*encoder
	brakes   []*brake // of each mapping
	inFlight int
	// bodies holds the memory of request bodies that nobody reads any more.
	bodies spares[requestBody]
}

func newWriter(t table, mappings []mapping, inFlight int) *writer {
	w := &writer{table: t, mappings: mappings, inFlight: inFlight}
	for i := range mappings {
		w.encoders = append(w.encoders, newEncoder(&mappings[i]))
		w.brakes = append(w.brakes, &brake{disabled: mappings[i].brakeDisabled})
	}
	return w
}

// write carries out a plan. It returns a failure for every chain that was not
// applied whole, or only the systemic one if there is one.
//
// It sends in rounds. A round sends everything that can be sent now; what it
// leaves behind goes into the next one after a wait, so that one write that the
// table does not take holds nothing up but itself. The deletes of moved items are
// sent as soon as their puts are done. What is deleted because a put was refused
// waits until it is clear that the table is not wrong. done counts the puts of the same
// invocation that earlier plans have carried out, by mapping; nil is none.
func (w *writer) write(ctx context.Context, p plan, done []int) []failure {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &result{left: make([][]write, len(w.mappings)), cancel: cancel}
	if failures := w.probe(ctx, p, r); failures != nil {
		return failures
	}
	send, wait := p.first, p.then
	for round := 0; ; round++ {
		w.sendAll(ctx, p.event, send, r)
		left := r.takeLeft()
		w.judge(p, done, left, r)
		if r.systemic != nil {
			return []failure{{0, everyMapping, systemic, r.systemic}}
		}
		ready, waiting := r.release(wait)
		r.removals(ready)
		if count(left)+count(ready) == 0 {
			return r.failures(p.chains)
		}
		if ctx.Err() == nil && count(ready) == 0 {
			sleep(ctx, backoff(round))
		}
		if ctx.Err() != nil {
			for i := range w.mappings {
				r.hold(slices.Concat(left[i], ready[i], waiting[i]), errTimeIsUp)
			}
			r.holdUndecided(errUndecided)
			return r.failures(p.chains)
		}
		for i := range left {
			left[i] = append(left[i], ready[i]...)
		}
		send, wait = left, waiting
	}
}

// probe sends one put to each table whose brake is on. It returns what has failed when
// the table refuses it again or does not answer. Otherwise the whole plan is sent, and
// as long as the brake is on the first refusal stops it.
func (w *writer) probe(ctx context.Context, p plan, r *result) []failure {
	for i, b := range w.brakes {
		if !b.isOn() {
			continue
		}
		puts := slices.DeleteFunc(slices.Clone(p.first[i]), func(w write) bool { return !w.put })
		if len(puts) == 0 {
			continue
		}
		// Any of them, as the first one may be the only one that the table refuses.
		at := rand.IntN(len(puts)) // #nosec G404 -- it needs no secrecy
		w.send(ctx, batch{p.event, i, puts[at : at+1]}, r)
		if r.systemic != nil {
			return []failure{{0, everyMapping, systemic, r.systemic}}
		}
		if left := r.takeLeft()[i]; len(left) > 0 {
			why := fmt.Errorf("the table has refused too many puts, and now does not answer: %w", r.pending[left[0].chain])
			return []failure{{0, i, transient, why}}
		}
	}

	return nil
}

// judge decides about the tables that have refused puts of the plan: they are wrong, or
// the refusals are the items' own, or that is not clear as long as puts have no answer.
func (w *writer) judge(p plan, done []int, left [][]write, r *result) {
	for i, b := range w.brakes {
		refused, why := r.undecided(i)
		if refused == 0 {
			continue
		}
		puts := countPuts(p.first[i])
		if done != nil {
			puts += done[i]
		}
		if b.isUndecided(puts, refused, countPuts(left[i])) {
			continue
		}
		if b.judge(puts, refused) {
			r.stop(&brakeError{w.mappings[i].tableName, why})
			return
		}
		r.decide(i)
	}
}

func count(writes [][]write) int {
	n := 0
	for i := range writes {
		n += len(writes[i])
	}
	return n
}

func countPuts(writes []write) int {
	n := 0
	for i := range writes {
		if writes[i].put {
			n++
		}
	}
	return n
}

// result collects what was not written.
type result struct {
	cancel context.CancelFunc

	mu sync.Mutex
	// left holds the writes that this round leaves to the next, by mapping.
	left [][]write
	// pending holds why a chain has writes left, by chain. When the time is up,
	// these are the chains that have failed.
	pending map[int]error
	// refused holds the writes that can never be carried out, by chain.
	refused map[int]refusal
	// systemic is the first error that is no chain's own. It ends all sending.
	systemic error
}

// refusal is a write that the table does not take.
type refusal struct {
	mapping int
	write   write
	err     error
	// undecided says that the table may be wrong: nothing of the item is deleted.
	undecided bool
	removed   bool // what stands under its key is being deleted
}

// leave leaves writes to the next round.
func (r *result) leave(mapping int, writes []write, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left[mapping] = append(r.left[mapping], writes...)
	r.hold(writes, why)
}

// refuse records a write that can never be carried out, or whose table may be wrong.
func (r *result) refuse(mapping int, write write, err error, undecided bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused == nil {
		r.refused = map[int]refusal{}
	}
	r.refused[write.chain] = refusal{mapping, write, err, undecided, !write.put}
}

// undecided counts the puts of a mapping that were refused by a table that may be wrong,
// and returns why one of them was.
func (r *result) undecided(mapping int) (refused int, why reason) {
	for _, refusal := range r.refused {
		if refusal.mapping == mapping && refusal.undecided {
			refused++
			why = reasonOf(refusal.err)
		}
	}
	return refused, why
}

// decide says that the table of a mapping is not wrong.
func (r *result) decide(mapping int) {
	for chain, refused := range r.refused {
		if refused.mapping == mapping {
			refused.undecided = false
			r.refused[chain] = refused
		}
	}
}

// holdUndecided holds the chains whose puts were refused by a table that may be
// wrong.
func (r *result) holdUndecided(why error) {
	for _, refused := range r.refused {
		if refused.undecided {
			r.hold([]write{refused.write}, why)
		}
	}
}

// stop ends all sending.
func (r *result) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.systemic == nil {
		r.systemic = err
	}
	r.cancel()
}

// takeLeft returns the writes that the round has left. The chains that have none
// are pending no more.
func (r *result) takeLeft() [][]write {
	left := r.left
	r.left = make([][]write, len(left))
	still := map[int]bool{}
	for i := range left {
		for j := range left[i] {
			still[left[i][j].chain] = true
		}
	}
	maps.DeleteFunc(r.pending, func(chain int, _ error) bool { return !still[chain] })
	return left
}

// release splits the writes that wait for their chains' puts into those that need
// to wait no more and the others.
func (r *result) release(wait [][]write) (ready, waiting [][]write) {
	ready, waiting = make([][]write, len(wait)), make([][]write, len(wait))
	for i := range wait {
		if len(r.pending) == 0 && len(r.refused) == 0 {
			ready[i] = wait[i]
			continue
		}
		for _, write := range wait[i] {
			if _, pending := r.pending[write.chain]; pending || r.refused[write.chain].undecided {
				waiting[i] = append(waiting[i], write)
			} else {
				ready[i] = append(ready[i], write)
			}
		}
	}
	return ready, waiting
}

// removals adds the deletes of what stands under the keys of puts that were
// refused. It is an older state of the item, and to show nothing is better than
// to show what is no longer so: the same rule as for a new image that cannot be
// projected.
func (r *result) removals(ready [][]write) {
	for chain, refused := range r.refused {
		if refused.removed || refused.undecided {
			continue
		}
		remove := refused.write
		remove.put = false
		ready[refused.mapping] = append(ready[refused.mapping], remove)
		refused.removed = true
		r.refused[chain] = refused
	}
}

// hold notes why the chains of writes are pending. The first reason counts.
func (r *result) hold(writes []write, why error) {
	if r.pending == nil {
		r.pending = map[int]error{}
	}
	for i := range writes {
		if _, known := r.pending[writes[i].chain]; !known {
			r.pending[writes[i].chain] = why
		}
	}
}

// failures returns what has failed in the end.
func (r *result) failures(chains []chain) []failure {
	failures := make([]failure, 0, len(r.pending)+len(r.refused))
	for chain, err := range r.pending {
		failures = append(failures, failure{chains[chain].first, chains[chain].mapping, transient, err})
	}
	for chain, refused := range r.refused {
		failures = append(failures, failure{chains[chain].last.change, chains[chain].mapping, permanent, refused.err})
	}
	return failures
}

// sendAll sends one round of writes, inFlight requests at a time, and waits for
// all of them.
func (w *writer) sendAll(ctx context.Context, e *event, writes [][]write, r *result) {
	var batches []batch
	for i := range writes {
		batches = w.mappings[i].cut(batches, e, i, writes[i])
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(w.inFlight, len(batches)) {
		workers.Go(func() {
			growStack()
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

// growStack makes the stack of a new goroutine as large as the SDK and net/http
// need it, once: otherwise it is copied each time it doubles, with all their frames
// on it.
//
//go:noinline
func growStack() {
	var room [16 << 10]byte
	runtime.KeepAlive(&room)
}

// send sends one request.
func (w *writer) send(ctx context.Context, b batch, r *result) {
	var unprocessed []types.WriteRequest
	var err error
	stored := true
	e := w.encoders[b.mapping]
	body := w.bodies.take()
	switch {
	case e.mapping.versionAttribute == "":
		body.bytes = e.appendBatch(body.bytes[:0], b.event, b.writes)
		unprocessed, err = w.table.batchWriteItem(ctx, body)
	case b.writes[0].put:
		body.bytes = e.appendGuarded(body.bytes[:0], b.event, &b.writes[0])
		stored, err = w.table.putItem(ctx, body)
	default:
		body.bytes = e.appendGuarded(body.bytes[:0], b.event, &b.writes[0])
		err = w.table.deleteItem(ctx, body)
	}
	if body.isFree() {
		w.bodies.leave(body)
	}
	left := b.writes
	switch {
	case err != nil:
		err = fmt.Errorf("write to %s: %w", e.mapping.tableName, err)
	case len(unprocessed) > 0:
		if left, err = e.mapping.pick(b, unprocessed); err == nil {
			err = errUnprocessed
		}
	default:
		left = nil
	}
	if countPuts(left) < countPuts(b.writes) {
		w.brakes[b.mapping].accept(stored)
	}
	if len(left) == 0 {
		return
	}

	switch c := classify(err); {
	case c == systemic:
		r.stop(err)
	case c == permanent && len(left) == 1:
		w.refuse(b, left[0], err, r)
	case c == permanent:
		// One bad item refuses the whole call. Halving finds it, and every call
		// without it succeeds.
		w.send(ctx, batch{b.event, b.mapping, left[:len(left)/2]}, r)
		w.send(ctx, batch{b.event, b.mapping, left[len(left)/2:]}, r)
	default:
		r.leave(b.mapping, left, err)
	}
}

// refuse records a write that the table has refused.
func (w *writer) refuse(b batch, write write, err error, r *result) {
	brake, why := w.brakes[b.mapping], reasonOf(err)
	if !write.put || !brake.counts(why) {
		r.refuse(b.mapping, write, err, false)
		return
	}
	r.refuse(b.mapping, write, err, true)
	if brake.refuse(why, b.event.text(write.change.sequenceNumber)) {
		r.stop(&brakeError{w.mappings[b.mapping].tableName, why})
	}
}

var (
	errUnprocessed = errors.New("the table kept leaving writes unprocessed until the time was up: its capacity or its partition limit is exceeded")
	errUndecided   = errors.New("the table refused it, and other puts had no answer until the time was up: it is given up only when the table is not wrong")
	errTimeIsUp    = errors.New("the time was up before it was sent: the function's timeout is too short for the batch")
)

// pick returns the writes of a batch that DynamoDB left unprocessed, by their key,
// or all of them and an error.
func (m *mapping) pick(b batch, unprocessed []types.WriteRequest) ([]write, error) {
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
			return b.writes, fmt.Errorf("an unprocessed write cannot be told: %w", err)
		}
		at := slices.IndexFunc(b.writes, func(w write) bool { return bytes.Equal(b.event.text(w.item.key), identity) })
		if at < 0 {
			return b.writes, errors.New("an unprocessed write is none of those that were sent")
		}
		pending = append(pending, b.writes[at])
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

// backoff is how long to wait before retry number attempt, counted from 0.
func backoff(attempt int) time.Duration {
	bound := maxBackoff
	if attempt < 16 { // beyond, the shift is far over maxBackoff
		bound = min(maxBackoff, baseBackoff<<attempt)
	}
	return rand.N(bound) // #nosec G404 -- jitter needs no secrecy
}

// sleep waits, at most until the time to send is up.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

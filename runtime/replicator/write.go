package replicator

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
)

// The number of requests in flight. A function's CPU grows with its memory. With 256 MiB,
// a seventh of a core, more than 8 requests only wait for each other; with more memory,
// more of the time is waiting for the table. One request per 32 MiB fits both; make bench
// measures 8 and 40.
const (
	mebibytesPerRequest = 32
	minInFlight         = 8
	maxInFlight         = 64
)

// inFlightWith returns the number of requests in flight in a function with that much
// memory.
func inFlightWith(mebibytes int) int {
	return min(max(mebibytes/mebibytesPerRequest, minInFlight), maxInFlight)
}

// writer carries out plans.
type writer struct {
	table    table
	mappings []mapping.Mapping
	encoders []*encoder
	// brakes and healths are those of each mapping.
	brakes  []*brake
	healths []*health
	// fallbacks say of each mapping what its guarded writes go without.
	fallbacks []*fallbacks
	inFlight  int
	// bodies holds the memory of request bodies that no connection reads any longer.
	bodies pool[rawdynamodb.Body]
}

// write carries out a plan. It returns a failure for every chain that was not applied
// whole; for a mapping whose table fails as a whole, one systemic failure in their place.
// done counts the puts of the same invocation that earlier plans have carried out, by
// mapping; nil is none. It adds what becomes of the writes to counts, by mapping.
//
// Each mapping has senders of its own, so that no table has to wait for another one that
// is slow or fails. They are as many as fit its share of the requests: then all end at
// about the same time.
func (w *writer) write(ctx context.Context, p plan, done []int, counts []figures) []failure {
	requests := make([]int, len(w.mappings))
	all := 0
	for i := range requests {
		// As many as usual: a statement's limit is the same.
		requests[i] = (len(p.first[i]) + maxBatchWrites - 1) / maxBatchWrites
		all += requests[i]
	}

	failures := make([][]failure, len(w.mappings))
	var mappings sync.WaitGroup
	before := 0 // requests of the mappings before
	for i, n := range requests {
		if n == 0 { // what waits has a put that it waits for
			continue
		}
		senders := w.inFlight*(before+n)/all - w.inFlight*before/all // together inFlight
		before += n
		puts := countPuts(p.first[i])
		if done != nil {
			puts += done[i]
		}
		mappings.Go(func() {
			started := time.Now()
			failures[i] = w.writeTo(ctx, i, p, puts, max(senders, 1), &counts[i])
			counts[i].duration += time.Since(started)
		})
	}
	mappings.Wait()

	return slices.Concat(failures...)
}

// writeTo carries out a plan for one mapping, and counts its writes. puts counts the puts of
// the invocation.
//
// It sends in rounds, first everything once. The deletes of moved items are sent in the
// round after their puts. The deletes that follow from refused puts wait until it is clear
// that the table is not wrong. What a round leaves is sent again when nothing new is left,
// after a wait, so that a write that the table does not accept holds up only itself.
func (w *writer) writeTo(ctx context.Context, mapping int, p plan, puts, senders int, counts *figures) []failure {
	o := newOutcome(ctx, counts)
	defer o.end()
	if e := w.encoders[mapping]; e.guarded() {
		e.shapes.resolve(p.event, p.first[mapping])
	}
	w.probe(mapping, p, o)

	send, wait := p.first[mapping], p.then[mapping]
	for attempt := 0; o.stopped == nil; {
		unsent := w.round(p.event, mapping, send, senders, o)
		o.settle(unsent)
		w.judge(mapping, puts, countPuts(unsent)+countPuts(o.remaining), o)
		if o.stopped != nil {
			break
		}
		ready, waiting := o.release(wait)
		send, wait = slices.Concat(o.appendRemovals(ready), unsent), waiting

		if len(send) == 0 {
			if send = o.takeRemaining(); len(send) == 0 {
				break
			}
			backoff.Sleep(ctx, backoff.Wait(attempt))
			attempt++
		}
		if ctx.Err() != nil {
			o.timeIsUp(send, o.remaining, wait)
			break
		}
	}

	return o.failures(p.chains)
}

// probe sends one write to a table that is known to fail: one put where the brake is on,
// any write where the table was set aside. Guarded writes have a request of their own here,
// and one is sent to every table of which a kind of write has failed: statements need other
// rights, so their success would not show that it no longer does. A table that refuses it is
// stopped, and so is one with a brake or aside that does not answer. Otherwise its whole plan
// is sent, and as long as its brake is on the first refusal stops it.
func (w *writer) probe(mapping int, p plan, o *outcome) {
	braked, health := w.brakes[mapping].isOn(), w.healths[mapping]
	puts, deletes := health.open()
	failing := w.encoders[mapping].guarded() && (puts || deletes)
	if !braked && !failing && !health.isAside() {
		return
	}
	writes := slices.DeleteFunc(slices.Clone(p.first[mapping]), func(w write) bool {
		if braked {
			return !w.put
		}
		return failing && (w.put && !puts || !w.put && !deletes)
	})
	if len(writes) == 0 && !braked && health.isAside() {
		writes = slices.Clone(p.first[mapping])
	}
	if len(writes) == 0 {
		return
	}

	// Any of them, as the first one may be the only one that the table refuses.
	at := rand.IntN(len(writes)) // #nosec G404 -- it needs no secrecy
	writes[at].step = bySingle
	w.send(request{p.event, mapping, writes[at : at+1]}, o)
	if len(o.remaining) > 0 && (braked || health.isAside()) {
		why := o.pending[o.remaining[0].chain]
		o.stop(mapping, transient, ownError("the table has failed before, and now does not answer: "+loggable(why)))
	}
}

// judge decides about a table that has refused puts of the plan: the table is wrong, or
// the items are, or that is open until open other puts have an answer.
func (w *writer) judge(mapping, puts, open int, o *outcome) {
	refused, why := o.undecided()
	b := w.brakes[mapping]
	switch {
	case refused == 0 || b.isUndecided(puts, refused, open):
	case b.judge(puts, refused):
		w.stop(mapping, true, &brakeError{w.mappings[mapping].TableName, why}, o)
	default:
		o.decide()
	}
}

// roundFraction is the part of the time left after which a round takes up no more requests.
// With all of them in one round, a table that needs more time than there is would never get
// the deletes of the first moved items, and Lambda would redeliver the same records for ever.
const roundFraction = 4

// round sends writes once, and guarded writes until their answer is final. It returns the
// writes of the requests that it did not take up.
func (w *writer) round(from *event, mapping int, send []write, senders int, o *outcome) (unsent []write) {
	var end time.Time // none
	if deadline, ok := o.ctx.Deadline(); ok {
		end = time.Now().Add(time.Until(deadline) / roundFraction)
	}
	for len(send) > 0 {
		w.fallBack(mapping, send)
		unsent = append(unsent, w.sendRequests(w.group(from, mapping, send), senders, end, o)...)
		send = o.takeAdvanced()
	}

	return unsent
}

// sendRequests sends requests, as many at a time as there are senders, and waits for their
// answers. It returns the writes of those that it did not take up until end.
func (w *writer) sendRequests(requests []request, senders int, end time.Time, o *outcome) (unsent []write) {
	var next atomic.Int64
	var sending sync.WaitGroup
	for range min(senders, len(requests)) {
		sending.Go(func() {
			growStack()
			for i := next.Add(1) - 1; i < int64(len(requests)); i = next.Add(1) - 1 {
				w.send(requests[i], o)
				if !end.IsZero() && !time.Now().Before(end) {
					return
				}
			}
		})
	}
	sending.Wait()

	for _, r := range requests[min(next.Load(), int64(len(requests))):] {
		unsent = append(unsent, r.writes...)
	}
	return unsent
}

// stop ends all sending to the table of a mapping, which fails as a whole: it has refused
// a put, or else a delete.
func (w *writer) stop(mapping int, put bool, err error, o *outcome) {
	w.healths[mapping].fail(put)
	o.stop(mapping, systemic, err)
}

// growStack grows the stack of a new goroutine to the size that the SDK and net/http need,
// once: otherwise it is copied each time it doubles, with all their frames on it.
//
//go:noinline
func growStack() {
	var room [16 << 10]byte
	runtime.KeepAlive(&room)
}

const (
	errUnprocessed = ownError("the table kept returning writes as unprocessed until the time was up: " +
		"its capacity or its partition limit is exceeded")
	errUndecided = ownError("the table refused it, and other puts were not answered before the time was up: " +
		"it goes to the failure queue only when it is clear that the table is not wrong")
	errTimeIsUp = ownError("the time was up before it was sent: the function's timeout is too short for the batch")
)

package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/replicatedtable/cdk-go/internal/mapping"
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
	brakes   []*brake
	healths  []*health
	inFlight int
	// bodies holds the memory of request bodies that no connection reads any longer.
	bodies pool[requestBody]
}

// write carries out a plan. It returns a failure for every chain that was not applied
// whole; for a mapping whose table fails as a whole, one systemic failure in their place.
// done counts the puts of the same invocation that earlier plans have carried out, by
// mapping; nil is none.
//
// A failure of one table stops nothing that goes to another.
//
// It sends in rounds. A round sends all writes that are ready. The remaining ones go into
// the next round after a wait, so that a write that the table does not accept holds up
// only itself. The deletes of moved items are sent as soon as their puts have succeeded.
// The deletes that follow from refused puts wait until it is clear that the table is not
// wrong.
func (w *writer) write(ctx context.Context, p plan, done []int) []failure {
	o := newOutcome(ctx, len(w.mappings))
	defer o.end()
	w.probe(p, o)

	send, wait := p.first, p.then
	for round := 0; ; round++ {
		w.sendAll(p.event, send, o)
		remaining := o.drainRemaining()
		w.judge(p, done, remaining, o)
		o.dropStopped(remaining, wait)
		ready, waiting := o.release(wait)
		o.addRemovals(ready)
		if count(remaining)+count(ready) == 0 {
			return o.failures(p.chains)
		}

		if ctx.Err() == nil && count(ready) == 0 {
			sleep(ctx, backoff(round))
		}
		if ctx.Err() != nil {
			o.timeIsUp(remaining, ready, waiting)
			return o.failures(p.chains)
		}

		for i := range remaining {
			remaining[i] = append(remaining[i], ready[i]...)
		}
		send, wait = remaining, waiting
	}
}

func count(writes [][]write) int {
	n := 0
	for i := range writes {
		n += len(writes[i])
	}
	return n
}

// probe sends one write to each table that is known to fail: one put where the brake is
// on, any write where the table was set aside. A table that refuses it or does not answer
// is stopped. Otherwise its whole plan is sent, and as long as its brake is on the first
// refusal stops it.
func (w *writer) probe(p plan, o *outcome) {
	for i, b := range w.brakes {
		braked := b.isOn()
		if !braked && !w.healths[i].isAside() {
			continue
		}
		writes := slices.DeleteFunc(slices.Clone(p.first[i]), func(w write) bool { return braked && !w.put })
		if len(writes) == 0 {
			continue
		}
		// Any of them, as the first one may be the only one that the table refuses.
		at := rand.IntN(len(writes)) // #nosec G404 -- it needs no secrecy
		w.send(request{p.event, i, writes[at : at+1]}, o)
		if len(o.remaining[i]) > 0 {
			why := o.pending[o.remaining[i][0].chain]
			o.wait(i, fmt.Errorf("the table has failed before, and now does not answer: %w", why))
		}
	}
}

// judge decides about each table that has refused puts of the plan: the table is wrong, or
// the items are, or that is open until other puts have an answer.
func (w *writer) judge(p plan, done []int, remaining [][]write, o *outcome) {
	for i, b := range w.brakes {
		refused, why := o.undecided(i)
		if refused == 0 {
			continue
		}

		puts := countPuts(p.first[i])
		if done != nil {
			puts += done[i]
		}
		if b.isUndecided(puts, refused, countPuts(remaining[i])) {
			continue
		}

		if b.judge(puts, refused) {
			w.stop(i, &brakeError{w.mappings[i].TableName, why}, o)
			continue
		}
		o.decide(i)
	}
}

// sendAll sends one round of writes, inFlight requests at a time, and waits for all of
// them.
func (w *writer) sendAll(e *event, writes [][]write, o *outcome) {
	var requests []request
	for i := range writes {
		if o.stopped[i] == nil {
			requests = w.encoders[i].appendRequests(requests, e, i, writes[i])
		}
	}

	var next atomic.Int64
	var senders sync.WaitGroup
	for range min(w.inFlight, len(requests)) {
		senders.Go(func() {
			growStack()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				w.send(requests[i], o)
			}
		})
	}
	senders.Wait()
}

// stop ends all sending to the table of a mapping, which fails as a whole.
func (w *writer) stop(mapping int, err error, o *outcome) {
	w.healths[mapping].fail()
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

var (
	errUnprocessed = errors.New("the table kept returning writes as unprocessed until the time was up: " +
		"its capacity or its partition limit is exceeded")
	errUndecided = errors.New("the table refused it, and other puts were not answered before the time was up: " +
		"it goes to the failure queue only when it is clear that the table is not wrong")
	errTimeIsUp = errors.New("the time was up before it was sent: the function's timeout is too short for the batch")
)

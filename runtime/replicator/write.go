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
	brakes   []*brake // of each mapping
	inFlight int
	// bodies holds the memory of request bodies that no connection reads any longer.
	bodies pool[requestBody]
}

// write carries out a plan. It returns a failure for every chain that was not applied
// completely, or only the systemic failure if there is one. done counts the puts of the
// earlier plans of the same invocation, by mapping; nil means none.
//
// It sends in rounds. A round sends all writes that are ready. The remaining ones go into
// the next round after a wait, so that a write that the table does not accept holds up
// only itself. The deletes of moved items are sent as soon as their puts have succeeded.
// The deletes that follow from refused puts wait until it is clear that the table is not
// wrong.
func (w *writer) write(ctx context.Context, p plan, done []int) []failure {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := newOutcome(len(w.mappings), cancel)

	if failures := w.probe(ctx, p, o); failures != nil {
		return failures
	}

	send, wait := p.first, p.then
	for round := 0; ; round++ {
		w.sendAll(ctx, p.event, send, o)
		remaining := o.drainRemaining()
		w.judge(p, done, remaining, o)
		if o.systemic != nil {
			return systemicFailure(o.systemic)
		}

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

// probe sends one put to each table whose brake is on. It returns a failure when the table
// refuses the put again or does not answer. Otherwise the whole plan is sent, and while
// the brake is on, the first refusal stops it.
func (w *writer) probe(ctx context.Context, p plan, o *outcome) []failure {
	for i, b := range w.brakes {
		if !b.isOn() {
			continue
		}
		puts := slices.DeleteFunc(slices.Clone(p.first[i]), func(w write) bool { return !w.put })
		if len(puts) == 0 {
			continue
		}

		// A random put: the first one may be the only one that the table refuses.
		at := rand.IntN(len(puts)) // #nosec G404 -- it needs no secrecy
		w.send(ctx, request{p.event, i, puts[at : at+1]}, o)
		if o.systemic != nil {
			return systemicFailure(o.systemic)
		}
		if remaining := o.drainRemaining()[i]; len(remaining) > 0 {
			why := o.pending[remaining[0].chain]
			why = fmt.Errorf("the table refused too many puts, and now it does not answer: %w", why)
			return []failure{{0, i, transient, why}}
		}
	}

	return nil
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
			o.stop(&brakeError{w.mappings[i].TableName, why})
			return
		}
		o.decide(i)
	}
}

// sendAll sends one round of writes, inFlight requests at a time, and waits for all of
// them.
func (w *writer) sendAll(ctx context.Context, e *event, writes [][]write, o *outcome) {
	var requests []request
	for i := range writes {
		requests = w.encoders[i].appendRequests(requests, e, i, writes[i])
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
				w.send(ctx, requests[i], o)
			}
		})
	}
	senders.Wait()
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

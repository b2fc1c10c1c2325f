package reconciler

import (
	"context"
	"sync"
	"time"

	"github.com/replicatedtable/cdk-go/internal/backoff"
)

// limiter limits the capacity units per second that are used of a table. DynamoDB says what a
// request has used only with its answer: a request waits for what requests usually use, and what it
// has really used decides when the next ones may be sent.
type limiter struct {
	limit float64 // 0: none

	mu sync.Mutex
	// rate is the limit at this time, lower after a throttled request. 0: none.
	rate float64
	// next is when the next request may be sent.
	next time.Time
	// usual is what a request usually uses.
	usual float64
	// changed is when rate was last changed.
	changed time.Time
	// used counts the units since began: what the rate is halved from where there is no limit.
	used  float64
	began time.Time
}

const (
	// credit is for how long what was not used can be used later: answers come late, and the rate
	// must hold over a second, not over each request.
	credit = time.Second
	// lowestRate keeps a throttled table from stopping the program.
	lowestRate = 5
	// recovery is how much a lowered rate rises in a second without throttling.
	recovery = 1.1
	// settling is the time after a change of the rate until it is changed again: requests that were
	// in flight are throttled together.
	settling = time.Second
)

func newLimiter(limit float64) *limiter { return &limiter{limit: limit, rate: limit} }

// wait waits until a request may be sent, or until ctx ends. It returns the units that are counted
// for it until settle.
func (l *limiter) wait(ctx context.Context) (reserved float64) {
	l.mu.Lock()
	now := time.Now()
	l.recover(now)
	if l.rate == 0 {
		l.mu.Unlock()
		return 0
	}
	if earliest := now.Add(-credit); l.next.Before(earliest) {
		l.next = earliest
		if l.began.IsZero() {
			l.next = now // nothing was saved up before the first request
		}
	}
	at := l.next
	reserved = l.usual
	l.next = at.Add(l.duration(reserved))
	l.mu.Unlock()

	if d := at.Sub(now); d > 0 {
		backoff.Sleep(ctx, d)
	}

	return reserved
}

// settle tells what a request has used for which wait has reserved so much.
func (l *limiter) settle(reserved, used float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.began) > 2*settling {
		l.began, l.used = now, 0
	}
	l.used += used
	if l.usual == 0 {
		l.usual = used
	} else if used > 0 {
		l.usual += (used - l.usual) / 8
	}
	if l.rate > 0 {
		l.next = l.next.Add(l.duration(used - reserved))
	}
}

func (l *limiter) duration(units float64) time.Duration {
	return time.Duration(units / l.rate * float64(time.Second))
}

// halve halves the rate, because a request was throttled.
func (l *limiter) halve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.changed) < settling {
		return
	}
	rate := l.rate
	if rate == 0 {
		rate = l.used / max(now.Sub(l.began), settling).Seconds()
	}
	l.rate, l.changed = max(rate/2, lowestRate), now
	if l.next.Before(now) {
		l.next = now
	}
}

// recover raises a rate that was lowered.
func (l *limiter) recover(now time.Time) {
	for l.rate > 0 && l.rate != l.limit && now.Sub(l.changed) >= settling {
		l.rate *= recovery
		l.changed = l.changed.Add(settling)
		if l.limit > 0 {
			l.rate = min(l.rate, l.limit)
		} else if l.rate > unlimited {
			l.rate = 0
		}
	}
}

// unlimited is more than any table takes: the units per second at which a rate without a limit no
// longer counts. Source: Amazon DynamoDB Developer Guide, "Quotas", 40,000 units for each table by
// default.
const unlimited = 1_000_000

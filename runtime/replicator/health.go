package replicator

import (
	"sync"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// defaultGrace is how long a target may fail as a whole while others do not: long enough
// for a deployment that goes wrong to be taken back, and a small part of the 11 hours
// after which the event source mapping gives up.
const defaultGrace = spec.DefaultSetAsideSeconds * time.Second

// minFailing is how long a process has seen a target fail before it sets it aside, however
// old the records are: what fails for moments only is no reason.
const minFailing = time.Minute

// health is whether the table of one target fails as a whole, and since when. It lasts
// from one invocation of the process to the next; to lose it costs a delay, no more.
//
// Puts and deletes have a failure of their own: a role may allow one and not the other,
// and a table that refuses every item still lets them be deleted.
type health struct {
	// started is the start of the process.
	started time.Time

	mu            sync.Mutex
	puts, deletes time.Time // the first failure without a success after it, or zero
	deletesFailed bool      // rather than puts, last
	hasSucceeded  bool
	aside         bool
}

// since is where the failure began that was the last one, or zero.
func (h *health) since() time.Time {
	if h.deletesFailed {
		return h.deletes
	}
	return h.puts
}

// succeed tells of puts, deletes or both that the table has answered.
func (h *health) succeed(puts, deletes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hasSucceeded = true
	if puts {
		h.puts = time.Time{}
	}
	if deletes {
		h.deletes = time.Time{}
	}
	h.aside = h.aside && !h.since().IsZero()
}

// fail tells of a put, or else a delete, that shows a failure of the table as a whole.
func (h *health) fail(put bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since := &h.puts
	if !put {
		since = &h.deletes
	}
	h.deletesFailed = !put
	if since.IsZero() {
		*since = time.Now()
	}
}

// isFailing reports whether the table failed when it was last written to.
func (h *health) isFailing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since().IsZero()
}

// open reports of which kinds a write has failed without a success after it.
func (h *health) open() (puts, deletes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.puts.IsZero(), !h.deletes.IsZero()
}

// isAside reports whether the target was set aside.
func (h *health) isAside() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aside
}

// setAside sets a failing target aside when it has failed for the grace time: as long as
// this process knows, or, where the process is younger than that and has not seen the
// table work, by the age of the oldest record that waits for it. It reports whether the
// target is set aside.
func (h *health) setAside(grace, oldest time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since().IsZero() { // another request has succeeded meanwhile
		return false
	}
	failing := time.Since(h.since())
	isYoung := !h.hasSucceeded && time.Since(h.started) < grace
	h.aside = h.aside || failing >= grace || isYoung && oldest >= grace && failing >= min(minFailing, grace)

	return h.aside
}

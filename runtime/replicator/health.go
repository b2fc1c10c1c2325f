package replicator

import (
	"sync"
	"time"
)

// defaultGrace is how long a target may fail as a whole while others do not: long enough
// for a deployment that goes wrong to be taken back, and a small part of the 11 hours
// after which the event source mapping gives up.
const defaultGrace = 15 * time.Minute

// minFailing is how long a process has seen a target fail before it sets it aside, however
// old the records are: what fails for moments only is no reason.
const minFailing = time.Minute

// health is whether the table of one target fails as a whole, and since when. It lasts
// from one invocation of the process to the next; to lose it costs a delay, no more.
type health struct {
	mu sync.Mutex
	// since is the first failure without a success after it, or zero.
	since time.Time
	// aside says that the target was set aside.
	aside bool
}

// succeed tells of a write that the table has answered.
func (h *health) succeed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since, h.aside = time.Time{}, false
}

// fail tells of a failure of the table as a whole.
func (h *health) fail() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		h.since = time.Now()
	}
}

// isFailing reports whether the table failed when it was last written to.
func (h *health) isFailing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since.IsZero()
}

// isAside reports whether the target was set aside.
func (h *health) isAside() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aside
}

// setAside sets a failing target aside when it has failed for the grace time: as long as
// this process knows, or, where the process is younger, by the age of the oldest record
// that waits for it. It reports whether the target is set aside.
func (h *health) setAside(grace, oldest time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() { // another request has succeeded meanwhile
		return false
	}
	failing := time.Since(h.since)
	h.aside = h.aside || failing >= grace || oldest >= grace && failing >= min(minFailing, grace)

	return h.aside
}

// Package backoff waits before a retry.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Full jitter: a random wait between 0 and a bound that doubles with each retry.
const (
	base    = 50 * time.Millisecond
	maximum = 2 * time.Second
)

// Wait returns the wait before retry number attempt, counted from 0.
func Wait(attempt int) time.Duration {
	bound := maximum
	if attempt < 16 { // for later attempts the shift is far beyond the maximum
		bound = min(maximum, base<<attempt)
	}
	return rand.N(bound) // #nosec G404 -- jitter needs no secrecy
}

// Sleep waits for d, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

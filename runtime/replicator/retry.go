package replicator

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Full jitter: a random wait between 0 and a bound that doubles with each retry.
const (
	baseBackoff = 50 * time.Millisecond
	maxBackoff  = 2 * time.Second
)

// backoff returns the wait before retry number attempt, counted from 0.
func backoff(attempt int) time.Duration {
	bound := maxBackoff
	if attempt < 16 { // for later attempts the shift is far beyond maxBackoff
		bound = min(maxBackoff, baseBackoff<<attempt)
	}
	return rand.N(bound) // #nosec G404 -- jitter needs no secrecy
}

// sleep waits for d, or until the time to send is up.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// attempts is how often the SDK sends one write request in one round of the writer: enough
// for a broken connection, too few to hold up other writes.
const attempts = 3

// newRetryer returns a retryer that gives up after maxAttempts. Retries cost no tokens:
// the deadline of the invocation is their limit.
func newRetryer(maxAttempts int) aws.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = maxAttempts
		s.RateLimiter = ratelimit.None
		s.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return backoff(attempt), nil
		})
	})
}

package replicator

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/replicatedtable/cdk-go/internal/backoff"
)

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
			return backoff.Wait(attempt), nil
		})
	})
}

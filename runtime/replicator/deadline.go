package replicator

import (
	"context"
	"time"
)

// The replicator stops sending this long before the function's deadline, so that
// it always answers: a killed invocation reports nothing and starts from its
// first record again.
const (
	minReserve      = 2 * time.Second
	reserveFraction = 10 // of the time that the invocation has
)

// failureQueueTime is how much of the time to send is kept for the failure queue.
const failureQueueTime = time.Second

// sendingTimes returns the contexts for writing to the target tables and, after
// that, for sending to the failure queue. Both end in time to answer.
func sendingTimes(ctx context.Context) (writes, failureQueue context.Context, cancel context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		ctx, cancel = context.WithCancel(ctx)
		return ctx, ctx, cancel
	}
	end := deadline.Add(-max(minReserve, time.Until(deadline)/reserveFraction))
	failureQueue, cancelQueue := context.WithDeadline(ctx, end)
	writes, cancelWrites := context.WithDeadline(failureQueue, end.Add(-failureQueueTime))
	return writes, failureQueue, func() { cancelWrites(); cancelQueue() }
}

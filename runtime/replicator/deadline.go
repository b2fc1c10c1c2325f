package replicator

import (
	"context"
	"time"
)

// The replicator stops sending this long before the function's deadline, so that it
// always answers: a killed invocation reports nothing, and Lambda redelivers its whole
// batch.
const (
	minReserve      = 2 * time.Second
	reserveFraction = 10 // a tenth of the invocation's time
)

// failureQueueTime is the part of the sending time that is kept for the failure queue.
const failureQueueTime = time.Second

// sendingTimes returns the contexts for writing to the target tables and for sending to
// the failure queue afterwards. Both end early enough to answer.
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

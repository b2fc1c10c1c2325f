package reconciler

import (
	"sync"
	"sync/atomic"
)

// parallel calls do for each element, at most inFlight at a time, and returns the first error. After
// an error it starts no more calls.
func parallel[T any](inFlight int, elements []T, do func(T) error) error {
	var next atomic.Int64
	var first error
	var failed sync.Once
	var stopped atomic.Bool
	work := func() {
		for !stopped.Load() {
			i := next.Add(1) - 1
			if i >= int64(len(elements)) {
				return
			}
			if err := do(elements[i]); err != nil {
				stopped.Store(true)
				failed.Do(func() { first = err })
			}
		}
	}

	var others sync.WaitGroup
	for range min(inFlight, len(elements)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()

	return first
}

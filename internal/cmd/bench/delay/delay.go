// Package delay lets many answers wait equally long with little CPU and little delay of its own.
package delay

import "time"

// Delay is how long each answer waits. It is safe for concurrent use.
type Delay struct {
	by  time.Duration
	due chan answer
}

// answer is due at a time. All wait equally long, so they are due in the order of
// their requests.
type answer struct {
	at    time.Time
	ready chan struct{}
}

// maxWaiting is how many requests may wait for their answers: far more than any
// of the benchmarks has in flight.
const maxWaiting = 1024

// New returns a Delay. It never ends. Its timer sleeps in the kernel, and blocks a
// processor there.
func New(by time.Duration) *Delay {
	d := &Delay{by, make(chan answer, maxWaiting)}
	go func() {
		for a := range d.due {
			pause(time.Until(a.at))
			close(a.ready)
		}
	}()

	return d
}

// Begin returns a channel that is closed when an answer is due that begins to wait now.
func (d *Delay) Begin() <-chan struct{} {
	ready := make(chan struct{})
	d.due <- answer{time.Now().Add(d.by), ready}

	return ready
}

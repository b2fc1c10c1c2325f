// Package outside runs functions outside of a synctest bubble.
package outside

import (
	"sync"
	"testing"
)

// Runner runs functions outside of the bubble. The bubble's clock stops while one of them runs: a
// test in fake time can so use real requests and processes, which cost no fake time.
type Runner chan func()

// New returns a runner that ends with the test. It is made outside of the bubble.
func New(t testing.TB) Runner {
	t.Helper()
	r := make(Runner)
	go func() {
		for f := range r {
			go f()
		}
	}()
	t.Cleanup(func() { close(r) })
	return r
}

// Run runs f and waits for it. A goroutine that waits for a mutex is not durably blocked, so
// the clock does not advance.
func (r Runner) Run(f func()) {
	var running sync.Mutex
	running.Lock()
	r <- func() {
		defer running.Unlock() // also when f ends the test
		f()
	}
	running.Lock()
}

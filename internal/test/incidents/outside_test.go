package incidents

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// outside runs functions outside of a synctest bubble, whose clock stops meanwhile: real
// requests and processes cost no fake time.
type outside struct {
	functions chan func()
	// now is the time of the bubble, for those that are outside.
	now atomic.Int64
}

func newOutside(t testing.TB) *outside {
	o := &outside{functions: make(chan func())}
	go func() {
		for f := range o.functions {
			go f()
		}
	}()
	t.Cleanup(func() { close(o.functions) })
	return o
}

// run runs f and waits for it. A goroutine that waits for a mutex is not durably blocked, so
// the clock does not advance.
func (o *outside) run(f func() error) (err error) {
	o.now.Store(time.Now().UnixNano())
	var running sync.Mutex
	running.Lock()
	o.functions <- func() {
		defer running.Unlock()
		err = f()
	}
	running.Lock()
	return err
}

// time is the time of the bubble.
func (o *outside) time() time.Time { return time.Unix(0, o.now.Load()) }

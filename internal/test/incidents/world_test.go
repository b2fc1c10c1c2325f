package incidents

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/outside"
)

// world is what is outside of a story's bubble, and its clock.
type world struct {
	runner outside.Runner
	// now is the time of the bubble, for those that are outside.
	now atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{runner: outside.New(t)}
}

// run runs f outside of the bubble.
func (w *world) run(f func() error) (err error) {
	w.now.Store(time.Now().UnixNano())
	w.runner.Run(func() { err = f() })
	return err
}

// time is the time of the bubble.
func (w *world) time() time.Time { return time.Unix(0, w.now.Load()) }

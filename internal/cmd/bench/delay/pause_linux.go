package delay

import (
	"syscall"
	"time"
)

// pause waits for d, or less when a signal comes. The kernel's own sleep is late
// by some 0.05 ms, Go's timers by up to a millisecond: a fifth of the delay.
func pause(d time.Duration) {
	if d > 0 {
		ts := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&ts, nil)
	}
}

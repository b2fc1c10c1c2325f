//go:build !linux

package delay

import "time"

// pause waits for d, or up to a millisecond longer.
func pause(d time.Duration) { time.Sleep(d) }

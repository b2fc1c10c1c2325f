//go:build !linux

package endpoint

import "time"

// pause waits for d, or up to a millisecond longer.
func pause(d time.Duration) { time.Sleep(d) }

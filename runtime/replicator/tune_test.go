package replicator

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestTheGoRuntimeFitsTheMemoryUnlessTheEnvironmentSetsIt(t *testing.T) {
	processors, percent, limit := runtime.GOMAXPROCS(3), debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() {
		runtime.GOMAXPROCS(processors)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	for _, test := range []struct {
		name                string
		environment         map[string]string
		processors, percent int
		limit               int64
	}{
		{"memory not known", nil, 3, 200, math.MaxInt64},
		{"memory is no number", map[string]string{memoryVariable: "much"}, 3, 200, math.MaxInt64},
		{"a seventh of a processor", map[string]string{memoryVariable: "256"}, 1, 200, 192 << 20},
		{"one processor", map[string]string{memoryVariable: "1769"}, 1, 200, 1769 << 20 / 4 * 3},
		{"a little more than one", map[string]string{memoryVariable: "1772"}, 2, 200, 1329 << 20},
		{"more than there are", map[string]string{memoryVariable: "10240"}, 3, 200, 7680 << 20},
		{"set by hand", map[string]string{memoryVariable: "256", "GOMAXPROCS": "3", "GOGC": "100", "GOMEMLIMIT": "off"}, 3, 100, math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			runtime.GOMAXPROCS(3)
			debug.SetGCPercent(100)
			debug.SetMemoryLimit(math.MaxInt64)
			Tune(func(name string) string { return test.environment[name] })
			gotPercent := debug.SetGCPercent(100)
			if got, limit := runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1); got != test.processors || gotPercent != test.percent || limit != test.limit {
				t.Errorf("got %d processors, %d %%, %d bytes, want %d, %d %%, %d", got, gotPercent, limit, test.processors, test.percent, test.limit)
			}
		})
	}
}

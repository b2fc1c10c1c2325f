package reconciler

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPageLastsHalfAMinuteAtMost(t *testing.T) {
	for _, test := range []struct {
		options Options
		limit   int
	}{
		{Options{}, 0},
		{Options{WriteUnits: 5}, 150},
		{Options{WriteUnits: 5, ReadUnits: 2}, 60},
		{Options{ReadUnits: 0.5}, 25},
		{Options{WriteUnits: 40_000}, 0},
	} {
		if got := test.options.pageLimit(); got != test.limit {
			t.Errorf("%+v: %d items, want %d", test.options, got, test.limit)
		}
	}
}

func TestARateIsKept(t *testing.T) {
	for _, inFlight := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			const rate = 200
			h := start(t, unique(), Options{InFlight: inFlight, WriteUnits: rate})
			for i := range 800 {
				h.put("source", fmt.Sprint("id=", i), "city=1", "note="+strings.Repeat("n", 4000))
			}
			h.before = func(string, int) { time.Sleep(5 * time.Millisecond) }
			began := time.Now()
			c := h.run(Backfill, 1)
			got := c.TargetWriteUnits / time.Since(began).Seconds()
			if math.Abs(got-rate) > rate*0.02 {
				t.Errorf("%d in flight: %.0f units per second, want %d", inFlight, got, rate)
			}
		})
	}
}

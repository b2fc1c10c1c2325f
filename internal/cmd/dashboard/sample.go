package main

import (
	"math"
	"strings"
)

// The sample data, in minutes. The function loses the right to write to the table of ByCity.
// The stream waits for it, until it is set aside: the others catch up, and the keys of its
// items go to the failure queue. Then the right is back, and the queue is redriven.
const (
	minutes  = 180
	poison   = 33 // a record that can never be applied
	denied   = 60
	setAside = denied + 15
	caughtUp = setAside + 5
	repaired = 130
	redrive  = 140
	done     = 150
)

// value returns the value of a metric in a minute.
func value(m metric, t int) float64 {
	traffic := math.Round(600 + 180*math.Sin(float64(t)/29) + wobble(m.name, t, 40))
	isDenied, waits := t >= denied && t < repaired, t >= denied && t < setAside
	isAside, isRedriven := t >= setAside && t < repaired, t >= redrive && t < done
	byCity := strings.Contains(m.of, "ByCity")

	switch m.name {
	case "Lag", "IteratorAge":
		return lag(t) + wobble(m.name, t, 300)
	case "InvokedEventCount":
		return traffic * choose(waits, 1.7, 1)
	case "FilteredOutEventCount":
		return math.Round(traffic / 9)
	case "Writes":
		return math.Round(traffic * choose(isDenied, 1.5, 2.3))
	case "Elided":
		return math.Round(traffic * 0.45)
	case "Unmapped":
		return math.Round(traffic * 0.2)
	case "Stale":
		return math.Round(traffic * choose(waits, 0.7, 0.01))
	case "PolledEventCount":
		return choose(m.options.Stat == "SampleCount", 480+wobble(m.name, t, 5), traffic*1.11)
	case "FailedInvokeEventCount":
		return choose(waits, traffic, 0)
	case "Retried":
		return choose(t >= 18 && t < 23, 25+wobble(m.name, t, 8), 0)
	case "Failed":
		return choose(t == poison, 1, 0)
	case "SetAside":
		return choose(isAside, math.Round(traffic*0.7), 0)
	case "SystemicFailures":
		return choose(isDenied && byCity, 12, 0)
	case "ApproximateNumberOfMessagesVisible":
		return choose(strings.Contains(m.of, "DeadLetter"), 0, waiting(t))
	case "NumberOfMessagesSent":
		return choose(isAside, 6, choose(t == poison, 1, 0))
	case "ApproximateAgeOfOldestMessage":
		return choose(t >= poison && t < done, float64(t-poison)*60, 0)
	case "ConsumedWriteCapacityUnits":
		share := choose(strings.Contains(m.of, "ByPlace"), 0.55, 0.8)
		return math.Round(traffic * choose(!byCity, share, choose(isDenied, 0, choose(isRedriven, 1.6, 0.7))))
	case "Invocations":
		return 60 + wobble(m.name, t, 4)
	case "Duration":
		return (60+wobble(m.name, t, 4))*48 + choose(waits, 900, 0)
	case "IncomingBytes":
		return (60 + wobble(m.name, t, 4)) * choose(isDenied, 2900, 1250)
	default: // errors, throttles, and records that are given up or dropped
		return 0
	}
}

// lag is the age of the records: about a second, and more while they wait.
func lag(t int) float64 {
	switch {
	case t >= denied && t < setAside:
		return float64(t-denied+1) * 60_000
	case t >= setAside && t < caughtUp:
		return float64(caughtUp-t) * 60_000 * 3
	default:
		return 1200
	}
}

// waiting is the number of messages in the failure queue.
func waiting(t int) float64 {
	const all = (repaired-setAside)*6 + 1
	switch {
	case t < poison || t >= done:
		return 0
	case t < setAside:
		return 1
	case t < redrive:
		return float64(min((t-setAside+1)*6+1, all))
	default:
		return math.Round(all * float64(done-t) / (done - redrive))
	}
}

// wobble is a little noise, the same in every run.
func wobble(name string, t int, size float64) float64 {
	seed := uint32(2166136261)
	for _, b := range []byte(name) {
		seed = (seed ^ uint32(b)) * 16777619
	}
	seed = (seed ^ uint32(t)) * 2654435769 // #nosec G115 -- minutes of a picture
	seed ^= seed >> 15

	return math.Round(size * (float64(seed%1000)/500 - 1))
}

func choose(condition bool, yes, no float64) float64 {
	if condition {
		return yes
	}
	return no
}

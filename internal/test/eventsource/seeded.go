package eventsource

import "math/rand/v2"

// Odds are the chances of disturbances, 0 (never) to 1 (always).
type Odds struct {
	// Cut is the chance that a batch is smaller than it could be. All smaller
	// sizes are then equally likely.
	Cut float64
	// Crash is the chance that an invocation's answer is lost. With a limit on
	// retries, crashes alone can exhaust them.
	Crash float64
	// Rewind is the chance that a batch that was done is followed by records that
	// were done before.
	Rewind float64
	// Reach is how many records a rewind goes back at most. All distances are
	// equally likely.
	Reach int
}

// Seeded returns disturbances for [Mapping.Disturb] that come from a seed alone:
// each lane has a generator of its own, so a lane meets the same disturbances in
// every run in which its handler answers the same.
func Seeded(seed uint64, odds Odds) func(lane int) Disturbances {
	return func(lane int) Disturbances {
		random := rand.New(rand.NewPCG(seed, uint64(lane))) // #nosec G404 G115 -- to be repeated, not to be secret
		return Disturbances{
			Cut: func(available int) int {
				if available > 1 && random.Float64() < odds.Cut {
					return 1 + random.IntN(available-1)
				}
				return available
			},
			Crash: func() bool { return random.Float64() < odds.Crash },
			Rewind: func(done int) int {
				if random.Float64() < odds.Rewind && odds.Reach > 0 {
					return 1 + random.IntN(min(done, odds.Reach))
				}
				return 0
			},
		}
	}
}

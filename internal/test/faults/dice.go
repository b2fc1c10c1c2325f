package faults

// dice decides by chance, but always the same way for the same request.
type dice struct{ seed, rule, content, attempt uint64 }

// of returns the dice of one write of the request.
func (d dice) of(write Write) dice {
	content := hash(write.Attributes)
	if write.Put {
		content++ // an item can consist of its key
	}
	d.content = mix(d.content) ^ content
	return d
}

// hit is true with a probability from 0 to 1.
func (d dice) hit(probability float64) bool {
	const digits = 53 // of a float64
	return float64(d.roll(0)>>(64-digits))/(1<<digits) < probability
}

// choose returns a number from 0 to n-1, independent of hit.
func (d dice) choose(n int) int {
	return int(d.roll(1) % uint64(n)) // #nosec G115 -- less than n, an int
}

func (d dice) roll(question uint64) uint64 {
	rolled := question
	for _, part := range [...]uint64{d.seed, d.rule, d.content, d.attempt} {
		rolled = mix(rolled ^ part)
	}
	return rolled
}

// mix spreads a number over all 64 bits: the output function of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

package main

import "fmt"

// key is the example's context value of that name: what the target's sort key is.
type key string

const (
	city     key = "city"
	lossless key = "lossless"
)

// key reads KEY, as in "make demo KEY=lossless".
func (r *runner) key() (key, error) {
	switch k := key(r.getenv("KEY")); k {
	case "", city:
		return city, nil
	case lossless:
		return lossless, nil
	default:
		return "", fmt.Errorf("KEY is %q: use city or lossless", k)
	}
}

func (k key) description() string {
	if k == lossless {
		return "state + city#email"
	}
	return "state + city"
}

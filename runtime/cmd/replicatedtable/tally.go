package main

import (
	"iter"
	"maps"
	"slices"
)

// maxReasons is how many different reasons are kept. A reason may name a size, so there can be as
// many as items.
const maxReasons = 100

// otherReasons stands for all reasons after the first maxReasons.
const otherReasons = "other reasons"

// tally counts things that are the same.
type tally[T comparable] map[T]int64

// add counts one more of a thing, or of other when there are maxReasons different ones.
func (t *tally[T]) add(thing, other T) {
	if *t == nil {
		*t = tally[T]{}
	}
	if _, known := (*t)[thing]; !known && len(*t) >= maxReasons {
		thing = other
	}
	(*t)[thing]++
}

// mostFirst returns the things with their counts, the highest first.
func (t tally[T]) mostFirst() iter.Seq2[T, int64] {
	things := slices.SortedFunc(maps.Keys(t), func(a, b T) int { return int(t[b] - t[a]) })
	return func(yield func(T, int64) bool) {
		for _, thing := range things {
			if !yield(thing, t[thing]) {
				return
			}
		}
	}
}

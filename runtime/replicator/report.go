package replicator

import (
	"cmp"
	"slices"
)

// report returns the function's response: the sequence numbers of the failures, lowest
// first. Lambda redelivers every record from the lowest one on. An empty list means that
// the whole batch is done.
//
// A record without a readable sequence number cannot be named, so the nearest record
// before it is. If there is none before it, the empty identifier fails the whole batch.
func report(e *event, failures []failure) []byte {
	slices.SortFunc(failures, func(a, b failure) int { return cmp.Compare(a.change, b.change) })
	response := []byte(`{"batchItemFailures":[`)
	previous := -1
	for n, f := range failures {
		at := f.change
		for at >= 0 && checkSequenceNumber(e.changes[at].sequenceNumber) != nil {
			at--
		}

		if n > 0 && at == previous {
			continue
		}
		if n > 0 {
			response = append(response, ',')
		}
		previous = at
		response = append(response, `{"itemIdentifier":"`...)
		if at >= 0 {
			response = append(response, e.changes[at].sequenceNumber...)
		}
		response = append(response, `"}`...)
	}

	return append(response, `]}`...)
}

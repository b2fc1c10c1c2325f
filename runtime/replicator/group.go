package replicator

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/statement"
)

// maxReadKeys is the highest number of keys in one BatchGetItem call. Source: Amazon DynamoDB
// API Reference, BatchGetItem. Its other limit, 16 MB of items, leaves keys unprocessed.
const maxReadKeys = 100

// perRequest is the highest number of guarded writes in one request.
func perRequest(s step) int {
	switch s {
	case byRead:
		return maxReadKeys
	case byStatement:
		return statement.MaxPerCall
	default:
		return 1
	}
}

// fallBack decides which guarded writes go by themselves because their way is closed.
func (w *writer) fallBack(mapping int, writes []write) {
	e := w.encoders[mapping]
	if !e.guarded() {
		return
	}
	for i := range writes {
		switch {
		case writes[i].step == bySingle:
		case w.fallbacks[mapping][writes[i].way()].IsOn():
			writes[i].step, writes[i].fellBack = bySingle, true
		case e.noStatements:
			writes[i].step = bySingle
		}
	}
}

// group groups writes into requests. It changes the order of guarded writes: DynamoDB refuses
// a call with two statements for one item, or two of its keys.
func (w *writer) group(from *event, mapping int, writes []write) []request {
	var requests []request
	if !w.encoders[mapping].guarded() {
		for chunk := range slices.Chunk(writes, maxBatchWrites) {
			requests = append(requests, request{from, mapping, chunk})
		}
		return requests
	}

	byStep := func(a, b write) int { return cmp.Compare(a.step, b.step) }
	if !slices.IsSortedFunc(writes, byStep) {
		slices.SortStableFunc(writes, byStep)
	}
	for len(writes) > 0 {
		s := writes[0].step
		n := 1
		if limit := perRequest(s); limit > 1 {
			end := slices.IndexFunc(writes, func(w write) bool { return w.step != s })
			if end < 0 {
				end = len(writes)
			}
			n = distinct(writes[:end], limit)
		}
		requests = append(requests, request{from, mapping, writes[:n:n]})
		writes = writes[n:]
	}

	return requests
}

// lookAhead is how many writes distinct looks at beyond its limit. Where one key has most of
// the writes, a search for others would take longer than the requests that it saves.
const lookAhead = 100

var keySeed = maphash.MakeSeed()

// distinct moves writes with different keys to the front, and returns how many they are: at
// most limit, and at least one.
func distinct(writes []write, limit int) int {
	var hashes [maxReadKeys]uint64
	n := 0
	for i := 0; i < len(writes) && n < limit && i < limit+lookAhead; i++ {
		hash := maphash.Bytes(keySeed, writes[i].item.Key)
		if slices.Contains(hashes[:n], hash) {
			continue
		}
		hashes[n] = hash
		writes[n], writes[i] = writes[i], writes[n]
		n++
	}

	return n
}

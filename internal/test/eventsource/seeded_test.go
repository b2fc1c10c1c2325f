package eventsource

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// unreliable is a handler that fails by chance, as a whole and in part. A poison
// record always fails.
type unreliable struct {
	t      *testing.T
	random *rand.Rand
	poison map[string]bool

	mutex   sync.Mutex
	latest  map[string]string // the record of each item that was applied last
	applied map[string]bool   // every record that ever was
}

func (u *unreliable) handle(_ context.Context, event []byte) ([]byte, error) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	for _, n := range delivered(u.t, event) {
		if u.random.IntN(50) == 0 {
			return nil, errors.New("killed between two records")
		}
		if u.poison[n] || u.random.IntN(20) == 0 {
			return []byte(failed(n)), nil
		}
		item, _, _ := strings.Cut(n, ".")
		u.latest[item] = n
		u.applied[n] = true
	}
	return nil, nil
}

// The property that a mapping must have whatever it does to a handler: when the
// records are drained, each was applied or discarded, and every item is at the last
// of its records that was not discarded, or at a later one that came again.
func TestWhateverHappensEveryRecordIsDoneOrDiscardedInOrder(t *testing.T) {
	const items, count = 20, 2000
	all := ofItems(items, count)
	var total Stats
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 0))
		handler := &unreliable{t: t, random: random, poison: make(map[string]bool),
			latest: make(map[string]string), applied: make(map[string]bool)}
		for range random.IntN(20) {
			handler.poison[all[random.IntN(count)].SequenceNumber] = true
		}
		discarded := make(map[string]bool)
		mapping := Mapping{
			BatchSize:             1 + random.IntN(100),
			PartialResponses:      true,
			Bisect:                random.IntN(2) == 0,
			MaxRetryAttempts:      30,
			ParallelizationFactor: 1 + random.IntN(10),
			OnFailure: func(d Discarded) error {
				for _, n := range delivered(t, d.Payload) {
					discarded[n] = true
				}
				return nil
			},
			Disturb: Seeded(seed, Odds{Cut: 0.5, Crash: 0.05, Rewind: 0.1, Reach: 200}),
		}
		stats, err := mapping.Drain(t.Context(), oneShard(all), handler.handle)
		if err != nil {
			t.Fatal(err)
		}
		total.add(stats)
		position := make(map[string]int, count)
		last := make(map[string]int, items)
		for i, r := range all {
			position[r.SequenceNumber] = i
			if !discarded[r.SequenceNumber] {
				last[r.Item] = i
			}
			if !discarded[r.SequenceNumber] && !handler.applied[r.SequenceNumber] {
				t.Errorf("seed %d: record %s is lost", seed, r.SequenceNumber)
			}
		}
		for item, n := range handler.latest {
			if position[n] < last[item] {
				t.Errorf("seed %d: item %s is at %s, want %s or later", seed, item, n, all[last[item]].SequenceNumber)
			}
		}
		for poison := range handler.poison {
			if !discarded[poison] {
				t.Errorf("seed %d: the poison record %s was not discarded", seed, poison)
			}
		}
	}
	if total.Crashes == 0 || total.Rewinds == 0 || total.PartialAnswers == 0 || total.Errors == 0 || total.Splits == 0 {
		t.Errorf("something never happened: %+v", total)
	}
}

func TestASeedRepeatsARun(t *testing.T) {
	run := func(seed uint64) (batches []string, stats Stats) {
		handler := &script{t: t, answers: []string{failed("5.0"), throw, throw}}
		mapping := Mapping{
			BatchSize: 7, PartialResponses: true, Bisect: true, MaxRetryAttempts: 3,
			Disturb: Seeded(seed, Odds{Cut: 0.5, Crash: 0.1, Rewind: 0.2, Reach: 10}),
		}
		stats, err := mapping.Drain(t.Context(), oneShard(ofItems(10, 200)), handler.handle)
		if err != nil {
			t.Fatal(err)
		}
		return handler.batches, stats
	}
	batches, stats := run(1)
	again, statsAgain := run(1)
	if !slices.Equal(batches, again) || stats != statsAgain {
		t.Errorf("two runs of one seed differ: %+v and %+v", stats, statsAgain)
	}
	if other, _ := run(2); reflect.DeepEqual(batches, other) {
		t.Error("two seeds made the same run")
	}
}

func TestWithoutOddsNothingIsDisturbed(t *testing.T) {
	handler := &script{t: t}
	mapping := Mapping{BatchSize: 2, Disturb: Seeded(1, Odds{})}
	stats, err := mapping.Drain(t.Context(), oneShard(records("1", "2", "3")), handler.handle)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 2", "3"}; !slices.Equal(handler.batches, want) {
		t.Errorf("delivered %q, want %q", handler.batches, want)
	}
	if want := (Stats{Batches: 2, Invocations: 2, Delivered: 3}); stats != want {
		t.Errorf("counted %+v, want %+v", stats, want)
	}
}

// A model test spends its time in the handler, not here.
func BenchmarkDrain(b *testing.B) {
	all := ofItems(100, 10_000)
	mapping := Mapping{
		PartialResponses: true,
		MaxRetryAttempts: -1,
		Disturb:          Seeded(1, Odds{Cut: 0.5, Crash: 0.05, Rewind: 0.05, Reach: 200}),
	}
	answer := []byte(`{"batchItemFailures":[]}`)
	handle := func(context.Context, []byte) ([]byte, error) { return answer, nil }
	b.ReportAllocs()
	var total Stats
	for b.Loop() {
		stats, err := mapping.Drain(b.Context(), oneShard(all), handle)
		if err != nil {
			b.Fatal(err)
		}
		total.add(stats)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total.Delivered), "ns/record")
}

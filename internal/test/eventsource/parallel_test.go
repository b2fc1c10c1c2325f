package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// busy is a handler that needs a second, and notes which items are in flight.
type busy struct {
	t *testing.T

	mutex    sync.Mutex
	inFlight map[string]bool
	most     int
	order    map[string][]string // sequence numbers by item, as they were delivered
}

// handle answers after a second. The item of a record is the part of its sequence
// number before the dot.
func (b *busy) handle(_ context.Context, event []byte) ([]byte, error) {
	numbers := delivered(b.t, event)
	items := make(map[string]bool)
	b.mutex.Lock()
	for _, n := range numbers {
		item, _, _ := strings.Cut(n, ".")
		items[item] = true
		b.order[item] = append(b.order[item], n)
	}
	for item := range items {
		if b.inFlight[item] {
			b.t.Errorf("item %s is in flight twice", item)
		}
		b.inFlight[item] = true
	}
	b.most = max(b.most, len(b.inFlight))
	b.mutex.Unlock()

	time.Sleep(time.Second)

	b.mutex.Lock()
	defer b.mutex.Unlock()
	for item := range items {
		delete(b.inFlight, item)
	}
	return nil, nil
}

func newBusy(t *testing.T) *busy {
	return &busy{t: t, inFlight: make(map[string]bool), order: make(map[string][]string)}
}

// ofItems makes records of items 0, 1, … in turn.
func ofItems(items, count int) []Record {
	var made []Record
	for i := range count {
		item := fmt.Sprint(i % items)
		made = append(made, record(fmt.Sprintf("%s.%d", item, i/items), item))
	}
	return made
}

func TestParallelBatchesKeepTheOrderOfEachItem(t *testing.T) {
	for _, factor := range []int{1, 3, 10} {
		t.Run(fmt.Sprintf("factor %d", factor), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const items, count = 40, 400
				b := newBusy(t)
				mapping := Mapping{BatchSize: 1, ParallelizationFactor: factor}
				stats, err := mapping.Drain(t.Context(), oneShard(ofItems(items, count)), b.handle)
				if err != nil {
					t.Fatal(err)
				}
				if b.most != factor {
					t.Errorf("%d batches were in flight at once, want %d", b.most, factor)
				}
				if stats.Delivered != count {
					t.Errorf("%d records delivered, want %d", stats.Delivered, count)
				}
				for item, order := range b.order {
					if len(order) != count/items || !slices.IsSorted(order) {
						t.Errorf("item %s was delivered as %v", item, order)
					}
				}
			})
		})
	}
}

func TestAFailingLaneDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var mutex sync.Mutex
		done := make(map[string]bool)
		mapping := Mapping{BatchSize: 1, MaxRetryAttempts: -1, ParallelizationFactor: 10, RetryDelay: time.Second}
		_, err := mapping.Drain(ctx, oneShard(ofItems(40, 400)), func(_ context.Context, event []byte) ([]byte, error) {
			item, _, _ := strings.Cut(delivered(t, event)[0], ".")
			if item == "7" {
				return nil, errors.New("item 7 is poison")
			}
			mutex.Lock()
			defer mutex.Unlock()
			done[item] = true
			return nil, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "item 7 is poison") {
			t.Errorf("Drain returned %v, want the end of the context and the last failure", err)
		}
		// Items that share a lane with item 7 may wait for it; with 10 lanes for 40
		// items most do not.
		if len(done) < 30 || done["7"] {
			t.Errorf("%d items are done (item 7: %t), want at least 30 and not item 7", len(done), done["7"])
		}
	})
}

func TestShardsAreDrainedAtOnceButAChildWaitsForItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mutex sync.Mutex
		began := make(map[string]time.Duration)
		shards := []Shard{
			{ID: "a", Records: records("a1", "a2")},
			{ID: "b", Parent: "trimmed", Records: records("b1")},
			{ID: "c", Parent: "a", Records: records("c1")},
			{ID: "d", Parent: "c", Records: records("d1")},
		}
		_, err := (&Mapping{BatchSize: 1}).Drain(t.Context(), shards, func(_ context.Context, event []byte) ([]byte, error) {
			mutex.Lock()
			began[delivered(t, event)[0]] = time.Since(start)
			mutex.Unlock()
			time.Sleep(time.Second)
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"a1": 0, "b1": 0, "a2": time.Second, "c1": 2 * time.Second, "d1": 3 * time.Second}
		for record, at := range want {
			if began[record] != at {
				t.Errorf("record %s came after %s, want %s", record, began[record], at)
			}
		}
	})
}

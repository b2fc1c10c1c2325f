package replicator

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

// The model test: random mappings, random histories of a source table, random
// batch boundaries, redeliveries, faults and crashes. When the stream is drained, the target
// must equal the oracle: a map and the few lines of oracle.apply, for each of one to four targets.
//
// In some histories an operator runs the reconciler meanwhile, and kills it: backfill, verify, repair
// and redrive. The first part of such a history is older than the stream, so that only a backfill brings it.
//
// Time is fake, so retries and throttling cost nothing.
var (
	modelSeed     = flag.Uint64("model.seed", 1, "the first history of the model test")
	modelSteps    = flag.Int("model.steps", 20_000, "source writes of the model test in all")
	modelOperated = flag.Int("model.operated", 2, "one history in so many has an operator who runs the reconciler; 0: none")
	modelReduce   = flag.Bool("model.reduce", true, "print the shortest history that diverges")
)

func TestTheTargetIsTheOracleAfterAnyHistory(t *testing.T) {
	var (
		next  atomic.Uint64
		mu    sync.Mutex
		total = tally{faults: map[faults.Kind]int{}, checked: map[partiql.Kind]int{}}
		found int
	)
	next.Store(*modelSeed)
	unfinished := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return total.steps < *modelSteps && found == 0
	}
	t.Run("histories", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for unfinished() {
					seed := next.Add(1) - 1
					var divergences []string
					synctest.Test(t, func(t *testing.T) {
						var sum tally
						divergences, sum = newHistory(seed, writesOf(seed)).run(t, seed)
						mu.Lock()
						defer mu.Unlock()
						total.add(sum)
						found += len(divergences)
					})
					for _, d := range divergences[:min(5, len(divergences))] {
						t.Errorf("seed %d: %s", seed, d)
					}
					if len(divergences) > 0 && *modelReduce {
						reduce(t, seed)
					}
				}
			})
		}
	})
	t.Logf("seeds %d to %d: %s, divergences %d", *modelSeed, next.Load()-1, total, found)
}

// writesOf is the length of a seed's history.
func writesOf(seed uint64) int { return 100 + int(seed%9)*100 }

// reduce searches for the shortest beginning of a history that still diverges, and prints
// it: not every length is tried, and the faults are others with every one.
func reduce(t *testing.T, seed uint64) {
	t.Helper()
	var shortest *world
	for writes := writesOf(seed); writes > 0; writes = writes * 3 / 4 {
		synctest.Test(t, func(t *testing.T) {
			w := newHistory(seed, writes)
			if divergences, _ := w.run(t, seed); len(divergences) > 0 {
				shortest = w
			}
		})
	}
	if shortest == nil {
		t.Logf("seed %d: it did not diverge again; repeat with: make fuzz SEED=%d STEPS=1", seed, seed)
		return
	}
	t.Logf("seed %d diverges after %d writes too, with the spec %s; repeat with: make fuzz SEED=%d STEPS=1",
		seed, shortest.writes, shortest.spec.Encode(), seed)
	for _, shard := range shortest.shards {
		for _, r := range shard.Records[max(0, len(shard.Records)-20):] {
			t.Logf("%s: %s", shard.ID, r.JSON)
		}
	}
}

func (t tally) String() string {
	return fmt.Sprintf("%d steps, %d batches, %d invocations, %d records redelivered, %d crashes, %d rewinds, "+
		"%d invocations braked, %d items set aside, %d records lost to failing tables and applied again, faults %v, "+
		"guarded writes checked %v, operators %+v",
		t.steps, t.Batches, t.Invocations, t.Redelivered, t.Errors+t.Crashes, t.Rewinds, t.braked, t.aside, t.lost,
		t.faults, t.checked, t.operators)
}

func (t *tally) add(more tally) {
	t.steps += more.steps
	t.Batches += more.Batches
	t.Invocations += more.Invocations
	t.Redelivered += more.Redelivered
	t.Errors += more.Errors
	t.Crashes += more.Crashes
	t.Rewinds += more.Rewinds
	t.braked += more.braked
	t.lost += more.lost
	t.operators.add(more.operators)
	t.aside += more.aside
	for kind, n := range more.faults {
		t.faults[kind] += n
	}
	for kind, n := range more.checked {
		t.checked[kind] += n
	}
}

// tally counts the events of a run.
type tally struct {
	eventsource.Stats
	steps  int
	faults map[faults.Kind]int
	// lost counts the records that went to the failure queue because a table failed as a
	// whole, braked the invocations that stopped at such a table, aside the items whose
	// keys went there.
	lost, braked, aside int
	// checked counts the guarded writes that were compared with a conditional put, by how they
	// were sent: "" is PutItem.
	checked map[partiql.Kind]int
	// operators counts what the operators did.
	operators operatorTally
}

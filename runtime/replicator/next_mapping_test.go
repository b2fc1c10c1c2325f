package replicator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

// settle deletes and restores every source item, and applies that with the next spec alone:
// until then an item shows the mapping of the process that wrote it last.
func (w *world) settle(t testing.TB, in cloud) error {
	t.Helper()
	var before []int
	for _, shard := range w.shards {
		before = append(before, len(shard.Records))
	}
	w.writes += 8 // later by the clock
	for _, id := range slices.Sorted(maps.Keys(w.source)) {
		item := w.source[id]
		w.writes++
		w.change(id, nil, false)
		w.change(id, item, false)
	}
	shards := slices.Clone(w.shards)
	for i := range shards {
		shards[i].Records = shards[i].Records[before[i]:]
	}

	random := rand.New(rand.NewPCG(0, 0))
	q := &memoryQueue{t: t, random: random, queued: map[string]map[string]bool{}}
	next := *w
	next.spec, next.next, next.releases = *w.next, nil, false
	e := next.environment(0, cloud{config: in.config, rules: in.rules[:1]}, q)
	m := eventsource.Mapping{BatchSize: 1000, PartialResponses: true, MaxRetryAttempts: -1, Timeout: 10 * time.Second}
	_, err := w.drainBounded(t.Context(), m, shards, e.replicator.Invoke)

	return err
}

// unsettled compares the targets with the oracles of the next spec. Items that only the spec
// before maps may be left.
func (w *world) unsettled(items func(table string) []string, err error) []string {
	if err != nil {
		return []string{fmt.Sprintf("the stream does not drain with the next mapping: %v", err)}
	}
	var found []string
	for _, o := range w.nextOracles {
		_, required := o.allowedAndRequired()
		for _, item := range items(o.target.TableName) {
			delete(required, normalized(item))
		}
		for item := range required {
			found = append(found, fmt.Sprintf("%s: after a change of the mapping, the target lacks %s",
				o.target.TableName, item))
		}
	}
	return found
}

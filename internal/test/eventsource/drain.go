package eventsource

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
)

// Drain delivers the records of the shards until each is done or discarded. Shards
// that do not continue one another are drained concurrently.
//
// An error means that Lambda would not accept the mapping or the shards, and nothing
// was delivered; or that the context ended before the records did. It then says
// where each lane was and why its last invocation failed.
//
// Inside a testing/synctest bubble all waiting is in fake time.
func (m *Mapping) Drain(ctx context.Context, shards []Shard, handle Handler) (Stats, error) {
	settings, err := m.settings()
	if err != nil {
		return Stats{}, err
	}
	if err := checkShards(shards); err != nil {
		return Stats{}, err
	}

	var (
		destination sync.Mutex
		lanes       [][]*lane
		finished    = make(map[string]chan struct{}, len(shards))
	)
	for _, shard := range shards {
		finished[shard.ID] = make(chan struct{})
		var ofShard []*lane
		for _, records := range split(shard.Records, settings.ParallelizationFactor) {
			l := &lane{mapping: settings, handle: handle, destination: &destination, shardID: shard.ID, records: records}
			if settings.Disturb != nil {
				l.disturb = settings.Disturb(len(lanes)*settings.ParallelizationFactor + len(ofShard))
			}
			ofShard = append(ofShard, l)
		}
		lanes = append(lanes, ofShard)
	}

	errs := make([]error, len(shards))
	var all sync.WaitGroup
	for i, shard := range shards {
		all.Go(func() {
			defer close(finished[shard.ID])
			if parent, ok := finished[shard.Parent]; ok {
				<-parent
			}
			errs[i] = run(ctx, lanes[i])
		})
	}
	all.Wait()

	var stats Stats
	for _, ofShard := range lanes {
		for _, l := range ofShard {
			stats.add(l.stats)
		}
	}

	return stats, errors.Join(errs...)
}

// run drains the lanes of one shard.
func run(ctx context.Context, lanes []*lane) error {
	errs := make([]error, len(lanes))
	var all sync.WaitGroup
	for i, l := range lanes {
		all.Go(func() { errs[i] = l.drain(ctx) })
	}
	all.Wait()

	return errors.Join(errs...)
}

// split deals the records of a shard out to lanes: all records of one item to the
// same one, in order.
func split(records []Record, lanes int) [][]Record {
	if lanes == 1 {
		return [][]Record{records}
	}

	dealt := make([][]Record, lanes)
	for _, r := range records {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Item)) // a hash never fails
		i := h.Sum32() % uint32(lanes) // #nosec G115 -- at most highestParallelism
		dealt[i] = append(dealt[i], r)
	}

	return dealt
}

package race

import (
	"context"

	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/runtime/replicator"
)

// odds are those of the accidents of the stream.
var odds = eventsource.Odds{Cut: 0.2, Crash: 0.05, Rewind: 0.05, Reach: 20}

// deliver hands records to the replicator until there are no more.
func deliver(
	ctx context.Context, seed uint64, records <-chan eventsource.Record, handler *replicator.Replicator,
) error {
	for round := seed << 32; ; round++ {
		record, more := <-records
		if !more {
			return nil
		}
		shard := eventsource.Shard{ID: "shard", Records: []eventsource.Record{record}}
		for range len(records) {
			shard.Records = append(shard.Records, <-records)
		}
		mapping := eventsource.Mapping{
			PartialResponses: true, MaxRetryAttempts: -1, Disturb: eventsource.Seeded(round, odds),
		}
		if _, err := mapping.Drain(ctx, []eventsource.Shard{shard}, handler.Invoke); err != nil {
			return err
		}
	}
}

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/race"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/figure"
)

// writesPerSecond is how often the application writes. The loop takes minutes, so it meets far more
// writes than the others.
const writesPerSecond = 200

// runRaces lets each variant fill tables while an application writes.
func runRaces(ctx context.Context, o options, out, ratios io.Writer) error {
	fmt.Fprintf(out, "\n## Races\n\n%d items, %d writes per second of the time that the requests would take, "+
		"%d seeds from %d on.\n\n"+
		"| variant | writes meanwhile | missing | stale | orphans |\n|---|---:|---:|---:|---:|\n",
		o.raceItems, writesPerSecond, o.seeds, o.seed)
	for _, v := range o.variants {
		if !v.races {
			continue
		}
		var sum race.Outcome
		for i := range o.seeds {
			seed := o.seed + uint64(i) // #nosec G115 -- not negative
			outcome, err := race.Race{
				Seed: seed, Items: o.raceItems, WritesPerSecond: writesPerSecond, InFlight: v.inFlight,
				Fill: func(ctx context.Context, o dynamodb.Options) error { return v.fill(ctx, o, 0) },
			}.Run(ctx)
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", v.name, seed, err)
			}
			if v.name == "ours" && outcome.Wrong() > 0 {
				return fmt.Errorf("the reconciler leaves wrong items with seed %d: %+v", seed, outcome)
			}
			sum.Add(outcome)
		}
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d |\n", v.title, sum.Writes, sum.Missing, sum.Stale, sum.Orphans)
		fmt.Fprintf(ratios, "ratio races wrong:%s %s\n", v.name, figure.Whole(float64(sum.Wrong())))
	}

	return nil
}

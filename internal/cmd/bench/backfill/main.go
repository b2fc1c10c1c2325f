// Command backfill measures how a target table is filled from a source table that exists already: by
// the ways that people write (package plain), and by this module's reconciler as its command runs it.
// "make bench-backfill" runs it; ../README.md has the results.
//
//	-parts        speed, rate and races, with commas between them; all by default
//	-variants     of speed and races, by name; all by default
//	-items        items of the source table of speed, 1,000,000 by default
//	-delay        how long the endpoint takes to answer a request, 5ms by default
//	-write-units  the limit of rate, in write units per second, 5,000 by default
//	-seconds      how long rate should take at its limit, 20 by default
//	-race-items   items of the source table of races, 100,000 by default
//	-seeds        races of each variant, 10 by default
//	-seed         the seed of the first one, 1 by default
//
// # Speed
//
// A DynamoDB endpoint on loopback has a source table of generated orders of 1 KB, in pages of 1 MB, and
// answers each request a fixed delay after it has read it (package stub). It is a process of its own,
// and so is each variant. All but the loop have eight requests in flight, one for each of eight segments.
// "By default" is the operator's command: eight for each segment. Its progress record is not written. The
// loop is measured with a hundredth of the items, and its figures are multiplied.
//
// The floor is the time that the fewest requests take, if everything but the delay is free: a request
// for every 25 items, and two for every page, as many at once as the variant has in flight.
//
//	wall         until everything is answered
//	CPU          of the variant's process, user and system
//	requests     that it sent, and the units that DynamoDB would charge for them
//	peak RSS     of the process
//
// # Rate
//
// The reconciler with a limit: as many items as it should put in -seconds, and the write units per
// second that the endpoint has counted.
//
// # Races
//
// The source table is in memory. While a variant fills the target table, an application changes, moves,
// deletes and adds orders, and the replicator applies the stream, of which Lambda's event source mapping
// loses answers and delivers batches twice (package eventsource). Each variant has tables of its own.
// The application makes its writes in proportion to the time that the variant's requests would take
// with a delay of 5 ms, so that it writes as much whatever machine this is. When the variant has finished
// and the stream is drained, the target table is compared with the mapping of the source table.
//
//	missing  source items without a target item
//	stale    target items that differ from what their source items map to
//	orphans  target items whose source items are not there, or map elsewhere
//
// A difference that the reconciler leaves is an error.
//
// # The lines for machines
//
// "ratio <part> <metric> <value>". The metrics are:
//
//	wall:<variant>/ours            the first one's value divided by the second's
//	cpu_per_item:ours/<variant>
//	wall:<variant>/floor           the wall time divided by the floor
//	wall_s:<variant>               and cpu_us_per_item, requests, read_units, rss_mb, as in the table
//	write_units_per_second:ours/limit
//	wrong:<variant>                missing, stale and orphans of all races
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
)

// The roles of processes that this command starts.
const (
	endpointRole = "endpoint"
	fillerRole   = "filler"
)

var roles = map[string]process.Role{endpointRole: serveEndpoint, fillerRole: serveFiller}

func main() {
	process.Main("bench-backfill", roles, func(ctx context.Context, args []string, out io.Writer) error {
		o, err := parse(args)
		if err != nil {
			return err
		}
		return run(ctx, o, out)
	})
}

// The parts.
const (
	speedPart = "speed"
	ratePart  = "rate"
	racesPart = "races"
)

// options are the flags of the command.
type options struct {
	parts      []string
	variants   []variant
	items      int
	delay      time.Duration
	writeUnits float64
	seconds    int
	raceItems  int
	seeds      int
	seed       uint64
}

func parse(args []string) (options, error) {
	var o options
	names := make([]string, len(variants))
	for i := range variants {
		names[i] = variants[i].name
	}
	allParts := []string{speedPart, ratePart, racesPart}
	flags := flag.NewFlagSet("bench-backfill", flag.ContinueOnError)
	parts := flags.String("parts", strings.Join(allParts, ","), "`parts` to run")
	chosen := flags.String("variants", strings.Join(names, ","), "variants of speed and races, by `name`")
	flags.IntVar(&o.items, "items", 1_000_000, "items of the source table of speed")
	flags.DurationVar(&o.delay, "delay", 5*time.Millisecond, "how long the endpoint takes to answer a request")
	flags.Float64Var(&o.writeUnits, "write-units", 5000, "limit of rate, in write units per second")
	flags.IntVar(&o.seconds, "seconds", 20, "how long rate should take at its limit")
	flags.IntVar(&o.raceItems, "race-items", 100_000, "items of the source table of races")
	flags.IntVar(&o.seeds, "seeds", 10, "races of each variant")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the first race")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}

	var err error
	if o.parts, err = choose("part", *parts, allParts); err != nil {
		return options{}, err
	}
	wanted, err := choose("variant", *chosen, names)
	if err != nil {
		return options{}, err
	}
	for _, v := range variants {
		if slices.Contains(wanted, v.name) {
			o.variants = append(o.variants, v)
		}
	}
	if o.items < scale || o.raceItems < 1 || o.seeds < 1 || o.seconds < 1 || o.writeUnits < 1 || o.delay < 0 {
		return options{}, fmt.Errorf("a number is too small: -items must be %d at least, -delay 0, the others 1", scale)
	}

	return o, nil
}

// choose returns the names in a list.
func choose(what, list string, names []string) ([]string, error) {
	wanted := strings.Split(list, ",")
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no %s %q: use %s", what, name, strings.Join(names, ", "))
		}
	}

	return wanted, nil
}

// run runs the parts and prints the tables of each as soon as it is done.
func run(ctx context.Context, o options, out io.Writer) error {
	var ratios strings.Builder
	fmt.Fprint(out, "# Backfill\n")
	for _, part := range []struct {
		name string
		run  func(ctx context.Context, o options, out, ratios io.Writer) error
	}{{speedPart, runSpeed}, {ratePart, runRate}, {racesPart, runRaces}} {
		if !slices.Contains(o.parts, part.name) {
			continue
		}
		if err := part.run(ctx, o, out, &ratios); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	fmt.Fprintf(out, "\n## Ratios\n\n```text\n%s```\n", ratios.String())

	return nil
}

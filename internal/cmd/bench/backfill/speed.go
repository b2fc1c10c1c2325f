package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/stub"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/figure"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/typed"
)

// result is one run of one variant.
type result struct {
	variant variant
	items   int
	measured
	stub.Totals
	// floor is the least time that the variant's fewest requests take.
	floor time.Duration
}

// endpointProcess is the endpoint as the parent sees it.
type endpointProcess struct {
	*process.Process
	url   string
	delay time.Duration
}

func startEndpoint(ctx context.Context, delay time.Duration) (*endpointProcess, error) {
	var first listening
	p, err := process.Start(ctx, endpointRole, &first, delayVariable+"="+delay.String())
	if err != nil {
		return nil, err
	}

	return &endpointProcess{p, first.URL, delay}, nil
}

// run runs a variant in a process of its own.
func (e *endpointProcess) run(ctx context.Context, v variant, items int, writeUnits float64) (r result, err error) {
	r = result{variant: v, items: items}
	var ready struct{}
	p, err := process.Start(ctx, fillerRole, &ready,
		variantVariable+"="+v.name, urlVariable+"="+e.url, fmt.Sprintf("%s=%g", writeUnitsVariable, writeUnits))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.End()) }()

	var before, after begun
	if err := e.Call(begin{items}, &before); err != nil {
		return r, err
	}
	if err := p.Call(struct{}{}, &r.measured); err != nil {
		return r, fmt.Errorf("%s: %w", v.name, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", v.name, r.Error)
	}
	if err := e.Call(begin{}, &after); err != nil {
		return r, err
	}
	r.Totals = after.Totals
	if r.WriteUnits != float64(items) {
		return r, fmt.Errorf("%s used %g write units for %d items of 1 KB", v.name, r.WriteUnits, items)
	}
	batches := (items + typed.MaxBatchWrites - 1) / typed.MaxBatchWrites
	r.floor = time.Duration(batches+2*before.Pages) * e.delay / time.Duration(v.inFlight)

	return r, nil
}

// runSpeed measures the variants one after the other.
func runSpeed(ctx context.Context, o options, out, ratios io.Writer) (err error) {
	e, err := startEndpoint(ctx, o.delay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.End()) }()

	fmt.Fprintf(out, "\n## Speed\n\n%d items of 1 KB. Every request is answered after %v.\n\n"+
		"| variant | wall | CPU | CPU per item | requests | read units | write units | peak RSS |\n"+
		"|---|---:|---:|---:|---:|---:|---:|---:|\n", o.items, o.delay)
	var results []result
	for _, v := range o.variants {
		r, err := e.run(ctx, v, o.items/v.part, 0)
		if err != nil {
			return err
		}
		results = append(results, r)
		fmt.Fprintln(out, r.row())
	}
	printSpeed(ratios, results)

	return nil
}

// factor is what the figures are multiplied by.
func (r result) factor() float64 {
	if r.variant.scaled {
		return float64(r.variant.part)
	}
	return 1
}

func (r result) wall() float64 { return r.Wall.Seconds() * r.factor() }
func (r result) cpu() float64  { return r.CPU.Seconds() * r.factor() }

// cpuPerItem is in microseconds.
func (r result) cpuPerItem() float64 { return r.CPU.Seconds() * 1e6 / float64(r.items) }

func (r result) row() string {
	title := r.variant.title
	if r.variant.scaled {
		title += fmt.Sprintf(" (measured with %d items)", r.items)
	}

	return fmt.Sprintf("| %s | %s s | %s s | %s µs | %s | %s | %s | %s |", title, figure.Significant(r.wall()),
		figure.Significant(r.cpu()), figure.Significant(r.cpuPerItem()), figure.Whole(float64(r.Requests)*r.factor()),
		figure.Whole(r.ReadUnits*r.factor()), figure.Whole(r.WriteUnits*r.factor()), figure.Megabytes(float64(r.PeakRSS)))
}

// printSpeed prints the results for machines.
func printSpeed(out io.Writer, results []result) {
	ratio := func(metric string, value float64) {
		fmt.Fprintf(out, "ratio speed %s %s\n", metric, figure.Significant(value))
	}
	ours := slices.IndexFunc(results, func(r result) bool { return r.variant.name == "ours" })
	for _, r := range results {
		v := ":" + r.variant.name
		if ours >= 0 && r.variant.races && r.variant.name != "ours" {
			ratio("wall"+v+"/ours", r.wall()/results[ours].wall())
			ratio("cpu_per_item:ours/"+r.variant.name, results[ours].cpuPerItem()/r.cpuPerItem())
		}
		if r.floor > 0 && !r.variant.scaled {
			ratio("wall"+v+"/floor", r.Wall.Seconds()/r.floor.Seconds())
		}
		ratio("wall_s"+v, r.wall())
		ratio("cpu_us_per_item"+v, r.cpuPerItem())
		ratio("requests"+v, float64(r.Requests)*r.factor())
		ratio("read_units"+v, r.ReadUnits*r.factor())
		ratio("rss_mb"+v, float64(r.PeakRSS)/1e6)
	}
}

// runRate measures how close the reconciler comes to its limit.
func runRate(ctx context.Context, o options, out, ratios io.Writer) (err error) {
	e, err := startEndpoint(ctx, o.delay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.End()) }()

	v, err := findVariant("ours")
	if err != nil {
		return err
	}
	r, err := e.run(ctx, v, int(o.writeUnits)*o.seconds, o.writeUnits)
	if err != nil {
		return err
	}
	rate := r.WriteUnits / r.Wall.Seconds()
	fmt.Fprintf(out, "\n## Rate\n\n%d items with a limit of %s write units per second: "+
		"%s per second over %s s, %s of the limit.\n",
		r.items, figure.Whole(o.writeUnits), figure.Whole(rate), figure.Significant(r.Wall.Seconds()),
		figure.Percent(rate/o.writeUnits))
	fmt.Fprintf(ratios, "ratio rate write_units_per_second:ours/limit %.3f\n", rate/o.writeUnits)

	return nil
}

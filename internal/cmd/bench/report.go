package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/figure"
)

// column is one thing that is measured.
type column struct {
	name  string // in the lines for machines
	title string // in the table
	of    func(sample) float64
	show  func(float64) string
}

var (
	wall        = column{"wall", "wall", func(s sample) float64 { return s.Wall.Seconds() }, figure.Milliseconds}
	cpu         = column{"cpu", "CPU", func(s sample) float64 { return s.CPU.Seconds() }, figure.Milliseconds}
	requests    = column{"requests", "requests", func(s sample) float64 { return float64(s.Requests) }, figure.Whole}
	singles     = column{"single", "single", func(s sample) float64 { return float64(s.Single) }, figure.Whole}
	reads       = column{"reads", "reads", func(s sample) float64 { return float64(s.Reads) }, figure.Whole}
	writeUnits  = column{"write_units", "write units", func(s sample) float64 { return float64(s.WriteUnits) }, figure.Whole}
	bytesSent   = column{"bytes", "bytes", func(s sample) float64 { return float64(s.Bytes) }, figure.Whole}
	rss         = column{"rss", "peak RSS", func(s sample) float64 { return float64(s.PeakRSS) }, figure.Megabytes}
	allocations = column{"allocations", "allocations", func(s sample) float64 { return float64(s.Allocations) }, figure.Whole}
	allocated   = column{"allocated", "allocated", func(s sample) float64 { return float64(s.Allocated) }, figure.Megabytes}
)

var columns = []column{wall, cpu, requests, singles, reads, writeUnits, bytesSent, rss, allocations, allocated}

// value returns the median of the runs in a column, or the last run's peak, which is
// that of all runs.
func (r result) value(c column) float64 {
	if c.name == rss.name {
		return c.of(r.samples[len(r.samples)-1])
	}
	values := make([]float64, len(r.samples))
	for i, s := range r.samples {
		values[i] = c.of(s)
	}

	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}

	return (values[middle-1] + values[middle]) / 2
}

// floor is the wall time if everything but the endpoint's delay were free: the fewest
// rounds of requests, with all that the variant may have in flight in each.
func (r result) floor(delay time.Duration) float64 {
	rounds := (int(r.value(requests)) + r.variant.inFlight - 1) / r.variant.inFlight
	return float64(rounds) * delay.Seconds()
}

// printTable prints a case for people.
func printTable(out io.Writer, title string, results []result) {
	fmt.Fprintf(out, "\n## %s\n\n| variant |", title)
	for _, c := range columns {
		fmt.Fprintf(out, " %s |", c.title)
	}
	fmt.Fprint(out, " runs |\n|---|")
	for range columns {
		fmt.Fprint(out, "---:|")
	}
	fmt.Fprintln(out, "---:|")

	for _, r := range results {
		fmt.Fprintf(out, "| %s |", r.variant.title)
		if len(r.samples) == 0 {
			fmt.Fprintf(out, "%s none: one takes %s |\n", strings.Repeat(" |", len(columns)), r.estimate.Round(time.Second))
			continue
		}
		for _, c := range columns {
			fmt.Fprintf(out, " %s |", c.show(r.value(c)))
		}
		fmt.Fprintf(out, " %d |\n", len(r.samples))
	}
}

// printRatios prints a case for machines.
func printRatios(out io.Writer, name string, delay time.Duration, records int, results []result) {
	ratio := func(metric string, value float64) {
		fmt.Fprintf(out, "ratio %s %s %s\n", name, metric, figure.Significant(value))
	}
	results = slices.DeleteFunc(slices.Clone(results), func(r result) bool { return len(r.samples) == 0 })
	for _, yardstick := range results {
		for _, r := range results {
			if !yardstick.variant.yardstick || r.variant.yardstick {
				continue
			}
			for _, c := range columns {
				ratio(c.name+":"+yardstick.variant.name+"/"+r.variant.name, yardstick.value(c)/r.value(c))
			}
		}
	}
	for _, one := range results {
		for _, r := range results {
			if !one.variant.isLess() || r.variant.yardstick || r.variant.isLess() || r.variant.memory != one.variant.memory {
				continue
			}
			for _, c := range columns {
				ratio(c.name+":"+r.variant.name+"/"+one.variant.name, r.value(c)/one.value(c))
			}
		}
	}
	for _, r := range results {
		v := ":" + r.variant.name
		if delay > 0 {
			ratio("wall"+v+"/floor", r.value(wall)/r.floor(delay))
		}
		ratio("wall_ms"+v, r.value(wall)*1e3)
		ratio("cpu_ms"+v, r.value(cpu)*1e3)
		ratio("requests"+v, r.value(requests))
		ratio("write_units"+v, r.value(writeUnits))
		ratio("rss_mb"+v, r.value(rss)/1e6)
		ratio("cpu_us_per_record"+v, r.value(cpu)*1e6/float64(records))
		ratio("allocations_per_record"+v, r.value(allocations)/float64(records))
	}
}

package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}

	return (sorted[middle-1] + sorted[middle]) / 2
}

// report prints a table for people and lines for machines.
func report(out io.Writer, all []built) {
	bare := median(all[0].starts)
	fmt.Fprintf(out, "# Cold start\n\nFrom the start of the process to its first request for an invocation, "+
		"medians of %d interleaved starts.\n\n", len(all[0].starts))
	fmt.Fprintf(out, "| function | first next | over bare | fastest | binary, %s | binary, arm64 |\n"+
		"|---|---:|---:|---:|---:|---:|\n", runtime.GOARCH)
	for _, b := range all {
		start := median(b.starts)
		fmt.Fprintf(out, "| %s | %.2f ms | %+.2f ms | %.2f ms | %.2f MB | %.2f MB |\n",
			b.title, milliseconds(start), milliseconds(start-bare), milliseconds(slices.Min(b.starts)),
			megabytes(b.size), megabytes(b.sizeARM64))
	}

	fmt.Fprint(out, "\n```text\n")
	medians := map[string]time.Duration{}
	for _, b := range all {
		medians[b.name] = median(b.starts)
		fmt.Fprintf(out, "ratio cold start_ms:%s %.2f\n", b.name, milliseconds(median(b.starts)))
		fmt.Fprintf(out, "ratio cold start_over_bare_ms:%s %.2f\n", b.name, milliseconds(median(b.starts)-bare))
		fmt.Fprintf(out, "ratio cold binary_mb:%s %.2f\n", b.name, megabytes(b.size))
		fmt.Fprintf(out, "ratio cold binary_arm64_mb:%s %.2f\n", b.name, megabytes(b.sizeARM64))
	}
	fmt.Fprintf(out, "ratio cold start:article/ours %.2f\n```\n",
		float64(medians["article"])/float64(medians["ours"]))
}

// reportFirstBatch prints a table for people and lines for machines. limitErr is why
// the CPU was not limited.
func reportFirstBatch(out io.Writer, all []built, limitErr error) {
	fmt.Fprint(out, "\n# First batch\n\nOf one new item, on an endpoint with TLS; medians. ")
	if limitErr == nil {
		fmt.Fprint(out, "From the request for it on, a function has the CPU of its memory.")
	} else {
		fmt.Fprintf(out, "Its CPU is not limited, unlike in Lambda: a control group cannot be made here: %v", limitErr)
	}
	fmt.Fprint(out, "\n\n| function | start | first batch | both |\n|---|---:|---:|---:|\n")

	var lines strings.Builder
	both := map[string]time.Duration{}
	for _, b := range all {
		if !b.writes {
			continue
		}
		var starts, batches, sums []time.Duration
		for _, f := range b.firstBatches {
			starts, batches = append(starts, f.start), append(batches, f.batch)
			sums = append(sums, f.start+f.batch)
		}
		both[b.name] = median(sums)
		start, batch := milliseconds(median(starts)), milliseconds(median(batches))
		fmt.Fprintf(out, "| %s | %.1f ms | %.1f ms | %.1f ms |\n", b.title, start, batch, milliseconds(both[b.name]))
		fmt.Fprintf(&lines, "ratio cold tls_start_ms:%s %.1f\nratio cold first_batch_ms:%s %.1f\n",
			b.name, start, b.name, batch)
	}
	fmt.Fprintf(&lines, "ratio cold tls_start_and_first_batch:article/ours %.2f\n",
		float64(both["article"])/float64(both["ours"]))
	fmt.Fprintf(out, "\n```text\n%s```\n", lines.String())
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
func megabytes(bytes int64) float64        { return float64(bytes) / 1e6 }

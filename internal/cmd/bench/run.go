package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/cpulimit"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/endpoint"
)

// A variant gets as many runs as fit into the time of its case, but one that only
// needs a little more gets one. So the article's function has seven runs of 1,000
// records, and one of 8,000.
var (
	unlimited = allowance{50 * time.Second, time.Minute}
	limited   = allowance{12 * time.Second, 30 * time.Second}
)

// allowance is the time for one variant in one case.
type allowance struct{ all, one time.Duration }

// turns returns how many of at most wanted runs there is time for.
func (a allowance) turns(wanted int, estimate time.Duration) int {
	if estimate > a.one {
		return 0
	}
	return max(1, min(wanted, int(a.all/max(estimate, 1))))
}

// sample is one run.
type sample struct {
	measured
	endpoint.Totals
}

// result is all runs of one variant in one case.
type result struct {
	variant variant
	samples []sample
	// estimate is how long a run takes, as told from the warm-up.
	estimate time.Duration
}

// run measures all cases and prints each table as soon as it is done.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "replicatedtable-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	e, err := startEndpoint(ctx, o.delay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.end()) }()
	groups, limitErr := newLimits()
	defer func() { err = errors.Join(err, groups.remove()) }()

	fmt.Fprintf(out, "# Benchmark\n\nEvery request is answered after %v. Medians of interleaved runs.\n", o.delay)
	var ratios bytes.Buffer
	for _, w := range o.cases {
		b := bench{endpoint: e, workload: w, folder: folder, wanted: o.runs, allowance: unlimited}
		results, err := b.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		printTable(out, w.title, results)
		printRatios(&ratios, w.name, o.delay, w.records, results)
		title := w.title + ", with the CPU of the function's memory"
		if limitErr != nil {
			fmt.Fprintf(out, "\n## %s\n\nNot measured: a control group that limits the CPU cannot be made here: %v\n", title, limitErr)
			continue
		}
		b.limits, b.allowance = groups, limited
		if results, err = b.measure(ctx); err != nil {
			return fmt.Errorf("%s/limited: %w", w.name, err)
		}
		printTable(out, title, results)
		printRatios(&ratios, w.name+"/limited", o.delay, w.records, results)
	}
	fmt.Fprintf(out, "\n## Ratios\n\n```text\n%s```\n", &ratios)
	return nil
}

// limits are the control groups by the memory of a function.
type limits map[int]*cpulimit.Limit

// newLimits makes a control group for every memory that a variant has.
func newLimits() (limits, error) {
	l := limits{}
	for _, v := range variants {
		if l[v.memory] != nil {
			continue
		}
		limit, err := cpulimit.New(v.memory)
		if err != nil {
			return l, err
		}
		l[v.memory] = limit
	}
	return l, nil
}

func (l limits) remove() error {
	var errs []error
	for _, limit := range l {
		errs = append(errs, limit.Remove())
	}
	return errors.Join(errs...)
}

// bench measures one case.
type bench struct {
	endpoint *endpointProcess
	workload workload
	folder   string
	wanted   int // counted runs
	allowance
	limits limits // nil: the whole machine
}

// measure runs every variant in a process of its own, in turns.
func (b *bench) measure(ctx context.Context) (results []result, err error) {
	payload, err := b.write("payload", b.workload.payload)
	if err != nil {
		return nil, err
	}
	warmUp, err := b.write("warm-up", b.workload.warmUp)
	if err != nil {
		return nil, err
	}
	chosen := variantsFor(b.workload)
	results = make([]result, len(chosen))
	processes := make([]*process, len(chosen))
	runs := make([]int, len(chosen))
	for i, v := range chosen {
		results[i].variant = v
		if processes[i], err = startHandler(ctx, v, b.workload.spec, b.endpoint.url); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, processes[i].end()) }()
		if b.limits != nil {
			if err := b.limits[v.memory].Add(processes[i].cmd.Process.Pid); err != nil {
				return nil, err
			}
		}
		first, tenths := payload, 1
		if v.serial {
			first, tenths = warmUp, 10
		}
		s, err := b.runOnce(v, processes[i], first)
		if err != nil {
			return nil, err
		}
		results[i].estimate = s.Wall * time.Duration(tenths)
		runs[i] = b.turns(b.wanted, results[i].estimate)
	}
	for round := range b.wanted {
		for i, v := range chosen {
			if round >= runs[i] {
				continue
			}
			s, err := b.runOnce(v, processes[i], payload)
			if err != nil {
				return nil, err
			}
			if got, want := len(s.Items[b.workload.spec.Targets[0].TableName]), b.workload.written(v); got != want {
				return nil, fmt.Errorf("%s wrote %d items, not %d", v.name, got, want)
			}
			results[i].samples = append(results[i].samples, s)
		}
	}
	return results, nil
}

// write writes a payload to a file.
func (b *bench) write(name string, payload func() []byte) (string, error) {
	file := filepath.Join(b.folder, b.workload.name+"."+name)
	return file, os.WriteFile(file, payload(), 0o600)
}

// runOnce does one run.
func (b *bench) runOnce(v variant, p *process, payload string) (sample, error) {
	var s sample
	if err := p.call(command{payload}, &s.measured); err != nil {
		return s, fmt.Errorf("%s: %w", v.name, err)
	}
	if s.Error != "" {
		return s, fmt.Errorf("%s: %s", v.name, s.Error)
	}
	var err error
	if s.Totals, err = b.endpoint.settle(); err != nil {
		return s, fmt.Errorf("%s: %w", v.name, err)
	}
	return s, nil
}

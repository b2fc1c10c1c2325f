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
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
)

// A variant has as many runs as fit into the time of its case, but one when a run
// takes only a little more. So the article's function has seven runs of 1,000
// records, and one of 8,000.
var (
	unlimited = allowance{50 * time.Second, time.Minute}
	limited   = allowance{12 * time.Second, 30 * time.Second}
)

// allowance is the time for one variant in one case: for all runs, and the limit for
// one.
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
	// estimate is how long a run takes, derived from the warm-up.
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
	defer func() { err = errors.Join(err, e.End()) }()
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
			fmt.Fprintf(out, "\n## %s\n\nNot measured: a control group that limits the CPU cannot be made here: %v\n",
				title, limitErr)
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
	wanted   int    // counted runs
	before   string // the file of the payload that fills the target first, or ""
	allowance
	limits limits // nil: the whole machine
}

// contestant is a variant and its process in one case.
type contestant struct {
	result
	process *process.Process
	turns   int
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

	if b.workload.before != nil {
		if b.before, err = b.write("before", b.workload.before); err != nil {
			return nil, err
		}
	}

	var contestants []*contestant
	defer func() {
		for _, c := range contestants {
			err = errors.Join(err, c.process.End())
		}
	}()
	for _, v := range variantsFor(b.workload) {
		c, startErr := b.start(ctx, v)
		if startErr != nil {
			return nil, startErr
		}
		contestants = append(contestants, c)
		if err := b.warm(c, payload, warmUp); err != nil {
			return nil, err
		}
	}

	for round := range b.wanted {
		for _, c := range contestants {
			if round >= c.turns {
				continue
			}
			if err := b.count(c, payload); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range contestants {
		results = append(results, c.result)
	}

	return results, nil
}

// start starts a variant's process and limits its CPU.
func (b *bench) start(ctx context.Context, v variant) (*contestant, error) {
	p, err := startHandler(ctx, v, b.workload.specFor(v), b.endpoint.url)
	if err != nil {
		return nil, err
	}
	if b.limits != nil {
		if err := b.limits[v.memory].Add(p.ID()); err != nil {
			return nil, errors.Join(err, p.End())
		}
	}

	return &contestant{result: result{variant: v}, process: p}, nil
}

// warm does the run that does not count, and decides how many follow.
func (b *bench) warm(c *contestant, payload, warmUp string) error {
	tenths := 1
	if c.variant.serial {
		payload, tenths = warmUp, 10
	}
	s, err := b.runOnce(c.variant, c.process, payload)
	if err != nil {
		return err
	}
	c.estimate = s.Wall * time.Duration(tenths)
	c.turns = b.turns(b.wanted, c.estimate)

	return nil
}

// count does a run that counts, and checks what it left.
func (b *bench) count(c *contestant, payload string) error {
	s, err := b.runOnce(c.variant, c.process, payload)
	if err != nil {
		return err
	}
	for _, t := range b.workload.specFor(c.variant).Targets {
		if got, want := len(s.Items[t.TableName]), b.workload.written(c.variant); got != want {
			return fmt.Errorf("%s wrote %d items to %s, not %d", c.variant.name, got, t.TableName, want)
		}
	}
	c.samples = append(c.samples, s)

	return nil
}

// write writes a payload to a file.
func (b *bench) write(name string, payload func() []byte) (string, error) {
	file := filepath.Join(b.folder, b.workload.name+"."+name)
	return file, os.WriteFile(file, payload(), 0o600)
}

// runOnce does one run.
func (b *bench) runOnce(v variant, p *process.Process, payload string) (sample, error) {
	var s sample
	if b.before != "" {
		var filled measured
		if err := p.Call(command{b.before}, &filled); err != nil {
			return s, fmt.Errorf("%s, before the run: %w", v.name, err)
		}
		if filled.Error != "" {
			return s, fmt.Errorf("%s, before the run: %s", v.name, filled.Error)
		}
		if _, err := b.endpoint.settle(settle{Keep: true, Live: b.workload.live}); err != nil {
			return s, fmt.Errorf("%s, before the run: %w", v.name, err)
		}
	}
	if err := p.Call(command{payload}, &s.measured); err != nil {
		return s, fmt.Errorf("%s: %w", v.name, err)
	}
	if s.Error != "" {
		return s, fmt.Errorf("%s: %s", v.name, s.Error)
	}

	var err error
	if s.Totals, err = b.endpoint.settle(settle{}); err != nil {
		return s, fmt.Errorf("%s: %w", v.name, err)
	}

	return s, nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// bytesPerSegment is the size of a table for which one segment more is scanned by default, up to
// maxDefaultSegments. Each segment holds a page of 1 MiB and what is derived from it.
const (
	bytesPerSegment    = 128 << 20
	maxDefaultSegments = 8
)

// askFrom is the estimate in dollars from which a person is asked first.
const askFrom = 1.0

// reconcile backfills, verifies or repairs.
func (c *command) reconcile(ctx context.Context) (int, error) {
	operation := reconciler.Operation(c.name)
	d, err := c.deployment(ctx, max(c.flags.segments, maxDefaultSegments)*reconciler.DefaultInFlight)
	if err != nil {
		return exitUnfinished, err
	}
	source, targets, err := d.describe(ctx)
	if err != nil {
		return exitUnfinished, err
	}
	if err := c.checkStream(ctx, d, source); err != nil {
		return exitUnfinished, err
	}

	begin := progress{
		Version: recordVersion, Operation: operation, DryRun: c.flags.dryRun,
		Mapping: mappingHash(d.spec), Tables: []string{source.id}, Of: c.flags.segments,
	}
	for _, t := range targets {
		begin.Tables = append(begin.Tables, t.id)
	}
	if begin.Of == 0 {
		begin.Of = int(min(1+source.bytes/bytesPerSegment, maxDefaultSegments))
	}
	if c.flags.onAWS != "" {
		if err := c.announce(d, newEstimate(operation, source, targets, begin.Of, c.flags)); err != nil {
			return exitUnfinished, err
		}
		return c.onAWS(ctx, d)
	}
	r, err := openRecord(c.flags.progress, begin, c.flags.segments)
	if err != nil {
		return exitUnfinished, err
	}
	defer r.close()
	if finished := r.progress.Finished; !finished.IsZero() {
		if operation == reconciler.Backfill {
			return c.finishedBefore(r), nil
		}
		c.note("the %s with %s was finished on %s: it begins again", c.name, r.path, finished.Format(time.RFC3339))
		if err := r.again(begin); err != nil {
			return exitUnfinished, err
		}
	}

	e := newEstimate(operation, source, targets, r.progress.Of, c.flags)
	if err := c.announce(d, e); err != nil {
		return exitUnfinished, err
	}

	return c.loop(ctx, d, r, e)
}

// finishedBefore says that a backfill has nothing left to do, and returns the exit code that it had.
func (c *command) finishedBefore(r *record) int {
	c.note("nothing was done: the backfill with %s was finished on %s; "+
		"to run it again, choose another file or remove this one", r.path, r.progress.Finished.Format(time.RFC3339))
	counts, _ := r.counts()
	code := c.exitCode(r.progress.Operation, counts)
	if c.flags.json {
		c.result(counts, code)
	}

	return code
}

// checkStream refuses a backfill whose target would not follow the source table. Others may compare
// tables at rest: they are told.
func (c *command) checkStream(ctx context.Context, d *deployment, source table) error {
	err := d.checkStream(ctx, source)
	if known := (*failure)(nil); errors.As(err, &known) && c.name != string(reconciler.Backfill) {
		c.note("note: %s", known.text)
		return nil
	}
	return err
}

// announce says what the run will need, and asks a person when that is much.
func (c *command) announce(d *deployment, e estimate) error {
	tables := d.spec.Source.TableName + " to " + strings.Join(targetTables(d.spec), ", ")
	if c.flags.json {
		c.emit("start", struct {
			Operation, Source string
			Targets           []string
			Estimate          estimate
		}{c.name, d.spec.Source.TableName, targetTables(d.spec), e})
	} else {
		fmt.Fprintf(c.stdout, "%s %s\n%s\n", c.name, tables, e)
	}
	if e.Dollars < askFrom || !c.terminal || c.flags.yes {
		return nil
	}

	fmt.Fprint(c.stderr, "Begin? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.stdin).ReadString('\n') // the end of the input is no answer
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case a := <-answer:
		if a == "y" || a == "yes" {
			return nil
		}
	case <-c.stopping:
	}

	return unfinished("nothing was done")
}

// loop carries out the passes of the operation from where the record is, and returns the exit code.
func (c *command) loop(ctx context.Context, d *deployment, r *record, e estimate) (int, error) {
	findings := &findings{command: c}
	engine := reconciler.New(d.spec, reconciler.Options{
		DynamoDB:   dynamodb.NewFromConfig(d.config).Options(),
		WriteUnits: c.flags.writeUnits, ReadUnits: c.flags.readUnits,
		Grace: c.flags.grace, Strict: c.flags.strict, DryRun: c.flags.dryRun,
		Report: findings.add,
	})

	display := c.startDisplay(r, e)
	err := c.passes(ctx, engine, r)
	if err == nil {
		err = r.finish()
	}
	display.stop()
	findings.summarize()
	counts, interrupted := r.counts()
	if err != nil {
		c.result(counts, exitUnfinished)
		return exitUnfinished, c.continuable(err)
	}

	code := c.exitCode(r.progress.Operation, counts)
	c.warnOfEmpty(d.spec, r.passes())
	c.result(counts, code)
	if interrupted {
		c.note("a run was killed within a page: a write of it may still arrive within 15 minutes; verify again after that")
	}

	return code, nil
}

// exitCode returns the exit code of an operation that is finished.
func (c *command) exitCode(operation reconciler.Operation, counts reconciler.Counts) int {
	left := counts.Unrepaired
	if operation == reconciler.Verify {
		left = counts.Differences(c.flags.strict)
	}
	if left > 0 {
		return exitDifferences
	}

	return exitDone
}

// continuable says how to continue what err has ended.
func (c *command) continuable(err error) error {
	if !errors.Is(err, errStopped) {
		return err
	}
	if c.flags.progress == "" {
		return unfinished("stopped before the end; without -progress, the next run begins at the start")
	}
	return unfinished("stopped before the end: run the same command again to continue")
}

// errStopped says that a run ended because it was asked to.
var errStopped = errors.New("stopped")

// passes carries out the passes that are needed, one after the other.
func (c *command) passes(ctx context.Context, engine *reconciler.Reconciler, r *record) error {
	operation := r.progress.Operation
	for i, pass := range engine.Passes(operation) {
		_, interrupted := r.counts()
		if i > 0 && operation == reconciler.Backfill && !interrupted {
			return nil
		}
		if err := c.pass(ctx, engine, r, pass); err != nil {
			return err
		}
	}

	return nil
}

// pass carries out the pages of one pass, all segments at once. When it is asked to stop, or when a
// segment fails, the others finish their pages.
func (c *command) pass(ctx context.Context, engine *reconciler.Reconciler, r *record, pass reconciler.Pass) error {
	failed := make(chan struct{})
	var once sync.Once
	var first error
	var all sync.WaitGroup
	for _, s := range r.segments(pass) {
		all.Go(func() {
			for !s.Done {
				select {
				case <-c.stopping:
					once.Do(func() { first = errStopped; close(failed) })
					return
				case <-failed:
					return
				default:
				}
				if err := engine.Page(ctx, &s, r.save); err != nil {
					once.Do(func() { first = err; close(failed) })
					return
				}
			}
		})
	}
	all.Wait()

	return first
}

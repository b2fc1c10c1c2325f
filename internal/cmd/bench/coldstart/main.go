// Command coldstart measures how long a function's process takes from its start to
// its first request for an invocation, and how large its binary is. "make bench-cold"
// runs it.
//
//	-runs   counted starts of each function, 25 by default
//
// It compares three functions: one that does nothing, this module's, and the
// article's, which it also builds with our build flags. They alternate, against a
// stub of Lambda's runtime API on loopback; the first start of each does not count,
// and the output shows medians. The time is that of the process alone. Lambda adds
// the time to fetch and unpack the code, which depends on the size of the binary, and
// to start the sandbox. The endpoint of DynamoDB has no TLS; ours does not connect to
// such an endpoint before its first batch.
//
// The functions run as binaries for this machine; the table also has the sizes for
// arm64, the construct's default. MB is 1,000,000 bytes.
//
// Then it measures a start together with the first batch, one new item of 1 KB, on an
// endpoint with TLS that answers every request after 5 ms, a connection included. A
// function has a whole CPU until it asks for an invocation, as in Lambda, and from
// then on the share of 256 MB. That needs a Linux control group, which usually only
// root can make; without one it has a whole CPU all the time, and the output says so.
//
// The last lines are for machines, "ratio cold <metric> <value>":
//
//	start_ms:<function>               median
//	start_over_bare_ms:<function>     how much longer than the bare function's
//	start:article/ours                the article's divided by ours, without TLS
//	binary_mb:<function>              for this machine
//	binary_arm64_mb:<function>        for Lambda
//	tls_start_ms:<function>           with the endpoint with TLS
//	first_batch_ms:<function>         from the request for it to its answer
//	tls_start_and_first_batch:article/ours
//	                                  the article's divided by ours
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/cpulimit"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
)

func main() {
	runs := flag.Int("runs", 25, "counted starts of each function")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, *runs, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "coldstart: %v\n", err)
		os.Exit(1)
	}
}

// built is a function with the sizes of its binaries and the times of its starts.
type built struct {
	function
	binary          string
	size, sizeARM64 int64
	starts          []time.Duration
	// firstBatches were measured with TLS and the CPU of the function's memory.
	firstBatches []firstBatch
}

// firstBatch is a start with the batch that follows it.
type firstBatch struct{ start, batch time.Duration }

func run(ctx context.Context, runs int, out io.Writer) (err error) {
	if runs < 1 {
		return fmt.Errorf("-runs is %d: at least one start counts", runs)
	}
	folder, err := os.MkdirTemp("", "replicatedtable-coldstart-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	all := make([]built, len(functions))
	for i, f := range functions {
		if all[i], err = build(ctx, f, folder); err != nil {
			return err
		}
	}
	api, err := serveRuntimeAPI(ctx)
	if err != nil {
		return err
	}
	defer api.close()

	if err := measureStarts(ctx, api, all, runs); err != nil {
		return err
	}
	report(out, all)

	limitErr, err := measureFirstBatches(ctx, api, all, runs, folder)
	if err != nil {
		return err
	}
	reportFirstBatch(out, all, limitErr)

	return nil
}

// measureStarts starts the functions in turns.
func measureStarts(ctx context.Context, api *runtimeAPI, all []built, runs int) error {
	for n := range runs + 1 {
		for i := range all {
			p, err := api.start(ctx, all[i].function, all[i].binary, dynamoDB{url: "http://" + api.address})
			if err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
			p.end()
			if n > 0 { // the first start reads the binary from the disk
				all[i].starts = append(all[i].starts, p.took)
			}
		}
	}

	return nil
}

// measureFirstBatches starts the functions that write in turns, each with a batch.
// limitErr is why the CPU was not limited.
func measureFirstBatches(
	ctx context.Context, api *runtimeAPI, all []built, runs int, folder string,
) (limitErr, err error) {
	limit, limitErr := cpulimit.New(memory)
	if limitErr == nil {
		defer func() { err = errors.Join(err, limit.Remove()) }()
	}
	e, closeServer, err := serveTLS(folder)
	defer closeServer()
	if err != nil {
		return limitErr, err
	}

	for range runs {
		for i := range all {
			if !all[i].writes {
				continue
			}
			if err := all[i].measureFirstBatch(ctx, api, e, limit); err != nil {
				return limitErr, fmt.Errorf("%s: %w", all[i].name, err)
			}
		}
	}

	return limitErr, nil
}

// measureFirstBatch starts the function and sends it a batch. The limit may be nil.
func (b *built) measureFirstBatch(ctx context.Context, api *runtimeAPI, e dynamoDB, limit *cpulimit.Limit) error {
	p, err := api.start(ctx, b.function, b.binary, e)
	if err != nil {
		return err
	}
	defer p.end()

	if limit != nil {
		if err := limit.Add(p.id); err != nil {
			return err
		}
	}
	took, err := api.invoke(p, orders.Inserts(1, orders.Large))
	if err != nil {
		return err
	}
	b.firstBatches = append(b.firstBatches, firstBatch{p.took, took})

	return nil
}

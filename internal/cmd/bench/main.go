// Command bench measures the cost of one invocation: of the article's function, of
// the function that a good engineer writes with the typed SDK (package typed), and
// of this module's. "make bench" runs it; README.md has the results.
//
//	-cases   the cases to run, by name, with commas between them; all by default
//	-runs    counted runs of each variant in each case, 7 by default
//	-delay   how long the endpoint takes to answer a request, 5ms by default
//
// # How it measures
//
// A DynamoDB endpoint on loopback answers each request a fixed delay after it has
// read it (package endpoint). It is a process of its own, and so is every variant
// in every case, so each has its own CPU time and memory. The variants alternate: one
// run each, then the next one each. The output shows medians; the first run of each
// variant does not count. A slow variant has fewer runs, and the table says how many:
// none when one run takes more than a minute, or half a minute with a limited CPU.
//
// Our function and the second row of the typed one have the environment variables
// with which the construct fits the Go runtime to the function's memory: with less
// than one processor they run one thread at a time, and collect garbage later. The
// other functions have a function's default environment.
//
// Each case is measured twice: with the machine's CPUs, and with the share of one
// that Lambda gives to a function of the variant's memory, 0.145 for 256 MB. The
// second needs a Linux control group with the cpu controller, which usually only
// root can make; the output says so when it cannot be made.
//
// # The columns
//
//	wall         from the payload's bytes to the answer's
//	CPU          of the variant's process, user and system
//	requests     that it sent
//	write units  that DynamoDB would charge for them
//	bytes        of the requests' bodies
//	peak RSS     of the process in that case: one payload, all runs
//	allocations  of memory on the heap, by number
//	allocated    the bytes of all these allocations together
//
// KB is 1,024 bytes as in DynamoDB's limits, MB is 1,000,000 bytes.
//
// # The lines for machines
//
// After the tables come lines "ratio <case> <metric> <value>". The case ends in
// "/limited" where the CPU was limited. The metrics are:
//
//	<column>:<variant>/<variant>        the first one's value divided by the second's;
//	                                    one256 and one1280 are ours with the first of
//	                                    several targets, silent256 is ours without
//	                                    metrics
//	wall:<variant>/floor                the wall time divided by the delays of the
//	                                    fewest rounds in which the variant can send
//	                                    its requests
//	requests:<variant>                  and write_units, as in the table
//	rss_mb:<variant>                    peak RSS in MB
//	wall_ms:<variant>                   and cpu_ms
//	cpu_us_per_record:<variant>
//	allocations_per_record:<variant>
//
// with the columns wall, cpu, requests, write_units, bytes, rss, allocations and
// allocated.
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

// The roles.
const (
	endpointRole = "endpoint"
	handlerRole  = "handler"
)

var roles = map[string]process.Role{endpointRole: serveEndpoint, handlerRole: serveHandler}

func main() {
	process.Main("bench", roles, func(ctx context.Context, args []string, out io.Writer) error {
		o, err := parse(args)
		if err != nil {
			return err
		}
		return run(ctx, o, out)
	})
}

// options are the flags of the command.
type options struct {
	cases []workload
	runs  int
	delay time.Duration
}

func parse(args []string) (options, error) {
	o := options{cases: workloads()}
	names := make([]string, len(o.cases))
	for i := range o.cases {
		names[i] = o.cases[i].name
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	chosen := flags.String("cases", strings.Join(names, ","), "cases to run, by `name`")
	flags.IntVar(&o.runs, "runs", 7, "counted runs of each variant in each case")
	flags.DurationVar(&o.delay, "delay", 5*time.Millisecond, "how long the endpoint takes to answer a request")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}

	if o.runs < 1 {
		return options{}, fmt.Errorf("-runs is %d: at least one run counts", o.runs)
	}
	if o.delay < 0 {
		return options{}, fmt.Errorf("-delay is %v: it cannot be negative", o.delay)
	}

	wanted := strings.Split(*chosen, ",")
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return options{}, fmt.Errorf("-cases: there is no case %q: use %s", name, strings.Join(names, ", "))
		}
	}
	o.cases = slices.DeleteFunc(o.cases, func(w workload) bool { return !slices.Contains(wanted, w.name) })

	return o, nil
}

// Command coldstart measures how long a function's process takes from its start
// to its first request for an invocation, and how large its binary is. It is what
// "make bench-cold" runs.
//
//	-runs   counted starts of each function, 25 by default
//
// It compares three functions: one that does nothing, this module's, and the
// article's, that one also with our build flags. They take turns against a stub of
// Lambda's runtime API on loopback; the first start of each is not counted, and what
// is printed are medians. The time is that of the process alone: fetching and
// unpacking the code, and starting the sandbox, which Lambda adds, depend on the size
// of the binary. The endpoint of DynamoDB is one without TLS, to which ours opens no
// connection yet.
//
// The functions run as binaries for this machine; sizes are also those for arm64,
// the construct's default. MB is 1,000,000 bytes.
//
// Then it measures a start together with the first batch, one new item of 1 KB, on an
// endpoint with TLS that answers every request after 5 ms, that for a connection
// included. A function has a whole CPU until it asks for an invocation, as in Lambda,
// and from then on the share of 256 MB. That needs a Linux control group, which
// usually only root can make; without one it has a whole CPU all the time, and the
// output says so.
//
// The last lines are for machines, "ratio cold <metric> <value>":
//
//	start_ms:<function>               median
//	start_over_bare_ms:<function>     how much longer than the bare function's
//	start:article/ours                how many times ours the article's takes,
//	                                  without TLS
//	binary_mb:<function>              for this machine
//	binary_arm64_mb:<function>        for Lambda
//	tls_start_ms:<function>           with that endpoint
//	first_batch_ms:<function>         from the request for it to its answer
//	tls_start_and_first_batch:article/ours
//	                                  how many times ours the article's takes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/cpulimit"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
)

// function is one that is measured.
type function struct {
	name, title string
	// folder is that of its main package, below functions.
	folder string
	// flags are go build's.
	flags []string
	// writes says that it writes what it is given.
	writes bool
	// variables are what is in the environment of this function only.
	variables map[string]string
}

// constructFlags are those with which the construct builds the function.
var constructFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s", "-tags=lambda.norpc,nethttpomithttp2"}

// memory is that of every function, in MiB.
const memory = 256

var functions = []function{
	{"bare", "bare lambda.Start", "bare", constructFlags, false, nil},
	{"ours", "ours", "replicator", constructFlags, true, orders.Unique().Environment(memory)},
	{"article", "article", "article", nil, true, nil},
	{"article_small", "article, with our build flags", "article", constructFlags, true, nil},
}

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

// built is a function's binaries, and how long its starts took.
type built struct {
	function
	binary          string
	size, sizeARM64 int64
	starts          []time.Duration
	// firstBatches are with TLS and the CPU of the function's memory.
	firstBatches []firstBatch
}

// firstBatch is a start and what follows it.
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
	report(out, all)
	limit, limitErr := cpulimit.New(memory)
	if limitErr == nil {
		defer func() { err = errors.Join(err, limit.Remove()) }()
	}
	e, closeServer, err := serveTLS(folder)
	defer closeServer()
	if err != nil {
		return err
	}
	for range runs {
		for i := range all {
			if !all[i].writes {
				continue
			}
			if err := all[i].measureFirstBatch(ctx, api, e, limit); err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
		}
	}
	reportFirstBatch(out, all, limitErr)
	return nil
}

// measureFirstBatch starts the function and gives it a batch. The limit may be nil.
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

// build builds a function for this machine and for arm64.
func build(ctx context.Context, f function, folder string) (built, error) {
	b := built{function: f, binary: filepath.Join(folder, f.name)}
	var err error
	if b.size, err = compile(ctx, f, b.binary, runtime.GOOS, runtime.GOARCH); err != nil {
		return b, err
	}
	b.sizeARM64, err = compile(ctx, f, b.binary+"-arm64", "linux", "arm64")
	return b, err
}

// compile builds one binary and returns its size.
func compile(ctx context.Context, f function, file, system, architecture string) (int64, error) {
	arguments := slices.Concat([]string{"build", "-o", file}, f.flags,
		[]string{"github.com/replicatedtable/cdk-go/internal/cmd/bench/coldstart/functions/" + f.folder})
	cmd := exec.CommandContext(ctx, "go", arguments...)
	// GoFunction builds without cgo.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
	if output, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build %s: %w: %s", f.name, err, output)
	}
	stat, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return stat.Size(), nil
}

// environment is that of a function, as far as it matters here.
func (f function) environment(address string, e dynamoDB) []string {
	environment := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", memory),
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=bench",
		"AWS_SECRET_ACCESS_KEY=bench",
		"AWS_ENDPOINT_URL=" + e.url,
		"SSL_CERT_FILE=" + e.roots,
		"TABLE_NAME=" + orders.ByCustomer,
	}
	for name, value := range f.variables {
		environment = append(environment, name+"="+value)
	}
	return environment
}

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
	fmt.Fprintf(out, "# Cold start\n\nFrom the start of the process to its first request for an invocation, medians of %d interleaved starts.\n\n", len(all[0].starts))
	fmt.Fprintf(out, "| function | first next | over bare | fastest | binary, %s | binary, arm64 |\n|---|---:|---:|---:|---:|---:|\n", runtime.GOARCH)
	for _, b := range all {
		fmt.Fprintf(out, "| %s | %.2f ms | %+.2f ms | %.2f ms | %.2f MB | %.2f MB |\n",
			b.title, milliseconds(median(b.starts)), milliseconds(median(b.starts)-bare), milliseconds(slices.Min(b.starts)), megabytes(b.size), megabytes(b.sizeARM64))
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
	fmt.Fprintf(out, "ratio cold start:article/ours %.2f\n```\n", float64(medians["article"])/float64(medians["ours"]))
}

// reportFirstBatch prints a table for people and lines for machines. limitErr is why
// the CPU was not limited.
func reportFirstBatch(out io.Writer, all []built, limitErr error) {
	fmt.Fprint(out, "\n# First batch\n\nOf one new item, on an endpoint with TLS; medians. ")
	if limitErr == nil {
		fmt.Fprint(out, "From the request for it on, a function has the CPU of its memory.")
	} else {
		fmt.Fprintf(out, "Its CPU is not limited, as it would be in Lambda: a control group cannot be made here: %v", limitErr)
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
			starts, batches, sums = append(starts, f.start), append(batches, f.batch), append(sums, f.start+f.batch)
		}
		both[b.name] = median(sums)
		start, batch := milliseconds(median(starts)), milliseconds(median(batches))
		fmt.Fprintf(out, "| %s | %.1f ms | %.1f ms | %.1f ms |\n", b.title, start, batch, milliseconds(both[b.name]))
		fmt.Fprintf(&lines, "ratio cold tls_start_ms:%s %.1f\nratio cold first_batch_ms:%s %.1f\n", b.name, start, b.name, batch)
	}
	fmt.Fprintf(&lines, "ratio cold tls_start_and_first_batch:article/ours %.2f\n", float64(both["article"])/float64(both["ours"]))
	fmt.Fprintf(out, "\n```text\n%s```\n", lines.String())
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
func megabytes(bytes int64) float64        { return float64(bytes) / 1e6 }

// Command coldstart measures how long a function's process takes from its start
// to its first request for an invocation, and how large its binary is. It is what
// "make bench-cold" runs.
//
//	-runs   counted starts of each function, 25 by default
//
// It compares three functions: one that does nothing, this module's, and the
// article's. They take turns against a stub of Lambda's runtime API on loopback;
// the first start of each is not counted, and what is printed are medians. The
// time is that of the process alone: fetching and unpacking the code, and
// starting the sandbox, which Lambda adds, depend on the size of the binary.
//
// The functions run as binaries for this machine; sizes are also those for arm64,
// the construct's default. MB is 1,000,000 bytes.
//
// The last lines are for machines, "ratio cold <metric> <value>":
//
//	start_ms:<function>               median
//	start_over_bare_ms:<function>     how much longer than the bare function's
//	start:article/ours                how many times ours the article's takes
//	binary_mb:<function>              for this machine
//	binary_arm64_mb:<function>        for Lambda
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
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/bench/orders"
)

// function is one that is measured.
type function struct {
	name, title string
	// folder is that of its main package, below functions.
	folder string
	// flags are go build's.
	flags []string
	// variables are what is in the environment of this function only.
	variables map[string]string
}

// constructFlags are those with which the construct builds the function.
var constructFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s", "-tags=lambda.norpc,nethttpomithttp2"}

// memory is that of every function, in MiB.
const memory = 256

var functions = []function{
	{"bare", "bare lambda.Start", "bare", constructFlags, nil},
	{"ours", "ours", "replicator", constructFlags, orders.Unique().Environment(memory)},
	{"article", "article", "article", nil, nil},
	{"article_small", "article, with our build flags", "article", constructFlags, nil},
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
}

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
			took, err := api.start(ctx, all[i].function, all[i].binary)
			if err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
			if n > 0 { // the first start reads the binary from the disk
				all[i].starts = append(all[i].starts, took)
			}
		}
	}
	report(out, all)
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
		[]string{"github.com/replicatedtable/cdk-go/internal/bench/coldstart/functions/" + f.folder})
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
func (f function) environment(address string) []string {
	environment := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", memory),
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=bench",
		"AWS_SECRET_ACCESS_KEY=bench",
		// A connection that a function opens during its start ends here.
		"AWS_ENDPOINT_URL=http://" + address,
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

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
func megabytes(bytes int64) float64        { return float64(bytes) / 1e6 }

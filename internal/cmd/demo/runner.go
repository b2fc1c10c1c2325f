package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// runner runs one command's steps.
type runner struct {
	root string
	// state is the folder of what up leaves for down and for scripts.
	state  string
	out    io.Writer
	getenv func(string) string
}

// step runs one step and prints a line with its name and its time.
func (r *runner) step(ctx context.Context, name string, do func() error) error {
	fmt.Fprintf(r.out, "%-62s", name)
	start := time.Now()
	err := do()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(r.out, "failed")
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(r.out, "%6.1f s\n", time.Since(start).Seconds())
	return nil
}

func (r *runner) printf(format string, args ...any) {
	fmt.Fprintf(r.out, format, args...)
}

// printEmulator prints where the emulator that was started is found.
func (r *runner) printEmulator(endpoint, log string) {
	r.printf("    %s, its log and the functions' logs: %s\n", endpoint, log)
}

// install checks the prerequisites and installs the tools.
func (r *runner) install(ctx context.Context) error {
	err := r.step(ctx, "check Go, Node.js and Python", func() error { return tools.Check(ctx) })
	if err != nil {
		return err
	}
	for _, tool := range []tools.Tool{tools.Node, tools.Python} {
		err := r.step(ctx, "install "+tool.String(), func() error { return tool.Install(ctx, r.root) })
		if err != nil {
			return err
		}
	}
	return nil
}

// withLog adds the emulator's log to an error. An interruption needs no explanation.
func withLog(ctx context.Context, err error, c *cdk.Cloud) error {
	if ctx.Err() != nil {
		return err
	}
	return c.WithLog(err)
}

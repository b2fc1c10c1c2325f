package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

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

// local is a path below .local.
func (r *runner) local(elements ...string) string {
	return filepath.Join(append([]string{r.root, tools.Directory}, elements...)...)
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
	return errors.Join(os.MkdirAll(r.local("logs"), 0o755), os.MkdirAll(r.local("tmp"), 0o755))
}

// withLog adds the end and the path of the emulator's log to an error. An
// interruption needs no explanation.
func withLog(ctx context.Context, err error, log string) error {
	if log == "" || ctx.Err() != nil {
		return err
	}
	tail, readErr := logTail(log, 15)
	return fmt.Errorf("%w\n\nThe emulator's log %s ends with:\n%s", errors.Join(err, readErr), log, tail)
}

// logTail returns the last lines of a file.
func logTail(file string, lines int) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n"), nil
}

// Command gotest runs "go test" with its arguments, prints what it prints, and
// fails when a test was skipped, too: "make test" promises to skip nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	// So that the tests can end what they started.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	skipped, readErr := report(events, out)
	err = errors.Join(readErr, cmd.Wait())
	for _, test := range skipped {
		err = errors.Join(err, fmt.Errorf("skipped: %s", test))
	}
	return err
}

// event is one line of "go test -json"; see "go doc cmd/test2json".
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// report prints the events as "go test" without -json would, with the output of
// the tests that failed or were skipped, and returns the skipped ones.
func report(events io.Reader, out io.Writer) (skipped []string, err error) {
	type test struct{ pkg, name string }
	printed := map[test]string{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return skipped, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return skipped, err
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			fmt.Fprintf(out, "%s", line)
			continue
		}
		t := test{e.Package, e.Test}
		switch e.Action {
		case "build-output":
			fmt.Fprint(out, e.Output)
		case "output":
			if e.Test != "" {
				printed[t] += e.Output
			} else if e.Output != "PASS\n" {
				fmt.Fprint(out, e.Output)
			}
		case "skip":
			// Without a name it is a package that has no tests.
			if e.Test != "" {
				skipped = append(skipped, e.Package+" "+e.Test)
				fmt.Fprint(out, printed[t])
			}
			delete(printed, t)
		case "fail":
			fmt.Fprint(out, printed[t])
			delete(printed, t)
		case "pass":
			delete(printed, t)
		}
	}
}

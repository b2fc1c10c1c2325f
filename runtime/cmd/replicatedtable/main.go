// Command replicatedtable makes the target tables of a ReplicatedTable right for a source table
// that already has items, and shows that they are.
//
//	replicatedtable show     -function NAME    print the mapping of a deployed function
//	replicatedtable backfill -function NAME    put the target items that are missing
//	replicatedtable verify   -function NAME    compare the tables, in both directions
//	replicatedtable repair   -function NAME    compare the tables, and mend each difference
//	replicatedtable redrive  -function NAME    work through the failure queue
//
// It reads the mapping from the function's configuration, or from a file with -spec, and uses the
// credentials, the profile and the Region that every AWS SDK uses. The source table and its stream
// may be in use. Every write is conditional, and none goes to the source table.
//
// Backfill, verify and repair can be stopped at any time and continued with -progress: Ctrl-C
// finishes the pages that are being worked on, a second Ctrl-C ends at once.
//
// The exit code is 0 when all is done and equal, 1 when differences or messages are left, 2 after a
// mistake in the arguments or a missing permission, and 3 when the command did not finish.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	stopping := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "\nstopping when nothing is half done; once more, and it ends at once")
		close(stopping)
		<-signals
		os.Exit(exitUnfinished)
	}()

	c := &command{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isTerminal(os.Stderr) && isTerminal(os.Stdin),
		stopping: stopping,
	}
	os.Exit(c.main(context.Background(), os.Args[1:]))
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) } // #nosec G115 -- descriptors are small

// main carries out the arguments and returns the exit code.
func (c *command) main(ctx context.Context, args []string) int {
	code, err := c.run(ctx, args)
	if err == nil {
		return code
	}

	code, text := explain(err)
	fmt.Fprintln(c.stderr, "replicatedtable:", text)

	return code
}

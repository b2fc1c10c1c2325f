// Command setup installs every tool that the repository's commands and tests need
// into .local. "make setup" runs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := install(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "\nsetup: %v\n", err)
		os.Exit(1)
	}
}

func install(ctx context.Context) error {
	root, err := engine.Root()
	if err != nil {
		return err
	}
	if err := tools.Check(ctx); err != nil {
		return err
	}

	for _, tool := range []tools.Tool{tools.Node, tools.Python, tools.Linters} {
		start := time.Now()
		fmt.Printf("install %-34s", tool)
		if err := tool.Install(ctx, root); err != nil {
			return err
		}
		fmt.Printf("%6.1f s\n", time.Since(start).Seconds())
	}

	return nil
}

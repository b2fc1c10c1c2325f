// Command consumers uses this module as its users do: it packs the last commit as a
// release, serves it from a folder, and synthesizes apps of cdk init in many situations.
// "make test-consumers" runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func main() {
	only := flag.String("only", "", "try only the situations whose names match this regular expression")
	keep := flag.Bool("keep", false, "keep the folder with the apps, and print its path")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, *only, *keep); err != nil {
		fmt.Fprintf(os.Stderr, "\nconsumers: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, keep bool) (err error) {
	names, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	root, err := engine.Root()
	if err != nil {
		return err
	}
	if err := tools.Node.Install(ctx, root); err != nil {
		return err
	}
	// An app in the repository would be in its module and in its Git repository.
	work, err := os.MkdirTemp("", "consumers-")
	if err != nil {
		return err
	}
	defer func() {
		if keep {
			fmt.Println("the apps are in", work)
			return
		}
		err = errors.Join(err, removeAll(work))
	}()

	l, err := openLab(ctx, root, root, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	fmt.Println("packed", l.release.version)

	var failed int
	for _, s := range situations {
		if names.MatchString(s.name) {
			r := l.try(s)
			r.print()
			if r.verdict == fails {
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d situations failed", failed)
	}

	return nil
}

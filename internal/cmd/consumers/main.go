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
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func main() {
	only := flag.String("only", "", "try only the situations whose names match this regular expression")
	broken := flag.Bool("broken", false, "only show that broken copies of the library fail as they should")
	keep := flag.Bool("keep", false, "keep the folder with the apps, and print its path")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, *only, *broken, *keep); err != nil {
		fmt.Fprintf(os.Stderr, "\nconsumers: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, broken, keep bool) (err error) {
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

	var problems []error
	if !broken {
		problems = append(problems, tryRelease(ctx, root, filepath.Join(work, "release"), names, only == ""))
	}
	if broken || only == "" {
		for i, fault := range faults {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			problems = append(problems, fault.try(ctx, root, filepath.Join(work, fmt.Sprintf("broken%d", i+1))))
		}
	}

	return errors.Join(problems...)
}

// tryRelease tries the last commit in the situations, and measures what all of them
// share.
func tryRelease(ctx context.Context, root, work string, names *regexp.Regexp, all bool) (err error) {
	l, err := openLab(ctx, root, root, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()

	fmt.Println("packed", l.release.version)
	var problems []error
	ends := map[verdict]int{}
	for _, s := range situations {
		if !names.MatchString(s.name) {
			continue
		}
		r := l.try(s)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		r.print()
		ends[r.verdict]++
		if r.verdict == fails {
			problems = append(problems, fmt.Errorf("%s fails", s.name))
		}
	}
	fmt.Println()
	for _, v := range []verdict{passes, refuses, cdkRefuses, unavailable, fails} {
		fmt.Printf("%-11s %d\n", v, ends[v])
	}
	if all {
		l.printFunctions()
		problems = append(problems, l.checkSums(), l.checkGoldens(), l.printSpeed())
	}

	return errors.Join(problems...)
}

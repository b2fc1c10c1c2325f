// Command demo deploys examples/users to a local cloud and shows what it does.
// It is what "make demo", "make up" and "make down" run.
//
//	demo   deploy, post six users, follow them into both target tables, stop everything
//	up     deploy and leave it running, with commands to paste
//	down   stop what up left running
//
// Everything it installs and writes is in .local. With AWS_ENDPOINT_URL set it uses that
// emulator instead of starting MiniStack, and refuses real AWS unless ALLOW_REAL_AWS is
// yes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// From the first signal on a second one ends the process at once; the
	// engine ends with it all the same.
	context.AfterFunc(ctx, stop)
	command := "demo"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	root, err := engine.Root()
	if err == nil {
		r := &runner{root: root, state: filepath.Join(root, tools.Directory), out: os.Stdout, getenv: os.Getenv}
		err = r.run(ctx, command)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%s: %v\n", command, err)
		os.Exit(1)
	}
}

// run runs one command. Whatever it returns, all that it started and was not
// asked to leave running has ended.
func (r *runner) run(ctx context.Context, command string) error {
	switch command {
	case "demo":
		return r.demo(ctx)
	case "up":
		return r.up(ctx)
	case "down":
		return r.down(ctx)
	default:
		return errors.New("there is no such command: use demo, up or down")
	}
}

package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Role is what a process does that a program has started as a copy of itself: it reads commands and
// answers them. Its settings are in the environment.
type Role func(ctx context.Context, getenv func(string) string, commands io.Reader, answers io.Writer) error

// Main is the main of a program called name, which starts copies of itself in these roles. Without a
// role it runs the command with its arguments. An error ends the program.
func Main(name string, roles map[string]Role, command func(ctx context.Context, args []string, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	isRole, err := runRole(ctx, roles)
	if !isRole {
		err = command(ctx, os.Args[1:], os.Stdout)
	}
	exitOn(name, err)
}

// TestMain lets a test's own program be the processes that the command starts. run runs the tests.
func TestMain(roles map[string]Role, run func() int) {
	isRole, err := runRole(context.Background(), roles)
	exitOn("a process of the test", err)
	if isRole {
		return
	}
	// The race detector makes each of these processes wait a second at its exit.
	exitOn("the test", os.Setenv("GORACE", "atexit_sleep_ms=0"))
	os.Exit(run())
}

// runRole carries out the role that the environment names, if it names one.
func runRole(ctx context.Context, roles map[string]Role) (isRole bool, err error) {
	name := os.Getenv(roleVariable)
	if name == "" {
		return false, nil
	}
	role, found := roles[name]
	if !found {
		return true, fmt.Errorf("there is no role %q", name)
	}
	return true, role(ctx, os.Getenv, os.Stdin, os.Stdout)
}

func exitOn(name string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

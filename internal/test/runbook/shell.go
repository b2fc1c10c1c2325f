package runbook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// Shell runs one command after the other, as one session of a terminal does: what a command assigns
// to a variable, the next ones see.
type Shell struct {
	environment []string
	// variables is the file that keeps the variables between two commands.
	variables string
}

// NewShell returns a shell that finds the pinned AWS CLI and the command replicatedtable of this
// repository at root, which it builds. Its files are in folder. The environment says which cloud
// the commands talk to.
func NewShell(ctx context.Context, root, folder string, environment []string) (*Shell, error) {
	s := &Shell{
		environment: append(environment, "PATH="+folder+string(os.PathListSeparator)+os.Getenv("PATH")),
		variables:   filepath.Join(folder, "variables"),
	}
	if err := os.WriteFile(s.variables, nil, 0o600); err != nil {
		return nil, err
	}
	wrapper := fmt.Sprintf(awsWrapper, tools.AWSCLI(root))
	if err := os.WriteFile(filepath.Join(folder, "aws"), []byte(wrapper), 0o700); err != nil {
		return nil, err
	}

	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, "replicatedtable"), "./runtime/cmd/replicatedtable")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", build, err, out)
	}

	return s, nil
}

// awsWrapper runs the AWS CLI. Version 1 prefers an old name of SQS in us-east-1 to
// AWS_ENDPOINT_URL, but not to the flag.
const awsWrapper = `#!/bin/sh
exec '%s' ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"
`

// session runs the line $2 with the variables in the file $1, and keeps them.
const session = `. "$1"; set -a; eval "$2"; exit_code=$?; export -p > "$1"; exit $exit_code`

// Run runs a command line. output is all that it prints, also about errors. An exit code that is
// not 0 is no error.
func (s *Shell) Run(ctx context.Context, line string) (output string, exitCode int, err error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", session, "sh", s.variables, line)
	cmd.Env = s.environment
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return string(out), exit.ExitCode(), nil
	}
	return string(out), 0, err
}

// Get returns the value of a variable, empty if there is none.
func (s *Shell) Get(ctx context.Context, name string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", `. "$1"; printenv "$2" || true`, "sh", s.variables, name)
	cmd.Env = s.environment
	out, err := cmd.Output()
	return strings.TrimSuffix(string(out), "\n"), err
}

// Set sets a variable.
func (s *Shell) Set(ctx context.Context, name, value string) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", `. "$1"; export "$2=$3"; export -p > "$1"`, "sh", s.variables, name, value)
	cmd.Env = s.environment
	return cmd.Run()
}

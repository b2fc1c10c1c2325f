// Package process starts copies of a program in other roles, and measures what a process costs.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// roleVariable is the environment variable that tells a process its role.
const roleVariable = "REPLICATEDTABLE_BENCH_ROLE"

// Process is a copy of this program in another role. It prints one JSON value when
// it is ready and one in answer to each command, which is a JSON value too. It ends
// when its input does.
type Process struct {
	cmd     *exec.Cmd
	input   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// Start starts a process and waits until it is ready. The process has an
// environment of its own, without the user's configuration of AWS.
func Start(ctx context.Context, role string, ready any, environment ...string) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	// GORACE: a test's program waits at its exit for as long as its environment says.
	cmd.Env = append([]string{roleVariable + "=" + role, "GORACE=" + os.Getenv("GORACE")}, environment...)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", role, err)
	}

	p := &Process{cmd, input, json.NewEncoder(input), json.NewDecoder(output)}
	if err := p.decoder.Decode(ready); err != nil {
		return nil, errors.Join(fmt.Errorf("start the %s: %w", role, err), p.End())
	}

	return p, nil
}

// Call sends a command and waits for the answer.
func (p *Process) Call(command, answer any) error {
	if err := p.encoder.Encode(command); err != nil {
		return err
	}
	return p.decoder.Decode(answer)
}

// End ends the process and waits for it.
func (p *Process) End() error {
	return errors.Join(p.input.Close(), p.cmd.Wait())
}

// ID returns the number of the process.
func (p *Process) ID() int { return p.cmd.Process.Pid }

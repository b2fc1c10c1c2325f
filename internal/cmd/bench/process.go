package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// process is a copy of this program in another role. It prints one JSON value when
// it is ready and one in answer to each command, which is a JSON value too. It ends
// when its input does.
type process struct {
	cmd     *exec.Cmd
	input   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// startProcess starts a process and waits until it is ready. The process has an
// environment of its own, without the user's configuration of AWS.
func startProcess(ctx context.Context, role string, ready any, environment ...string) (*process, error) {
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

	p := &process{cmd, input, json.NewEncoder(input), json.NewDecoder(output)}
	if err := p.decoder.Decode(ready); err != nil {
		return nil, errors.Join(fmt.Errorf("start the %s: %w", role, err), p.end())
	}

	return p, nil
}

// call sends a command and waits for the answer.
func (p *process) call(command, answer any) error {
	if err := p.encoder.Encode(command); err != nil {
		return err
	}
	return p.decoder.Decode(answer)
}

// end ends the process and waits for it.
func (p *process) end() error {
	return errors.Join(p.input.Close(), p.cmd.Wait())
}

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

// process is a copy of this program in another role. It gets one JSON value per
// command and answers each with one. It ends when its input does.
type process struct {
	cmd     *exec.Cmd
	input   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// startProcess starts a process with an environment of its own: nothing of the
// user's configuration of AWS is in it.
func startProcess(ctx context.Context, role string, environment ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append([]string{roleVariable + "=" + role}, environment...)
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
	return &process{cmd, input, json.NewEncoder(input), json.NewDecoder(output)}, nil
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

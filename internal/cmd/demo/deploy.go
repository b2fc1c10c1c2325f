package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// stackName is the stack of examples/users.
const stackName = "ReplicatedTableUsers"

// stackOutputs are the outputs of the stack.
type stackOutputs struct {
	APIURL            string `json:"ApiUrl"`
	APIID             string `json:"ApiId"`
	SourceTableName   string `json:"SourceTableName"`
	TargetTableName   string `json:"TargetTableName"`
	LosslessTableName string `json:"LosslessTableName"`
}

// deploy builds examples/users once and deploys what it built.
func (r *runner) deploy(ctx context.Context, c *cloud) (*stackOutputs, error) {
	work, err := os.MkdirTemp(r.local("tmp"), "deploy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	assembly, outputs := filepath.Join(work, "cdk.out"), filepath.Join(work, "outputs.json")

	synth := []string{"synth", "--quiet", "--output", assembly}
	if !c.real {
		// An emulator runs functions as processes of this machine.
		synth = append(synth, "--context", "architecture=host")
	}
	deploy := []string{
		"deploy", "--app", assembly, "--require-approval", "never", "--outputs-file", outputs, stackName,
	}
	for _, s := range []struct {
		name string
		args []string
	}{
		{"build examples/users (cdk synth)", synth},
		{"prepare the account (cdk bootstrap)", []string{"bootstrap", "--app", assembly}},
		{"deploy examples/users (cdk deploy)", deploy},
	} {
		if err := r.step(ctx, s.name, func() error { return r.cdk(ctx, c, s.args) }); err != nil {
			return nil, err
		}
	}

	content, err := os.ReadFile(outputs)
	if err != nil {
		return nil, err
	}
	return parseOutputs(content)
}

// parseOutputs reads what cdk deploy --outputs-file wrote.
func parseOutputs(content []byte) (*stackOutputs, error) {
	var stacks map[string]stackOutputs
	if err := json.Unmarshal(content, &stacks); err != nil {
		return nil, fmt.Errorf("the stack's outputs: %w", err)
	}
	o := stacks[stackName]
	if slices.Contains([]string{o.APIURL, o.APIID, o.SourceTableName, o.TargetTableName, o.LosslessTableName}, "") {
		return nil, fmt.Errorf("the stack %s has not all of its outputs: %s", stackName, content)
	}
	return &o, nil
}

// cdk runs the AWS CDK's command line in examples/users. What it prints goes to
// a log, whose end and path are part of the error.
func (r *runner) cdk(ctx context.Context, c *cloud, args []string) error {
	logFile := r.local("logs", fmt.Sprintf("cdk-%s-%d.log", args[0], os.Getpid()))
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	defer log.Close()

	cmd := exec.CommandContext(ctx, tools.CDK(r.root), append(args, "--no-notices", "--no-color", "--ci")...)
	cmd.Dir = filepath.Join(r.root, "examples", "users")
	// It remembers accounts by access key, and an emulator's belong nowhere else.
	cmd.Env = append(c.environment(), "CDK_HOME="+r.local("cdk"))
	cmd.Stdout, cmd.Stderr = log, log
	// cdk starts the app, which starts others: they are ended together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if cmd.Process != nil && err != nil {
		// ESRCH, nothing left, is what one hopes for.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err == nil {
		return os.Remove(logFile)
	}
	tail, readErr := logTail(logFile, 20)
	return fmt.Errorf("cdk %s: %w\n%s\nAll of it is in %s", args[0], errors.Join(err, readErr), tail, logFile)
}

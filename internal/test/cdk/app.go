package cdk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// App is a CDK app of this repository. It is built once, and what was built is deployed.
type App struct {
	cloud *Cloud
	// root is the repository's root, folder is the app's.
	root, folder string
	// work has what the app synthesizes and the outputs of its stacks.
	work string
}

// NewApp returns the app in a folder below root. Close it.
func NewApp(c *Cloud, root, folder string) (*App, error) {
	temporaries := filepath.Join(root, tools.Directory, "tmp")
	logs := filepath.Join(root, tools.Directory, "logs")
	if err := errors.Join(os.MkdirAll(temporaries, 0o755), os.MkdirAll(logs, 0o755)); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(temporaries, "deploy-")
	if err != nil {
		return nil, err
	}
	return &App{cloud: c, root: root, folder: filepath.Join(root, folder), work: work}, nil
}

// Close removes what was built. What was deployed stays.
func (a *App) Close() error { return os.RemoveAll(a.work) }

// Synth builds the app.
func (a *App) Synth(ctx context.Context) error {
	args := []string{"synth", "--quiet", "--output", a.assembly()}
	if !a.cloud.Real {
		// An emulator runs functions as processes of this machine.
		args = append(args, "--context", "architecture=host")
	}
	return a.cdk(ctx, args...)
}

// Bootstrap prepares the account and the Region.
func (a *App) Bootstrap(ctx context.Context) error {
	if err := a.cdk(ctx, "bootstrap", "--app", a.assembly()); err != nil {
		return err
	}
	return a.cloud.allowPlainHTTP(ctx)
}

// Deploy deploys a stack, after those that it needs. It returns what cdk writes to
// --outputs-file: a JSON object with the outputs of each of them.
func (a *App) Deploy(ctx context.Context, stack string) ([]byte, error) {
	outputs := filepath.Join(a.work, "outputs.json")
	err := a.cdk(ctx, "deploy", "--app", a.assembly(), "--require-approval", "never", "--outputs-file", outputs, stack)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(outputs)
}

// Template returns the template that Synth made for a stack.
func (a *App) Template(stack string) ([]byte, error) {
	return os.ReadFile(filepath.Join(a.assembly(), stack+".template.json"))
}

func (a *App) assembly() string { return filepath.Join(a.work, "cdk.out") }

// cdk runs the AWS CDK's command line in the app's folder. What it prints goes to
// a log, whose end and path are part of the error.
func (a *App) cdk(ctx context.Context, args ...string) error {
	local := filepath.Join(a.root, tools.Directory)
	logFile := filepath.Join(local, "logs", fmt.Sprintf("cdk-%s-%d.log", args[0], os.Getpid()))
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	defer log.Close()

	cmd := exec.CommandContext(ctx, tools.CDK(a.root), append(args, "--no-notices", "--no-color", "--ci")...)
	cmd.Dir = a.folder
	// It remembers accounts by access key, and an emulator's belong nowhere else.
	cmd.Env = append(a.cloud.Environment(), "CDK_HOME="+filepath.Join(local, "cdk"))
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

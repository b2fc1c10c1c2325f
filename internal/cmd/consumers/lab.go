package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// lab is where the apps are made and run: one release, and what all apps share.
type lab struct {
	ctx context.Context
	// root is this repository, with the pinned command line of the CDK.
	root string
	// repository is what the release was packed from: root, or a broken copy.
	repository string
	// work is a folder of the lab's own, in no module.
	work        string
	moduleCache string
	release     release
	env         []string
	// functions are those that were built so far, by the dependencies and the processor.
	functions map[string]built
}

// openLab packs a repository and makes the apps that the situations copy.
func openLab(ctx context.Context, root, repository, work string) (*lab, error) {
	moduleCache, err := output(ctx, root, "go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	proxies, err := output(ctx, root, "go", "env", "GOPROXY")
	if err != nil {
		return nil, err
	}
	unchecked, err := output(ctx, root, "go", "env", "GONOSUMDB")
	if err != nil {
		return nil, err
	}
	r, err := pack(ctx, repository, filepath.Join(work, "proxy"))
	if err != nil {
		return nil, err
	}
	l := &lab{
		ctx: ctx, root: root, repository: repository, work: work,
		moduleCache: moduleCache, release: r, functions: map[string]built{},
		env: append(plainEnvironment(),
			"GOPROXY=file://"+r.proxy+","+proxies,
			"GONOSUMDB="+strings.Trim(unchecked+","+modulePath, ","),
			// Vendored packages then count as those of the module cache: the CDK is
			// compiled once, not once in each folder.
			"GOFLAGS=-trimpath",
			"CDK_HOME="+filepath.Join(work, "cdk"), "CDK_DISABLE_CLI_TELEMETRY=true",
			"AWS_EC2_METADATA_DISABLED=true",
			"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "GIT_TERMINAL_PROMPT=0"),
	}

	if err := l.makeApps(); err != nil {
		return nil, errors.Join(err, l.close())
	}

	return l, nil
}

// close removes what the lab left outside of its folder.
func (l *lab) close() error { return l.release.forget(l.moduleCache) }

// plainEnvironment is the environment of this process without what a developer may
// have set for the go command or AWS.
func plainEnvironment() []string {
	dropped := []string{
		"CGO_ENABLED", "GOAMD64", "GOARCH", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOOS", "GOWORK",
	}
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(dropped, name) || strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "CDK_")
	})
}

// makeApps makes an app without our construct, the README's app, and binaries of the
// README's app and of the one that has many shapes.
func (l *lab) makeApps() error {
	blank := l.app("blank/users")
	if err := blank.init(); err != nil {
		return err
	}
	base := l.app("base/users")
	if err := base.copy(blank.folder); err != nil {
		return err
	}
	if err := base.followReadme(); err != nil {
		return err
	}
	if _, err := base.run("go", "build", "-o", l.binary("readme"), "."); err != nil {
		return err
	}

	shapes := l.app("shapes/users")
	if err := shapes.copy(base.folder); err != nil {
		return err
	}
	if err := os.WriteFile(shapes.mainFile(), []byte(shapesApp), 0o644); err != nil {
		return err
	}
	_, err := shapes.run("go", "build", "-o", l.binary("shapes"), ".")

	return err
}

// binary is the path of an app's binary.
func (l *lab) binary(name string) string { return filepath.Join(l.work, "bin", name) }

// app returns an app in a folder of the lab, which need not exist yet.
func (l *lab) app(folder string) *app {
	folder = filepath.Join(l.work, filepath.FromSlash(folder))
	return &app{lab: l, folder: folder, cdk: tools.CDK(l.root), out: filepath.Join(filepath.Dir(folder), "cdk.out")}
}

// usage is what a command took, with all that it started.
type usage struct{ wall, cpu time.Duration }

// start runs a command and all that it starts, and ends them together. An error has
// all of the output.
func (l *lab) start(folder string, env []string, name string, args ...string) (string, usage, error) {
	command := exec.CommandContext(l.ctx, programOf(name, env), args...)
	command.Dir = folder
	// A shell in the folder would set PWD, to the folder's name with its symbolic links.
	command.Env = append(slices.Concat(l.env, env), "PWD="+folder)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second

	begin := time.Now()
	out, err := command.CombinedOutput()
	took := usage{wall: time.Since(begin)}
	if state := command.ProcessState; state != nil {
		took.cpu = state.UserTime() + state.SystemTime()
	}
	if err != nil {
		line := filepath.Base(name) + " " + strings.Join(args, " ")
		return string(out), took, fmt.Errorf("%s: %w\n%s", line, err, out)
	}

	return string(out), took, nil
}

// programOf is the path of a program in the one folder on an app's PATH. An app without
// a PATH of its own has that of this process.
func programOf(name string, env []string) string {
	for _, variable := range env {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok && !filepath.IsAbs(name) {
			return filepath.Join(path, name)
		}
	}
	return name
}

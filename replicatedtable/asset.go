package replicatedtable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	// The functions are built inside the app's module. These imports put the
	// dependencies of their code into that module's go.sum and vendor folder.
	_ "github.com/replicatedtable/cdk-go/runtime/reconciler"
	_ "github.com/replicatedtable/cdk-go/runtime/replicator"
)

// program is the last element of the path of the package whose Start is a function's main.
type program string

const (
	replicatorProgram program = "replicator"
	reconcilerProgram program = "reconciler"
)

// functionCode returns the code of the props, or builds the function.
func functionCode(
	scope constructs.Construct, p program, code awslambda.Code, architecture string,
) (awslambda.Code, error) {
	if code != nil {
		return code, nil
	}
	folder, err := buildFunction(scope, p, architecture)
	if err != nil {
		return nil, err
	}
	return awslambda.Code_FromAsset(&folder, nil), nil
}

// buildFunction builds a program for an architecture, next to the assets of scope's app, and
// returns the folder with the binary. Every ReplicatedTable of an app gets the same folder
// for the same program and architecture, hence the same asset.
//
// It runs the go command itself: the shell command of GoFunction breaks on folders with
// spaces and quotes, needs bash, and passes on settings of the caller's environment.
func buildFunction(scope constructs.Construct, p program, architecture string) (string, error) {
	stage := awscdk.Stage_Of(scope)
	if stage == nil {
		return "", errors.New("is outside of an App: the function's code has nowhere to go; define it in a Stack")
	}
	outdir, err := filepath.Abs(filepath.Join(*stage.AssetOutdir(), ".replicatedtable"))
	if err != nil {
		return "", err
	}
	if !*awscdk.Stack_Of(scope).BundlingRequired() {
		return writePlaceholder(filepath.Join(outdir, "skipped"))
	}

	outdir = filepath.Join(outdir, string(p))
	folder := filepath.Join(outdir, architecture)
	if _, done := built.Load(folder); done && exists(filepath.Join(folder, "bootstrap")) {
		return folder, nil
	}
	if err := compile(p, outdir, folder, architecture); err != nil {
		return "", err
	}
	built.Store(folder, true)

	return folder, nil
}

// built holds the folders whose binary this process has built. Between two apps, a test may
// remove the output folder of both.
var built sync.Map

// writePlaceholder writes what stands for the function where the CDK builds no asset of
// the stack, as in many tests and for cdk list. It is the same on every machine.
func writePlaceholder(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	const text = "The function was not built: the CDK did not ask for the assets of this stack.\n"
	return folder, os.WriteFile(filepath.Join(folder, "bootstrap"), []byte(text), 0o644)
}

// goArchitectures are the values of GOARCH for Lambda's architectures.
var goArchitectures = map[string]string{"arm64": "arm64", "x86_64": "amd64"}

// buildFlags make the binary small, and the same on every machine: no paths, no version
// control state, no debug symbols, no RPC server, which only the retired go1.x runtime
// used, and no HTTP/2, which the function's requests do not need.
const buildFlags = "-trimpath -buildvcs=false -ldflags=-s -tags=lambda.norpc,nethttpomithttp2"

// compile builds the function into folder, in the app's module.
//
// Nothing of the caller's settings of processors and experiments reaches it.
func compile(p program, outdir, folder, architecture string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the function is built during synthesis, which needs the go command: "+
			"install Go and put it on PATH (%w)", err)
	}
	moduleFile, err := findModuleFile()
	if err != nil {
		return err
	}
	workspace, err := findWorkspace()
	if err != nil {
		return err
	}
	mod := "readonly"
	if isVendored(moduleFile, workspace) {
		mod = "vendor"
	}
	entry, err := writeMain(p, outdir)
	if err != nil {
		return fmt.Errorf("writing the function's main package: %w", err)
	}

	// The module's folder has no symbolic links in its path. The go command trusts PWD,
	// which it would inherit from the shell that started the app.
	command := exec.Command("go", "build", "-o", filepath.Join(folder, "bootstrap"), entry)
	command.Dir = filepath.Dir(moduleFile)
	command.Env = append(buildEnvironment(),
		"GOOS=linux", "GOARCH="+goArchitectures[architecture], "CGO_ENABLED=0", "GOARM64=v8.0", "GOAMD64=v1",
		"GOFIPS140=off", "GOWORK="+workspace, "PWD="+command.Dir,
		"GOFLAGS=-mod="+mod+" "+buildFlags)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("the function cannot be built in the module %s: %w\n%s", moduleFile, err, bytes.TrimSpace(out))
	}

	return nil
}

// callersSettings are the variables that say how the caller builds other Go programs.
var callersSettings = []string{
	"CGO_ENABLED", "GOAMD64", "GOARCH", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOOS",
}

// buildEnvironment returns the environment of this process without the caller's settings.
func buildEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(callersSettings, name)
	})
}

// findModuleFile returns the path of the app's go.mod: that of the module this
// program was built from, or of the working directory if the program does not know.
func findModuleFile() (string, error) {
	const remedy = "run the app inside its module, " +
		"so that the function is built with the app's own dependencies"

	query := []string{"env", "GOMOD"}
	where := "the working directory is in no module"
	// A program that was built from files instead of a package knows no module.
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Path != "" && build.Main.Path != "command-line-arguments" {
		query = []string{"list", "-m", "-f", "{{if .Main}}{{.GoMod}}{{end}}", build.Main.Path}
		where = "this program was built in the module " + build.Main.Path + ", and the working directory is not in it"
	}
	file, err := goOutput(query...)
	if err != nil {
		return "", fmt.Errorf("the app's go.mod was not found, because %s: %s (%w)", where, remedy, err)
	}
	if file == "" || file == os.DevNull {
		return "", fmt.Errorf("the app's go.mod was not found, because %s: %s", where, remedy)
	}

	// From a folder that a symbolic link names, "up" leads somewhere else: the go command
	// would find the go.work file of another folder.
	folder, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return "", fmt.Errorf("the app's go.mod: %w", err)
	}
	return filepath.Join(folder, filepath.Base(file)), nil
}

// noWorkspace is the value of GOWORK with which the go command looks for no go.work
// file.
const noWorkspace = "off"

// findWorkspace returns the app's go.work file, or noWorkspace.
func findWorkspace() (string, error) {
	file, err := goOutput("env", "GOWORK")
	if err != nil {
		return "", err
	}
	if file == "" {
		return noWorkspace, nil
	}
	return file, nil
}

// isVendored reports whether the module, or its workspace, vendors its
// dependencies.
func isVendored(moduleFile, workspace string) bool {
	root := filepath.Dir(moduleFile)
	if workspace != noWorkspace {
		root = filepath.Dir(workspace)
	}
	return exists(filepath.Join(root, "vendor", "modules.txt"))
}

// functionMain is the source of a function's main package, with the name of its program.
// compile writes it next to the assets, because vendor folders omit the main packages of
// dependencies.
const functionMain = `// Package main is generated while synthesizing a ReplicatedTable.
package main

import "github.com/replicatedtable/cdk-go/runtime/%[1]s"

func main() { %[1]s.Start() }
`

// writeMain writes the main package to outdir and returns its absolute path. The dot in
// front of that folder's name hides the package from the app's own "./..." patterns.
func writeMain(p program, outdir string) (string, error) {
	if err := os.MkdirAll(outdir, 0o755); err != nil {
		return "", err
	}
	entry := filepath.Join(outdir, "main.go")
	return entry, os.WriteFile(entry, fmt.Appendf(nil, functionMain, p), 0o644)
}

// goOutput runs the go command and returns its output.
func goOutput(args ...string) (string, error) {
	command := exec.Command("go", args...)
	command.Env = buildEnvironment()
	out, err := command.Output()

	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}

	return strings.TrimSpace(string(out)), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

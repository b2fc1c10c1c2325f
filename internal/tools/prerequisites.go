package tools

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// prerequisite is a program that the user's machine must have.
type prerequisite struct {
	name         string
	major, minor int
	// command prints the version, with the number as the first "N.N" in it.
	command []string
	// module is another command that must succeed, and moduleName the part of the
	// program that it checks.
	module     []string
	moduleName string
}

// The versions are the oldest that all tools of this repository work with:
// go.mod names 1.26, the AWS CDK's command line supports Node.js 20 and newer,
// MiniStack's package metadata asks for Python 3.10.
var (
	goToolchain = prerequisite{name: "Go", major: 1, minor: 26, command: []string{"go", "version"}}
	nodeJS      = prerequisite{name: "Node.js", major: 20, command: []string{"node", "--version"},
		module: []string{"npm", "--version"}, moduleName: "npm"}
	python = prerequisite{name: "Python", major: 3, minor: 10, command: []string{"python3", "--version"},
		module:     []string{"python3", "-c", "import venv, ensurepip"},
		moduleName: "its modules venv and ensurepip (Debian and Ubuntu: the package python3-venv)"}
)

// Check names every program that is missing, too old or incomplete, with the
// version needed: Go, Node.js with npm, Python with venv.
func Check(ctx context.Context) error {
	return errors.Join(goToolchain.check(ctx), nodeJS.check(ctx), python.check(ctx))
}

func (p prerequisite) check(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, p.command[0], p.command[1:]...).Output()
	if err != nil {
		return fmt.Errorf("%s %s or newer is needed: %q: %w", p.name, p.version(), strings.Join(p.command, " "), err)
	}
	if err := p.accept(string(out)); err != nil {
		return err
	}
	if p.module == nil {
		return nil
	}
	if out, err := exec.CommandContext(ctx, p.module[0], p.module[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s needs %s: %q: %w %s", p.name, p.moduleName, strings.Join(p.module, " "), err, out)
	}

	return nil
}

var versionNumber = regexp.MustCompile(`(\d+)\.(\d+)`)

// accept checks the version in the program's output.
func (p prerequisite) accept(printed string) error {
	printed = strings.TrimSpace(printed)
	m := versionNumber.FindStringSubmatch(printed)
	if m == nil {
		return fmt.Errorf("%s %s or newer is needed: %q printed no version: %q",
			p.name, p.version(), strings.Join(p.command, " "), printed)
	}

	major, errMajor := strconv.Atoi(m[1])
	minor, errMinor := strconv.Atoi(m[2])
	if errMajor != nil || errMinor != nil || major < p.major || major == p.major && minor < p.minor {
		return fmt.Errorf("%s %s or newer is needed, found %q", p.name, p.version(), printed)
	}

	return nil
}

func (p prerequisite) version() string {
	if p.minor == 0 {
		return strconv.Itoa(p.major)
	}
	return fmt.Sprintf("%d.%d", p.major, p.minor)
}

package tools

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryNodePackageIsPinnedByItsHashAndNothingElse(t *testing.T) {
	content, err := pins.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, Integrity, Resolved string
			Dependencies                 map[string]string
		}
	}
	if err := json.Unmarshal(content, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) != 3 {
		t.Errorf("%d packages, want the root, the CDK's command line and DynamoDB Local's carrier", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" {
			t.Errorf("%s names the registry %s: the user's own registry serves it", name, p.Resolved)
		}
		if name == "" {
			continue
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s %s has the integrity %q, want a SHA-512", name, p.Version, p.Integrity)
		}
		if len(p.Dependencies) > 0 {
			t.Errorf("%s lists dependencies: only its own files are used (see the package documentation)", name)
		}
	}
}

func TestEveryPythonPackageIsPinnedByItsHashes(t *testing.T) {
	content, err := pins.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(content), "")
	requirements := strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n")
	for _, r := range requirements {
		if r != "" && !regexp.MustCompile(`^[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}`).MatchString(r) {
			t.Errorf("not pinned by version and hash: %s", r)
		}
	}
	if strings.Contains(text, "://") {
		t.Error("it names a registry: the user's own registry serves the packages")
	}
}

func TestEveryActionIsPinnedByItsCommitAndEveryStepCallsMake(t *testing.T) {
	workflows, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("%d workflows, %v, want at least one", len(workflows), err)
	}
	pinned := regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	step := regexp.MustCompile(`(?m)^\s*(?:- )?(uses|run): (.*)$`)
	for _, workflow := range workflows {
		content, err := os.ReadFile(workflow)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range step.FindAllStringSubmatch(string(content), -1) {
			kind, value := m[1], m[2]
			if kind == "uses" && !pinned.MatchString(value) {
				t.Errorf("%s uses %s, want an action of GitHub's own, its commit and its release", workflow, value)
			}
			if kind == "run" && !strings.HasPrefix(value, "make ") {
				t.Errorf("%s runs %s, want make only", workflow, value)
			}
		}
	}
}

func TestToolIsInstalledOnceAndAgainWhenItMustBe(t *testing.T) {
	root := t.TempDir()
	installs, fail := 0, errors.New("interrupted")
	tool := Tool{name: "tool", folder: "tool", version: "1", pins: []string{"package.json"}}
	tool.install = func(_ context.Context, folder string) error {
		installs++
		left, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(left) != 1 || filepath.Base(left[0]) != "package.json" {
			t.Errorf("install %d starts in a folder with %q, %v, want the pin only", installs, left, err)
		}
		if err := os.WriteFile(filepath.Join(folder, "half"), nil, 0o600); err != nil {
			return err
		}
		return fail
	}
	for _, step := range []struct {
		why      string
		change   func()
		wantErr  error
		installs int
	}{
		{"the first run is interrupted", func() {}, fail, 1},
		{"so the second starts from nothing", func() { fail = nil }, nil, 2},
		{"the third has nothing to do", func() {}, nil, 2},
		{"another version is another tool", func() { tool.version = "2" }, nil, 3},
		{"and then there is nothing to do again", func() {}, nil, 3},
		{"the folder was removed by hand", func() { _ = os.RemoveAll(filepath.Join(root, Directory, "tool")) }, nil, 4},
		{
			"an interrupted update leaves nothing that counts",
			func() { tool.version, fail = "3", errors.New("interrupted") }, errors.New("interrupted"), 5,
		},
		{"and is done again", func() { fail = nil }, nil, 6},
	} {
		step.change()
		err := tool.Install(t.Context(), root)
		if (err != nil) != (step.wantErr != nil) || installs != step.installs {
			t.Errorf("%s: %v after %d installs, want %v after %d", step.why, err, installs, step.wantErr, step.installs)
		}
		if tool.Installed(root) != (step.wantErr == nil) {
			t.Errorf("%s: Installed = %v", step.why, tool.Installed(root))
		}
	}
}

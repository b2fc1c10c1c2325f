// Package imports checks what packages import through others. The rules about
// direct imports are in .golangci.yml.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/replicatedtable/cdk-go/"

func TestTheRuntimeDoesNotReachTheCDK(t *testing.T) {
	// The function's binary must stay small and start fast.
	cdk := []string{"github.com/aws/aws-cdk-go", "github.com/aws/jsii-runtime-go", "github.com/aws/constructs-go"}
	for path, imports := range dependencies(t, "runtime") {
		for _, i := range imports {
			if within(i, cdk...) {
				t.Errorf("%s reaches %s", path, i)
			}
		}
	}
}

func TestLeavesReachOnlyTheStandardLibrary(t *testing.T) {
	// Both wings link them, and so do readers with other versions.
	leaves := []string{"internal/spec", "internal/dynamodbjson", "runtime/failurequeue", "runtime/compositekey"}
	for path, imports := range dependencies(t, leaves...) {
		for _, i := range imports {
			// Only a path outside of the standard library has a dot in its first element.
			if first, _, _ := strings.Cut(i, "/"); strings.Contains(first, ".") {
				t.Errorf("%s reaches %s", path, i)
			}
		}
	}
}

func TestTheTestsOfWhatAppsImportNeedNoOtherModules(t *testing.T) {
	// An app's go.sum has lines for what these tests import, directly or not: go mod tidy adds them. So
	// the tests may use what the construct and the function use, but not what the command does.
	const command = "github.com/aws/aws-sdk-go-v2/config"
	all := packages(t)
	bound := all[module+"replicatedtable"].Deps
	checked := 0
	for path, p := range all {
		if path != module+"replicatedtable" && !slices.Contains(bound, path) {
			continue
		}
		checked++
		for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
			if i == command || slices.Contains(all[i].Deps, command) {
				t.Errorf("the tests of %s reach %s through %s", path, command, i)
			}
		}
	}
	if checked < 5 {
		t.Errorf("checked %d packages", checked)
	}
}

// dependencies returns what the packages in and below the module's folders import,
// tests aside, directly or not. A folder that does not exist has no packages, but
// at least one must exist.
func dependencies(t *testing.T, folders ...string) map[string][]string {
	t.Helper()
	bound := map[string][]string{}
	for path, p := range packages(t) {
		if within(strings.TrimPrefix(path, module), folders...) {
			bound[path] = p.Deps
		}
	}
	if len(bound) == 0 {
		t.Fatalf("there is no package in %v: was a folder renamed?", folders)
	}

	return bound
}

// listed is a package as go list shows it. Deps are those without tests, and all of them.
type listed struct {
	ImportPath                      string
	Deps, TestImports, XTestImports []string
}

// packages returns the module's packages, by path.
func packages(t *testing.T) map[string]listed {
	t.Helper()
	// go test caches a result until a file changes that the test itself has looked at.
	look := func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			_, err = os.Stat(path)
		}
		return err
	}
	for _, folder := range []string{"internal", "replicatedtable", "runtime"} {
		if err := filepath.WalkDir(filepath.Join("../../..", folder), look); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Deps,TestImports,XTestImports", module+"...").Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}

	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// within reports whether a path is one of the folders or below one.
func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

package imports

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/replicatedtable/cdk-go"
	root     = "../../.."
	awsCDK   = "github.com/aws/aws-cdk-go"
	jsii     = "github.com/aws/jsii-runtime-go"
	cdkBase  = "github.com/aws/constructs-go"
	awsSDK   = "github.com/aws/aws-sdk-go-v2"
	examples = module + "/examples"
)

// pkg is what go list says about a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	// Deps are the imports and theirs, all the way down.
	Deps []string
}

// rule forbids some imports to the packages in and below one folder.
type rule struct {
	name string
	why  string
	// binds reports whether the package at a path has to keep the rule.
	binds func(path string) bool
	// imports are those of the package's imports that count.
	imports func(pkg) []string
	// forbidden reports whether an import breaks the rule.
	forbidden func(path string) bool
}

var rules = []rule{
	{
		name:      "the runtime does not import the CDK",
		why:       "the binary must stay small and start fast",
		binds:     below(module + "/runtime"),
		imports:   func(p pkg) []string { return p.Deps },
		forbidden: below(awsCDK, jsii, cdkBase, module+"/replicatedtable"),
	},
	{
		name: "the construct does not import the AWS SDK",
		why:  "synthesis makes no AWS calls; what it links of the SDK comes with the replicator, for the sake of the app's build list",
		// Its own files only, hence not Deps.
		binds:     below(module + "/replicatedtable"),
		imports:   func(p pkg) []string { return p.Imports },
		forbidden: below(awsSDK),
	},
	{
		name:      "the spec imports the standard library only",
		why:       "both wings link it",
		binds:     below(module + "/internal/spec"),
		imports:   func(p pkg) []string { return p.Deps },
		forbidden: func(path string) bool { return !standard(path) && path != module+"/internal/spec" },
	},
	{
		name:  "nothing imports the examples",
		why:   "examples read the library, never the other way",
		binds: func(path string) bool { return below(module)(path) && !below(examples)(path) },
		imports: func(p pkg) []string {
			return slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		},
		forbidden: below(examples),
	},
}

// below reports whether a package is one of the folders or in one of them.
func below(folders ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool {
			return path == folder || strings.HasPrefix(path, folder+"/")
		})
	}
}

// standard reports whether a package is of the standard library: no other has a
// first element without a dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// violations lists the imports that break the rule.
func (r rule) violations(packages []pkg) []string {
	var found []string
	for _, p := range packages {
		if !r.binds(p.ImportPath) {
			continue
		}
		for _, path := range r.imports(p) {
			if r.forbidden(path) {
				found = append(found, p.ImportPath+" imports "+path)
			}
		}
	}
	return found
}

func TestPackagesKeepTheRules(t *testing.T) {
	packages := list(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if !slices.ContainsFunc(packages, func(p pkg) bool { return r.binds(p.ImportPath) }) {
				t.Fatal("the rule binds no package: was a folder renamed?")
			}
			for _, violation := range r.violations(packages) {
				t.Errorf("%s, but %s", violation, r.why)
			}
		})
	}
}

// list asks the go command for every package of the module.
func list(t *testing.T) []pkg {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	command.Dir = root
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestABrokenRuleIsSeen(t *testing.T) {
	for _, tt := range []struct {
		name string
		why  string
		pkg  pkg
		want string
	}{
		{
			name: "the CDK in the runtime, through another package",
			why:  "the binary grows all the same",
			pkg:  pkg{ImportPath: module + "/runtime/replicator", Imports: []string{"fmt"}, Deps: []string{"fmt", awsCDK + "/awscdk/v2"}},
			want: module + "/runtime/replicator imports " + awsCDK + "/awscdk/v2",
		},
		{
			name: "the SDK in the construct",
			why:  "its own files, not what the replicator brings",
			pkg:  pkg{ImportPath: module + "/replicatedtable", Imports: []string{awsSDK + "/service/dynamodb"}},
			want: module + "/replicatedtable imports " + awsSDK + "/service/dynamodb",
		},
		{
			name: "a dependency of the spec",
			why:  "not even one of this module",
			pkg:  pkg{ImportPath: module + "/internal/spec", Deps: []string{"fmt", module + "/runtime/replicator"}},
			want: module + "/internal/spec imports " + module + "/runtime/replicator",
		},
		{
			name: "an example in a test",
			why:  "tests are part of the library",
			pkg:  pkg{ImportPath: module + "/replicatedtable", XTestImports: []string{examples + "/users"}},
			want: module + "/replicatedtable imports " + examples + "/users",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range rules {
				got = append(got, r.violations([]pkg{tt.pkg})...)
			}
			if !slices.Equal(got, []string{tt.want}) {
				t.Errorf("%s: got %v, want %s", tt.why, got, tt.want)
			}
		})
	}
}

// deciding are the files of the replicator that decide: they take and return
// values, and only write.go acts.
var deciding = []string{"project.go", "plan.go", "report.go"}

// acting are the packages through which a file could reach the world, with
// those below them.
var acting = below(
	"crypto/rand", "database", "log", "math/rand", "net", "os", "syscall", "testing",
	awsSDK, "github.com/aws/aws-lambda-go/lambda",
)

func TestFilesThatDecideDoNotAct(t *testing.T) {
	for _, name := range deciding {
		t.Run(name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "runtime", "replicator", name), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, spec := range file.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, path)
			}
			for _, violation := range actions(name, paths) {
				t.Errorf("%s, but it decides; write.go acts", violation)
			}
		})
	}
}

func actions(file string, paths []string) []string {
	var found []string
	for _, path := range paths {
		if acting(path) {
			found = append(found, fmt.Sprintf("%s imports %s", file, path))
		}
	}
	return found
}

func TestAFileThatActsIsSeen(t *testing.T) {
	got := actions("plan.go", []string{"fmt", "log/slog", awsSDK + "/service/dynamodb", "slices"})
	want := []string{"plan.go imports log/slog", "plan.go imports " + awsSDK + "/service/dynamodb"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

package replicatedtable

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// build synthesizes an app with two tables, and returns the folders of the functions
// that were built for it.
func build(t *testing.T) (outdir string, functions []string) {
	t.Helper()

	outdir = t.TempDir()
	return outdir, buildIn(t, outdir)
}

func buildIn(t *testing.T, outdir string) (functions []string) {
	t.Helper()

	stack := newBuiltStack(outdir)
	NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	NewReplicatedTable(stack, jsii.String("Cities"), lastWriterProps())
	stack.Node().Root().(awscdk.App).Synth(nil)

	binaries, err := filepath.Glob(filepath.Join(outdir, "asset.*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, binary := range binaries {
		functions = append(functions, filepath.Base(filepath.Dir(binary)))
	}

	return functions
}

func TestTheFunctionIsBuiltOnceAndReproducibly(t *testing.T) {
	outdir, functions := build(t)
	if len(functions) != 1 {
		t.Fatalf("two tables built %d functions, want one for both: %v", len(functions), functions)
	}

	binary, err := elf.Open(filepath.Join(outdir, functions[0], "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if binary.Machine != elf.EM_AARCH64 {
		t.Errorf("bootstrap is for %s, want %s", binary.Machine, elf.EM_AARCH64)
	}

	if _, again := build(t); len(again) != 1 || again[0] != functions[0] {
		t.Errorf("a second app in another folder built %v, want %v", again, functions)
	}
}

// Tests often have one output folder, and remove it in between.
func TestTheFunctionIsBuiltAgainWhereItsFolderWasRemoved(t *testing.T) {
	outdir := t.TempDir()
	for range 2 {
		folder, err := buildFunction(newBuiltStack(outdir), replicatorProgram, "arm64")
		if err != nil {
			t.Fatal(err)
		}
		if !exists(filepath.Join(folder, "bootstrap")) {
			t.Errorf("%s has no function", folder)
		}
		if err := os.RemoveAll(filepath.Join(outdir, ".replicatedtable")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASkippedBuildNeedsNoGoAndHasOneHash(t *testing.T) {
	text := func(stack awscdk.Stack) string {
		NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
		return toJSON(t, *assertions.Template_FromStack(stack, nil).ToJSON())
	}
	want := text(newStack(t))
	stack := newStack(t)
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	if got := text(stack); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// newBuiltStack returns a stack whose functions are built, with the assets in outdir.
func newBuiltStack(outdir string) awscdk.Stack {
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(outdir), AnalyticsReporting: jsii.Bool(false)})
	return awscdk.NewStack(app, jsii.String("App"), nil)
}

func TestAFunctionThatCannotBeBuiltIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T)
		want    string
	}{
		{"no go command", func(t *testing.T) { t.Setenv("PATH", t.TempDir()) },
			"App/Users: the function is built during synthesis, which needs the go command: install Go and put it on PATH"},
		{"outside of the module", func(t *testing.T) { t.Chdir(t.TempDir()) },
			"App/Users: the app's go.mod was not found, because this program was built in the module " +
				"github.com/replicatedtable/cdk-go, and the working directory is not in it: run the app inside its module"},
		{"what the go command refuses", func(t *testing.T) { t.Setenv("GOTMPDIR", "/does/not/exist") },
			"App/Users: the function cannot be built in the module "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newBuiltStack(t.TempDir())
			tt.prepare(t)
			got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), uniqueProps()) })
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if n := len(*stack.Node().Children()); n != 0 {
				t.Errorf("%d constructs were added", n)
			}
		})
	}
}

func TestTheCallersSettingsAndFoldersDoNotReachTheFunction(t *testing.T) {
	_, plain := build(t)
	for name, value := range map[string]string{
		"GOARM64": "v9.0", "GOAMD64": "v3", "GOEXPERIMENT": "nogreenteagc", "GOFIPS140": "latest",
		"GOFLAGS": "-race -gcflags=-N", "CGO_ENABLED": "1", "GOOS": "darwin", "GOARCH": "wasm",
	} {
		t.Setenv(name, value)
	}
	outdir := filepath.Join(t.TempDir(), `it's a "folder" of $HOME`, "vendor", "cdk.out")
	if err := os.MkdirAll(outdir, 0o755); err != nil {
		t.Fatal(err)
	}

	if functions := buildIn(t, outdir); len(functions) != 1 || functions[0] != plain[0] {
		t.Errorf("built %v, want %v", functions, plain)
	}
}

func TestAPrebuiltFunctionNeedsNoGo(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte("built"), 0o755); err != nil {
		t.Fatal(err)
	}
	outdir := t.TempDir()
	stack := newBuiltStack(outdir)
	t.Setenv("PATH", t.TempDir())
	props := uniqueProps()
	props.Code = awslambda.Code_FromAsset(jsii.String(folder), nil)
	NewReplicatedTable(stack, jsii.String("Users"), props)
	stack.Node().Root().(awscdk.App).Synth(nil)

	binaries, err := filepath.Glob(filepath.Join(outdir, "asset.*", "bootstrap"))
	if err != nil || len(binaries) != 1 {
		t.Fatalf("the assets are %v, %v", binaries, err)
	}
	if code, err := os.ReadFile(binaries[0]); err != nil || string(code) != "built" {
		t.Errorf("the function is %q, %v", code, err)
	}
}

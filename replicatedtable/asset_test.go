package replicatedtable

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

// build synthesizes an app with two tables, and returns the folders of the functions
// that were built for it.
func build(t *testing.T) (outdir string, functions []string) {
	t.Helper()

	outdir = t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(outdir), AnalyticsReporting: jsii.Bool(false)})
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	NewReplicatedTable(stack, jsii.String("Cities"), lastWriterProps())
	app.Synth(nil)

	binaries, err := filepath.Glob(filepath.Join(outdir, "asset.*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	for _, binary := range binaries {
		functions = append(functions, filepath.Base(filepath.Dir(binary)))
	}

	return outdir, functions
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

func TestASkippedBuildHasTheSameHashInEveryOutputFolder(t *testing.T) {
	plain, vendored := newStack(t), newStack(t)
	// GoFunction finds this folder, and then builds with other flags.
	if err := os.Mkdir(filepath.Join(*awscdk.Stage_Of(vendored).AssetOutdir(), "vendor"), 0o755); err != nil {
		t.Fatal(err)
	}

	text := func(stack awscdk.Stack) string {
		NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
		return toJSON(t, *assertions.Template_FromStack(stack, nil).ToJSON())
	}
	if got, want := text(vendored), text(plain); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAMissingGoCommandIsNamedBeforeDockerIsTried(t *testing.T) {
	stack := newStack(t)
	t.Setenv("PATH", t.TempDir())
	got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), uniqueProps()) })
	want := "App/Users: the function is built during synthesis, which needs the go command: " +
		"install Go and put it on PATH"
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnAppOutsideItsModuleIsToldToRunInside(t *testing.T) {
	stack := newStack(t)
	t.Chdir(t.TempDir())
	got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), uniqueProps()) })
	want := "App/Users: the app's go.mod was not found: run the app inside its module"
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyAVendorFolderOfAnotherNeedsTheFlagThatWarns(t *testing.T) {
	own := functionCode{mod: "vendor"}.bundling()
	if own.GoBuildFlags != nil {
		t.Errorf("own vendor folder: GoBuildFlags %v, want none", *own.GoBuildFlags)
	}
	stray := functionCode{mod: "readonly", strayVendor: true}.bundling()
	if flags := *stray.GoBuildFlags; len(flags) != 1 || *flags[0] != "-mod=readonly" {
		t.Errorf("stray vendor folder: GoBuildFlags %v, want -mod=readonly", flags)
	}
}

func TestAVendorFolderIsFoundWhereGoFunctionFindsIt(t *testing.T) {
	root := t.TempDir()
	if hasVendorAbove(filepath.Join(root, "cdk.out", "main.go")) {
		t.Fatalf("a vendor folder was found above %s, where the test created none", root)
	}

	if err := os.Mkdir(filepath.Join(root, "vendor"), 0o755); err != nil {
		t.Fatal(err)
	}
	if !hasVendorAbove(filepath.Join(root, "cdk.out", "main.go")) {
		t.Error("a vendor folder two levels up was not found")
	}
}

package examples_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/runbook"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// What the README's first steps deploy answers as they say.
func TestTheAppOfTheReadmeAnswersFromItsTarget(t *testing.T) {
	root, cloud := startMiniStack(t)
	app := newApp(t, root, cloud, writeReadmesApp(t, root))
	deploy(t, app, "Users")

	shell, err := runbook.NewShell(t.Context(), root, t.TempDir(), cloud.Environment())
	check(t, err)
	commands := lastSteps(t, root)
	run := func(line string) string {
		t.Helper()
		return succeed(t, shell, commands[0]+"; "+line) // the shell keeps no functions
	}
	run(commands[1])
	byState := newTable(t, cloud, run("table Target"))
	byState.await(t, item{"email": text("ann@example.com"), "state": text("New York")})
	if found := run(commands[2]); !strings.Contains(found, "ann@example.com") {
		t.Errorf("%s\nprints %s", commands[2], found)
	}
}

// lastSteps returns the commands of the last block of the README's first steps: the definition of
// table, a write to the source table, and a query of the target table.
func lastSteps(t *testing.T, root string) []string {
	t.Helper()
	block := blockOfReadme(t, root, "5. Write to the source table", "console")
	commands := strings.Split(strings.TrimSpace(block), "\n")
	if len(commands) != 3 {
		t.Fatalf("the last of the README's first steps has the commands %q, want 3", commands)
	}
	return commands
}

// writeReadmesApp writes the first block of Go code in the README to a folder of its own,
// and returns its path below root.
func writeReadmesApp(t *testing.T, root string) string {
	t.Helper()
	block := blockOfReadme(t, root, "", "go")
	if runtime.GOARCH == "amd64" { // MiniStack runs functions as processes of this machine
		block = strings.Replace(block, "Source: &", "Architecture: awslambda.Architecture_X86_64(),\n\t\tSource: &", 1)
		block = strings.Replace(block, "import (\n", "import (\n\t\"github.com/aws/aws-cdk-go/awscdk/v2/awslambda\"\n", 1)
	}

	temporaries := filepath.Join(root, tools.Directory, "tmp")
	check(t, os.MkdirAll(temporaries, 0o755))
	folder, err := os.MkdirTemp(temporaries, "readme-") //nolint:usetesting // within the module of the repository
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(folder)) })
	check(t, os.WriteFile(filepath.Join(folder, "users.go"), []byte(block), 0o600))
	check(t, os.WriteFile(filepath.Join(folder, "cdk.json"), []byte(`{"app": "go run users.go"}`), 0o600))
	below, err := filepath.Rel(root, folder)
	check(t, err)

	return below
}

// blockOfReadme returns the first block of a language in the README that comes after a text.
func blockOfReadme(t *testing.T, root, after, language string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	check(t, err)
	_, rest, _ := strings.Cut(string(readme), after)
	_, rest, _ = strings.Cut(rest, "```"+language+"\n")
	block, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatalf("the README has no block of %s after %q", language, after)
	}
	return block
}

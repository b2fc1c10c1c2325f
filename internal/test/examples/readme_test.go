package examples_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// What the README's first steps deploy answers as they say.
func TestTheAppOfTheReadmeAnswersFromItsTarget(t *testing.T) {
	root, cloud := startMiniStack(t)
	app := newApp(t, root, cloud, writeReadmesApp(t, root))
	deploy(t, app, "Users")
	users := newTable(t, cloud, physicalID(t, app, cloud, "UsersSource"))
	byState := newTable(t, cloud, physicalID(t, app, cloud, "UsersTarget"))

	ann := item{"email": text("ann@example.com"), "state": text("New York")}
	users.put(ann)
	byState.await(t, ann)
}

// writeReadmesApp writes the first block of Go code in the README to a folder of its own,
// and returns its path below root.
func writeReadmesApp(t *testing.T, root string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	check(t, err)
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	block, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("the README has no block of Go code")
	}
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

// physicalID is the name of the one table whose logical ID begins with prefix.
func physicalID(t *testing.T, app *cdk.App, cloud *cdk.Cloud, prefix string) string {
	t.Helper()
	content, err := app.Template("Users")
	check(t, err)
	var template struct {
		Resources map[string]struct{ Type string }
	}
	check(t, json.Unmarshal(content, &template))
	for id, r := range template.Resources {
		if strings.HasPrefix(id, prefix) && r.Type == "AWS::DynamoDB::GlobalTable" {
			name, err := cloud.PhysicalID(t.Context(), "Users", id)
			check(t, err)
			return name
		}
	}
	t.Fatalf("the template has no table %s…", prefix)
	return ""
}

package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func TestCFNLintFindsOnlyWhatIsAccepted(t *testing.T) {
	wantOnlyAccepted(t, cfnLint(t, templateFiles(t)), []acceptedRule{
		{
			rule: `W3005`,
			why:  "the CDK lets every function depend on its role, which the function's property Role does already",
		},
	})
}

// cfnLint returns the errors and warnings of cfn-lint. One run reads all files, because
// each start takes a second.
func cfnLint(t *testing.T, files []string) []finding {
	t.Helper()

	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	if !tools.Python.Installed(root) {
		t.Fatalf("%s are not installed: run `make setup`", tools.Python)
	}

	// Without these two arguments it would read the user's configuration and region.
	arguments := []string{"--config-file", os.DevNull, "--regions", "us-east-1", "--format", "json", "--"}
	command := exec.Command(tools.CFNLint(root), append(arguments, files...)...)
	var out, messages bytes.Buffer
	command.Stdout, command.Stderr = &out, &messages
	// The exit code only repeats whether there are findings.
	runErr := command.Run()
	var reported []struct {
		Filename, Message string
		Rule              struct{ ID string }
		Location          struct{ Path []any }
	}
	if err := json.Unmarshal(out.Bytes(), &reported); err != nil {
		t.Fatalf("%s: %v, %v\n%s%s", command, runErr, err, &out, &messages)
	}

	findings := make([]finding, len(reported))
	for i, r := range reported {
		findings[i] = finding{r.Filename, "", r.Rule.ID, r.Message}
		// A path is Resources, the logical ID, and the place in the resource.
		if len(r.Location.Path) > 1 {
			findings[i].resource = fmt.Sprint(r.Location.Path[1])
		}
	}

	return findings
}

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
)

// The example's own tests run on a fake, because a copy of the example has no engine.
func TestTheExamplesAPIHoldsOnDynamoDBLocal(t *testing.T) {
	endpoint := enginetest.DynamoDBLocal(t)
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "./examples/users/api")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "DYNAMODB_ENDPOINT="+endpoint)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range []string{
		"TestAnyRequestIsAnsweredAsDocumented", "TestAllPagesTogetherListEveryUserOnce", "FuzzHandle",
	} {
		if !strings.Contains(string(out), "--- PASS: "+test) {
			t.Errorf("%s did not run:\n%s", test, out)
		}
	}
}

// Package enginetest gets a running engine for a test, or ends the test with the
// reason.
package enginetest

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// RequiredVariable is an environment variable. With the value "required", a test that
// misses an engine fails instead of being skipped. "make test" sets it, so it skips
// nothing.
const RequiredVariable = "REPLICATEDTABLE_ENGINES"

// Require returns the repository root when all the tools are installed. Otherwise it
// skips the test, or fails it as [RequiredVariable] says.
func Require(t testing.TB, needed ...tools.Tool) (root string) {
	t.Helper()
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range needed {
		if tool.Installed(root) {
			continue
		}
		const message = "NOT TESTED: %s is not installed. " +
			"Run `make setup` once, or `make test`, which sets up and skips nothing."
		if os.Getenv(RequiredVariable) == "required" {
			t.Fatalf(message, tool)
		} else {
			t.Skipf(message, tool)
		}
	}

	return root
}

// startDynamoDBLocal starts one engine per test binary.
var startDynamoDBLocal = sync.OnceValues(func() (*engine.Server, error) {
	root, err := engine.Root()
	if err != nil {
		return nil, err
	}
	return engine.StartDynamoDBLocal(context.Background(), root)
})

// DynamoDBLocal returns the endpoint of DynamoDB Local. All tests of one test binary
// share one engine. The first caller starts it, and it ends with the test binary,
// however that ends. Tests that must not see each other's tables use different access
// key ids or different table names.
func DynamoDBLocal(t testing.TB) (endpoint string) {
	t.Helper()
	Require(t, tools.Node, tools.Python)
	server, err := startDynamoDBLocal()
	if err != nil {
		t.Fatal(err)
	}
	return server.Endpoint
}

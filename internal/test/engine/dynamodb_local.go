package engine

import (
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// StartDynamoDBLocal starts an empty, in-memory DynamoDB Local from the tools
// installed below root. Its heap is at most 256 MB. Any request signature is
// accepted; each access key id has tables of its own, so tests that use
// different ones (letters and digits only) cannot meet.
func StartDynamoDBLocal(ctx context.Context, root string) (*Server, error) {
	java, err := tools.Java(root)
	if err != nil {
		return nil, err
	}
	distribution := tools.DynamoDBLocal(root)
	return start(ctx, root, launch{
		name: "dynamodb-local",
		command: func(port int, _ string) *exec.Cmd {
			return exec.Command(java,
				// One core and a quick start matter more than peak speed.
				"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
				"--enable-native-access=ALL-UNNAMED",
				"-Djava.library.path="+filepath.Join(distribution, "DynamoDBLocal_lib"),
				"-jar", filepath.Join(distribution, "DynamoDBLocal.jar"),
				"-inMemory", "-disableTelemetry", "-port", strconv.Itoa(port))
		},
		// A request without an action: refused, so the server is up.
		health: "/",
		status: http.StatusBadRequest,
	})
}

package engine

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

// StartMiniStack starts an empty MiniStack from the tools installed below root.
// It listens on the loopback interface only. The functions that it runs as
// processes of their own call back to it, with the rights of their roles, and end
// with it.
//
// Messages to a failure queue do not get there. MiniStack 1.5.33 asks for the action
// sqs:SendMessageBatch, which sqs:SendMessage covers on AWS (source: Amazon SQS Developer
// Guide, "Amazon SQS batch actions"), and the queue denies plain HTTP. Neither does
// MiniStack check the rights to read a stream and to write logs.
func StartMiniStack(ctx context.Context, root string) (*Server, error) {
	return start(ctx, root, miniStack(root))
}

func miniStack(root string) launch {
	return launch{
		name:   "ministack",
		health: "/_ministack/health",
		status: http.StatusOK,
		command: func(port int, temporary string) *exec.Cmd {
			cmd := exec.Command(tools.MiniStack(root))
			// A whole environment instead of an addition to the caller's: the functions
			// inherit it, and must not see the caller's credentials and settings.
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"),
				"HOME=" + temporary,
				// Where it unpacks the functions' code.
				"TMPDIR=" + temporary,
				"BIND_HOST=127.0.0.1",
				"GATEWAY_PORT=" + strconv.Itoa(port),
				fmt.Sprintf("AWS_ENDPOINT_URL=http://127.0.0.1:%d", port),
				"AWS_ACCESS_KEY_ID=test",
				"AWS_SECRET_ACCESS_KEY=test",
				"AWS_REGION=us-east-1",
				"AWS_DEFAULT_REGION=us-east-1",
				// The functions have the rights of their roles and no others. The key test
				// above is the root user's.
				"AUTH=true",
				// Listeners on fixed ports that nothing here uses.
				"IOT_MTLS_ENABLED=0",
				"SFTP_ENABLED=0",
			}
			return cmd
		},
	}
}

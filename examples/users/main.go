// Command users is a CDK app: an HTTP API over a ReplicatedTable of users, whose source
// table has the key email, and whose two target tables begin with the state. See
// README.md.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	status := 0
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err) // before Close, which may write there, too
		status = 1
	}
	jsii.Close()
	os.Exit(status)
}

// run writes what the app synthesizes where the CDK's command line expects it.
func run() error {
	app := awscdk.NewApp(nil)
	architecture, err := parseArchitecture(app.Node().TryGetContext(jsii.String("architecture")), runtime.GOARCH)
	if err != nil {
		return err
	}

	NewUsersStack(app, "ReplicatedTableUsers", &UsersStackProps{Architecture: architecture.lambda()})
	app.Synth(nil)
	return nil
}

// Command users is a CDK app: an HTTP API over a ReplicatedTable of users, who
// are keyed by email in the source table and by state and city in the target
// table. See README.md.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run makes the app and writes what it synthesizes where the CDK's CLI told.
func run() error {
	defer jsii.Close()

	app := awscdk.NewApp(nil)
	architecture, err := parseArchitecture(app.Node().TryGetContext(jsii.String("architecture")), runtime.GOARCH)
	if err != nil {
		return err
	}
	NewUsersStack(app, "ReplicatedTableUsers", &UsersStackProps{Architecture: architecture.lambda()})
	app.Synth(nil)
	return nil
}

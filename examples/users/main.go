// Command users is a CDK app: an HTTP API over a ReplicatedTable of users, whose source
// table has the key email, and whose target table state and city. See README.md.
package main

import (
	"errors"
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
	context := func(name string) any { return app.Node().TryGetContext(&name) }
	architecture, errArchitecture := parseArchitecture(context("architecture"), runtime.GOARCH)
	key, errKey := parseKey(context("key"))
	if err := errors.Join(errArchitecture, errKey); err != nil {
		return err
	}

	NewUsersStack(app, "ReplicatedTableUsers", &UsersStackProps{Architecture: architecture.lambda(), Key: key})
	app.Synth(nil)
	return nil
}

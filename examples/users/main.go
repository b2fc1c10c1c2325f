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
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes what the app synthesizes where the CDK's command line expects it.
func run() error {
	defer jsii.Close()
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

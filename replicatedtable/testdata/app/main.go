// Package main is the app of another module, as consumer_test.go builds and runs
// it.
package main

import (
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/replicatedtable"
)

// main synthesizes one stack twice, below the folder that its argument names:
// with the function built, and with building skipped.
func main() {
	defer jsii.Close()
	synthesize("built", map[string]any{})
	synthesize("skipped", map[string]any{"aws:cdk:bundling-stacks": []string{}})
}

func synthesize(folder string, context map[string]any) {
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(filepath.Join(os.Args[1], folder)),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &context,
	})
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{PartitionKey: text("email")},
		Target: &replicatedtable.TargetProps{PartitionKey: text("state"), SortKey: text("email")},
	})
	app.Synth(nil)
}

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

// Package main is an app of another module in many shapes. The context "shape" names
// the one to synthesize.
package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/replicatedtable"
)

var shapes = map[string]func(app awscdk.App){
	"one table":  func(app awscdk.App) { table(stack(app, "App"), "Users", nil) },
	"two tables": func(app awscdk.App) { tables(stack(app, "App"), 2) },
	"ten tables": func(app awscdk.App) { tables(stack(app, "App"), 10) },
	"two architectures": func(app awscdk.App) {
		s := stack(app, "App")
		table(s, "Arm", awslambda.Architecture_ARM_64())
		table(s, "Intel", awslambda.Architecture_X86_64())
	},
	"several stacks": func(app awscdk.App) {
		for _, id := range []string{"One", "Two", "Three"} {
			table(stack(app, id), "Users", nil)
		}
	},
	"stages": func(app awscdk.App) {
		for _, id := range []string{"Test", "Production"} {
			table(stack(awscdk.NewStage(app, jsii.String(id), nil), "App"), "Users", nil)
		}
	},
	"pipeline": func(app awscdk.App) {
		pipeline := pipelines.NewCodePipeline(stack(app, "App"), jsii.String("Pipeline"), &pipelines.CodePipelineProps{
			Synth: pipelines.NewShellStep(jsii.String("Synth"), &pipelines.ShellStepProps{
				Input: pipelines.CodePipelineSource_Connection(jsii.String("owner/app"), jsii.String("main"),
					&pipelines.ConnectionSourceOptions{
						ConnectionArn: jsii.String("arn:aws:codeconnections:eu-west-1:111111111111:connection/example"),
					}),
				Commands: jsii.Strings("npx cdk synth"),
			}),
		})
		stage := awscdk.NewStage(app, jsii.String("Production"), nil)
		table(stack(stage, "Deployed"), "Users", nil)
		pipeline.AddStage(stage, nil)
	},
	"nested stacks": func(app awscdk.App) {
		s := stack(app, "App")
		table(awscdk.NewNestedStack(s, jsii.String("One"), nil), "Users", nil)
		table(awscdk.NewNestedStack(s, jsii.String("Two"), nil), "Users", nil)
	},
	"TableV2": func(app awscdk.App) {
		replicatedtable.NewReplicatedTable(stack(app, "App"), jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
			Source: &replicatedtable.SourceProps{
				Table: awsdynamodb.NewTableV2(stack(app, "Team"), jsii.String("Users"), &awsdynamodb.TablePropsV2{
					PartitionKey: text("email"),
					DynamoStream: awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
				}),
				PartitionKey: text("email"),
			},
			Target: &replicatedtable.TargetProps{PartitionKey: text("state"), SortKey: text("email")},
		})
	},
	"reconcilers": func(app awscdk.App) {
		s := stack(app, "App")
		for _, id := range []string{"Users", "Accounts"} {
			table(s, id, nil).AddReconciler(jsii.String("Reconciler"), nil)
		}
	},
	"own construct": func(app awscdk.App) { newDirectory(stack(app, "App"), "Directory") },
	"tags": func(app awscdk.App) {
		table(stack(app, "App"), "Users", nil)
		awscdk.Tags_Of(app).Add(jsii.String("team"), jsii.String("identity"), nil)
	},
	"permissions boundary": func(app awscdk.App) {
		s := stack(app, "App")
		table(s, "Users", nil)
		awsiam.PermissionsBoundary_Of(s).Apply(
			awsiam.ManagedPolicy_FromManagedPolicyName(s, jsii.String("Boundary"), jsii.String("developers")))
	},
	"qualifier": func(app awscdk.App) {
		table(awscdk.NewStack(app, jsii.String("App"), &awscdk.StackProps{
			Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
				Qualifier: jsii.String("ourteam"),
			}),
		}), "Users", nil)
	},
}

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	shape, ok := shapes[fmt.Sprint(app.Node().TryGetContext(jsii.String("shape")))]
	if !ok {
		panic("the context has no shape that this app knows")
	}
	shape(app)
	app.Synth(nil)
}

func stack(scope constructs.Construct, id string) awscdk.Stack {
	return awscdk.NewStack(scope, jsii.String(id), nil)
}

func tables(scope constructs.Construct, n int) {
	for i := range n {
		table(scope, fmt.Sprintf("Users%d", i), nil)
	}
}

func table(
	scope constructs.Construct, id string, architecture awslambda.Architecture,
) replicatedtable.ReplicatedTable {
	return replicatedtable.NewReplicatedTable(scope, jsii.String(id), &replicatedtable.ReplicatedTableProps{
		Source:       &replicatedtable.SourceProps{PartitionKey: text("email")},
		Target:       &replicatedtable.TargetProps{PartitionKey: text("state"), SortKey: text("email")},
		Architecture: architecture,
	})
}

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

// directory is a construct of the app's own around a ReplicatedTable.
type directory struct {
	constructs.Construct
	users replicatedtable.ReplicatedTable
}

func newDirectory(scope constructs.Construct, id string) *directory {
	d := &directory{}
	constructs.NewConstruct_Override(d, scope, jsii.String(id))
	d.users = table(d, "Users", nil)

	return d
}

// Users returns the construct inside.
func (d *directory) Users() replicatedtable.ReplicatedTable { return d.users }

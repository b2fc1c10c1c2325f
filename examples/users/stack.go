package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/replicatedtable"
)

// UsersStackProps are the properties of the stack.
type UsersStackProps struct {
	awscdk.StackProps
	// Architecture is what both functions are built for.
	Architecture awslambda.Architecture
	// Key is the sort key of the target table.
	Key key
}

// NewUsersStack makes the users' tables, the API in front of them, and the outputs
// ApiUrl, ApiId, SourceTableName and TargetTableName.
func NewUsersStack(scope constructs.Construct, id string, props *UsersStackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, &props.StackProps)
	table := usersTableProps(props)
	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), table)
	function := newAPIFunction(stack, users, *table.Target.SortKey.Name, props.Architecture)
	api, stage := newHTTPAPI(stack, function)

	output := func(name string, value *string) {
		awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value})
	}
	output("ApiUrl", stage.Url())
	output("ApiId", api.ApiId())
	output("SourceTableName", users.SourceTable().TableName())
	output("TargetTableName", users.Target().Table().TableName())
	return stack
}

func usersTableProps(props *UsersStackProps) *replicatedtable.ReplicatedTableProps {
	table := &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{PartitionKey: text("email")},
		Target: &replicatedtable.TargetProps{
			PartitionKey: text("state"),
			SortKey:      text("city"),
			// The zip code stays in the source table.
			Projection: &replicatedtable.Projection{
				Type:       replicatedtable.ProjectionType_EXCLUDE,
				Attributes: jsii.Strings("zipcode"),
			},
			// Two users of one city have one target key. The one written last has the item.
			Ordering: replicatedtable.Ordering_LastWriterWins(nil),
		},
		// A demo leaves nothing behind. The default keeps tables with their items.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Architecture:  props.Architecture,
	}

	if props.Key == lossless {
		// The email makes every target key unique, so no users collide.
		table.Target.SortKey = text("cityEmail")
		table.Target.KeySources = &map[string]*replicatedtable.KeySource{
			"cityEmail": {Attributes: jsii.Strings("city", "email"), Separator: jsii.String("#")},
		}
		table.Target.Ordering = nil
	}
	return table
}

// text is a key attribute of type string.
func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

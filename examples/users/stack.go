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
	// Architecture is what the API function and the replicator are built for.
	Architecture awslambda.Architecture
}

// NewUsersStack makes the table of users, the API in front of it, and the
// outputs ApiUrl, ApiId, SourceTableName and TargetTableName.
func NewUsersStack(scope constructs.Construct, id string, props *UsersStackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, &props.StackProps)
	users := newUsersTable(stack, props.Architecture)
	function := newAPIFunction(stack, users, props.Architecture)
	api := newHTTPAPI(stack, function)

	output := func(name string, value *string) {
		awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value})
	}
	output("ApiUrl", api.stage.Url())
	output("ApiId", api.api.ApiId())
	output("SourceTableName", users.SourceTable().TableName())
	output("TargetTableName", users.TargetTable().TableName())
	return stack
}

// newUsersTable makes the replicated table of users.
func newUsersTable(stack awscdk.Stack, architecture awslambda.Architecture) replicatedtable.ReplicatedTable {
	return replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.KeySchema{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.KeySchema{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("city"), Type: awsdynamodb.AttributeType_STRING},
		},
		// The zip code stays in the source table. Email, the source key, is in
		// the target table whatever the projection.
		Projection: &replicatedtable.Projection{
			Type:       replicatedtable.ProjectionType_EXCLUDE,
			Attributes: jsii.Strings("zipcode"),
		},
		// Two users of one city meet on one target item, because state and city
		// do not contain the email. Of these users the target table shows the
		// one written last. When that one is deleted, an older one may or may not
		// come back. A target key that contains the email gives each user an item
		// and needs no policy: a sort key that joins city and email does, with
		// KeySources (README.md).
		OnKeyCollision: replicatedtable.OnKeyCollision_LAST_WRITER_WINS,
		// A demo leaves nothing behind. The default keeps tables with their items.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Architecture:  architecture,
	})
}

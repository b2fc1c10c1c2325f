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
}

// NewUsersStack makes the users' tables, the API in front of them, and the outputs
// ApiUrl, ApiId, SourceTableName, TargetTableName and LosslessTableName.
func NewUsersStack(scope constructs.Construct, id string, props *UsersStackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, &props.StackProps)
	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{PartitionKey: text("email")},
		Target: articleTarget(),
		// A demo leaves nothing behind. The default keeps tables with their items.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Architecture:  props.Architecture,
	})
	lossless := users.AddTarget(jsii.String("Lossless"), losslessTarget())
	function := newAPIFunction(stack, users.SourceTable(), lossless.Table(), props.Architecture)
	api, stage := newHTTPAPI(stack, function)

	output := func(name string, value *string) {
		awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value})
	}
	output("ApiUrl", stage.Url())
	output("ApiId", api.ApiId())
	output("SourceTableName", users.SourceTable().TableName())
	output("TargetTableName", users.Target().Table().TableName())
	output("LosslessTableName", lossless.Table().TableName())
	return stack
}

// articleTarget has one item for all users of a city, as in the article. The user written
// last has it.
func articleTarget() *replicatedtable.TargetProps {
	return &replicatedtable.TargetProps{
		PartitionKey: text("state"),
		SortKey:      text("city"),
		Projection:   withoutZipcode(),
		Ordering:     replicatedtable.Ordering_LastWriterWins(nil),
	}
}

// losslessTarget has an item for every user: the email makes every target key unique.
func losslessTarget() *replicatedtable.TargetProps {
	return &replicatedtable.TargetProps{
		PartitionKey: text("state"),
		SortKey:      text("cityEmail"),
		KeySources: &map[string]*replicatedtable.KeySource{
			"cityEmail": {Attributes: jsii.Strings("city", "email"), Separator: jsii.String("#")},
		},
		Projection: withoutZipcode(),
	}
}

// withoutZipcode keeps the zip code in the source table.
func withoutZipcode() *replicatedtable.Projection {
	return &replicatedtable.Projection{
		Type:       replicatedtable.ProjectionType_EXCLUDE,
		Attributes: jsii.Strings("zipcode"),
	}
}

// text is a key attribute of type string.
func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

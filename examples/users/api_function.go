package main

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/jsii-runtime-go"
)

// newAPIFunction makes the function that answers the API, from the package in the folder
// api. It writes to source and lists from target, and its role allows nothing else.
func newAPIFunction(
	stack awscdk.Stack, source, target awsdynamodb.ITable, architecture awslambda.Architecture,
) awslambda.IFunction {
	// Both cdk, by cdk.json, and go test run in this package's folder.
	entry, err := filepath.Abs("api")
	if err != nil {
		panic(err)
	}

	logs := awslogs.NewLogGroup(stack, jsii.String("ApiFunctionLogs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	// The role of a function has by default a managed policy for all log groups of the
	// account.
	role := awsiam.NewRole(stack, jsii.String("ApiFunctionRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	logs.GrantWrite(role)
	source.Grant(role, *jsii.Strings("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:DeleteItem")...)
	target.Grant(role, jsii.String("dynamodb:Query"))

	return awscdklambdagoalpha.NewGoFunction(stack, jsii.String("ApiFunction"), &awscdklambdagoalpha.GoFunctionProps{
		Description:  jsii.String("Answers the users API"),
		Entry:        &entry,
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: architecture,
		MemorySize:   jsii.Number(256),
		// More than the API's own patience with DynamoDB, less than the gateway's 30 s.
		Timeout:  awscdk.Duration_Seconds(jsii.Number(10)),
		Role:     role,
		LogGroup: logs,
		Environment: &map[string]*string{
			"SOURCE_TABLE": source.TableName(),
			"TARGET_TABLE": target.TableName(),
		},
		// The same source makes the same asset on every machine. Flags go in
		// through GOFLAGS because GoBuildFlags adds a warning to the stack.
		Bundling: &awscdklambdagoalpha.BundlingOptions{
			Environment: &map[string]*string{
				"GOFLAGS": jsii.String("-trimpath -buildvcs=false -ldflags=-s -tags=lambda.norpc"),
			},
		},
	})
}

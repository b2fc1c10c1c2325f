package replicatedtable

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// sourceReconcileActions and targetReconcileActions are the actions of the function on the
// tables. It describes a table to choose the number of its segments. INSERT statements put what
// is missing, and transactions the rest, with a check of the source item; the permissions of a
// transaction are those of its parts. Source: Amazon DynamoDB Developer Guide, "Using IAM with
// DynamoDB transactions".
var (
	scanActions            = []string{"dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"}
	sourceReconcileActions = append([]string{"dynamodb:ConditionCheckItem"}, scanActions...)
	targetReconcileActions = append([]string{
		"dynamodb:DeleteItem", "dynamodb:PartiQLInsert", "dynamodb:PutItem",
	}, scanActions...)
)

// newPolicy allows what the function does with the tables that there are.
func (r *reconciler) newPolicy() awsiam.PolicyDocument {
	t := r.table
	statements := slices.Concat(
		[]awsiam.PolicyStatement{allow(t.sourceTable.TableArn(), sourceReconcileActions...)},
		r.keyActions.allow(t.sourceTable, keyReadActions),
	)
	for _, target := range t.targets {
		statements = append(statements, r.allowTarget(target.table)...)
	}
	statements = append(statements, allow(r.logGroup.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"))
	statements = append(statements, settingStatements(t.settings)...)

	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

func (r *reconciler) allowTarget(table awsdynamodb.ITable) []awsiam.PolicyStatement {
	return append(
		[]awsiam.PolicyStatement{allow(table.TableArn(), targetReconcileActions...)},
		r.keyActions.allow(table, keyWriteActions)...,
	)
}

// addTarget tells the reconciler of the table of one more target.
func (r *reconciler) addTarget(table awsdynamodb.ITable) {
	r.policy.AddStatements(r.allowTarget(table)...)
	r.function.AddEnvironment(jsii.String(spec.EnvironmentVariable),
		jsii.String(r.table.replication.variables(0)[spec.EnvironmentVariable]), nil)
}

// newFunction defines the function. Its timeout is the longest that Lambda allows.
func (r *reconciler) newFunction(props ReconcilerProps, code awslambda.Code) awslambda.Function {
	t := r.table
	variables := map[string]*string{}
	for name, value := range t.replication.reconcilerVariables(mebibytesOf(props.MemorySize)) {
		variables[name] = &value
	}

	settings := commonSettings(t.settings)
	settings.Description = jsii.String("Fills, verifies and repairs the target tables of a source table")
	settings.Code = code
	settings.MemorySize = props.MemorySize
	settings.Timeout = awscdk.Duration_Seconds(jsii.Number(timeoutRange.max))
	settings.Environment = &variables
	settings.Role = r.role
	settings.LogGroup = r.logGroup
	if t.mappingLayer != nil {
		settings.Layers = &[]awslambda.ILayerVersion{t.mappingLayer}
	}

	function := awslambda.NewFunction(r, jsii.String("Function"), settings)
	setTracing(function, t.settings.Tracing)
	return function
}

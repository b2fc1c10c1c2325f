package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newFunction defines the function that runs the replicator. CDK makes it wait
// for the role and every policy attached to the role.
func newFunction(t *replicatedTable, props ReplicatedTableProps, code functionCode, mapping spec.Spec) awscdklambdagoalpha.GoFunction {
	mebibytes := 0 // a token's value is only known at deployment
	if memory := known(props.MemorySize); memory != nil {
		mebibytes = int(*memory)
	}
	variables := environment(mapping, mebibytes)
	return awscdklambdagoalpha.NewGoFunction(t, jsii.String("Function"), &awscdklambdagoalpha.GoFunctionProps{
		Description:  jsii.String("Applies the changes of a source table to its target table"),
		Entry:        jsii.String(code.entry),
		ModuleDir:    jsii.String(code.moduleFile),
		Bundling:     code.bundling(),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: props.Architecture,
		MemorySize:   props.MemorySize,
		Timeout:      props.Timeout,
		Environment:  &variables,
		Role:         t.role,
		LogGroup:     t.logGroup,
	})
}

// environment is the function's whole environment.
func environment(mapping spec.Spec, mebibytes int) map[string]*string {
	variables := map[string]*string{}
	for name, value := range mapping.Environment(mebibytes) {
		variables[name] = &value
	}
	return variables
}

func newLogGroup(t *replicatedTable, props ReplicatedTableProps) awslogs.LogGroup {
	return awslogs.NewLogGroup(t, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		Retention:     props.LogRetention,
		RemovalPolicy: props.RemovalPolicy,
	})
}

// newRole defines what the function may do, and the event source mapping on its
// behalf. The policy is part of the role, so nothing can use one without the
// other. CDK's grant methods would allow more than is used.
func newRole(t *replicatedTable, target spec.Target) awsiam.Role {
	return awsiam.NewRole(t, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"Replicate": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
				Statements: &[]awsiam.PolicyStatement{
					// The event source mapping reads the stream with the four actions that
					// Lambda's guide lists. ListStreams takes no resource, so here it allows
					// nothing; TableV2's own grant has it too. Sources: AWS Lambda Developer
					// Guide, "Using AWS Lambda with Amazon DynamoDB", execution role
					// permissions; Service Authorization Reference, DynamoDB.
					allow(t.sourceTable.TableStreamArn(), "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
					allow(t.targetTable.TableArn(), targetActions(target)...),
					allow(t.failureQueue.QueueArn(), "sqs:SendMessage"),
					allow(t.logGroup.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"),
				},
			}),
		},
	})
}

// targetActions are the requests the function sends to the target table. A batch
// takes no conditions, so a guarded write is a request of its own.
func targetActions(target spec.Target) []string {
	if target.VersionAttribute == "" {
		return []string{"dynamodb:BatchWriteItem"}
	}
	return []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}
}

func allow(resource *string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	})
}

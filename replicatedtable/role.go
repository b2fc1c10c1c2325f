package replicatedtable

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newRole defines the permissions of the function, and of the event source mapping
// on its behalf. The policy is part of the role, so nothing can use one without the
// other. A role of the caller gets it as a policy of its own, for which newFunction waits.
func newRole(t *replicatedTable, props ReplicatedTableProps) awsiam.IRole {
	if props.Role != nil {
		t.rolePolicy = awsiam.NewPolicy(t, jsii.String("Policy"), &awsiam.PolicyProps{Document: t.policy})
		// The role decides whether it takes the policy. The prop Roles would not ask it.
		props.Role.AttachInlinePolicy(t.rolePolicy)
		return props.Role
	}

	return awsiam.NewRole(t, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"Replicate": t.policy},
	})
}

// roleProblems says that the role of props is in another account than scope, where both are
// known. Source: AWS IAM User Guide, "Grant a user permissions to pass a role to an AWS
// service": a role of another account cannot be passed.
func roleProblems(scope constructs.Construct, props *ReplicatedTableProps) []spec.Problem {
	if props == nil || props.Role == nil {
		return nil
	}
	role, stack := toString(props.Role.PrincipalAccount()), *awscdk.Stack_Of(scope).Account()
	if !isKnown(role) || !isKnown(stack) || role == stack {
		return nil
	}

	return []spec.Problem{{Path: "Role", Text: fmt.Sprintf("is in the account %s, and the stack in %s: "+
		"a function has a role of its own account; import or define one there", role, stack)}}
}

// newPolicy allows what the function and the event source mapping do with one target.
// The CDK's grant methods would allow actions that nothing uses.
func newPolicy(t *replicatedTable, props ReplicatedTableProps) awsiam.PolicyDocument {
	statements := slices.Concat(
		[]awsiam.PolicyStatement{
			// The event source mapping reads the stream with the four actions that
			// Lambda's guide lists. ListStreams has no resource, so here it allows
			// nothing; TableV2's own grant lists it too. Sources: AWS Lambda Developer
			// Guide, "Using AWS Lambda with Amazon DynamoDB", execution role
			// permissions; Service Authorization Reference, DynamoDB.
			allow(t.sourceTable.TableStreamArn(), "dynamodb:DescribeStream", "dynamodb:GetRecords",
				"dynamodb:GetShardIterator", "dynamodb:ListStreams"),
		},
		t.keyActions.allow(t.sourceTable, keyReadActions),
		t.allowTarget(t.targets[0].table, *t.replication.last()),
		[]awsiam.PolicyStatement{
			allow(t.failureQueue.QueueArn(), "sqs:SendMessage"),
			allow(t.logGroup.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"),
		},
	)
	statements = append(statements, settingStatements(props)...)

	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

// settingStatements allow what a function needs for its tracing and its VPC.
func settingStatements(props ReplicatedTableProps) []awsiam.PolicyStatement {
	var statements []awsiam.PolicyStatement
	if tracingMode(props.Tracing) != "" {
		statements = append(statements, allow(jsii.String("*"), tracingActions...))
	}
	if props.Vpc != nil {
		statements = append(statements, allow(jsii.String("*"), networkActions...))
	}

	return statements
}

// allowTarget allows the function to write to the table of a target.
func (t *replicatedTable) allowTarget(table awsdynamodb.ITable, target spec.Target) []awsiam.PolicyStatement {
	return append(
		[]awsiam.PolicyStatement{allow(table.TableArn(), targetActions(target)...)},
		t.keyActions.allow(table, keyWriteActions)...,
	)
}

// networkActions are the actions with which Lambda connects a function to a VPC, with the
// permissions of the function's role. Describing has no resources, and the interfaces do
// not exist yet. Source: AWS Lambda Developer Guide, "Giving Lambda functions access to
// resources in an Amazon VPC", required IAM permissions.
var networkActions = []string{
	"ec2:AssignPrivateIpAddresses",
	"ec2:CreateNetworkInterface",
	"ec2:DeleteNetworkInterface",
	"ec2:DescribeNetworkInterfaces",
	"ec2:DescribeSubnets",
	"ec2:UnassignPrivateIpAddresses",
}

// tracingActions are the actions with which Lambda sends traces, with the permissions of
// the function's role. They have no resources. Source: AWS Lambda Developer Guide,
// "Visualize Lambda function invocations using AWS X-Ray", execution role permissions.
var tracingActions = []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}

// roleWarnings says that a role takes no policy, with the policy that it needs.
func (t *replicatedTable) roleWarnings() []warning {
	if t.rolePolicy == nil {
		return nil
	}
	stack := awscdk.Stack_Of(t)
	resource := t.rolePolicy.Node().DefaultChild().(awsiam.CfnPolicy)
	if roles, _ := stack.Resolve(resource.Roles()).([]any); len(roles) > 0 {
		return nil
	}

	return []warning{{warningRole, fmt.Sprintf("the role %s cannot get a policy here, because it is imported "+
		"as immutable. The function and the event source mapping fail unless it has this one: %s",
		*t.role.Node().Path(), encode(stack.Resolve(t.policy)))}}
}

// targetActions are the actions of the function on the target table. Guarded writes are
// statements in PartiQL, because BatchWriteItem takes no conditions. What a statement does
// not decide is read, and put or deleted by a request of its own. Source: Amazon DynamoDB
// Developer Guide, "IAM security policies with PartiQL for DynamoDB".
func targetActions(target spec.Target) []string {
	if target.VersionAttribute == "" {
		return []string{"dynamodb:BatchWriteItem"}
	}
	return []string{
		"dynamodb:BatchGetItem",
		"dynamodb:DeleteItem",
		"dynamodb:PartiQLDelete",
		"dynamodb:PartiQLInsert",
		"dynamodb:PartiQLUpdate",
		"dynamodb:PutItem",
	}
}

func allow(resource *string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	})
}

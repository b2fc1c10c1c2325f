package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newRole defines the permissions of the function, and of the event source mapping
// on its behalf. The policy is part of the role, so nothing can use one without the
// other.
func newRole(t *replicatedTable) awsiam.Role {
	return awsiam.NewRole(t, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"Replicate": t.policy},
	})
}

// newPolicy allows what the function and the event source mapping do with one target.
// The CDK's grant methods would allow actions that nothing uses.
func newPolicy(t *replicatedTable) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{
		Statements: &[]awsiam.PolicyStatement{
			// The event source mapping reads the stream with the four actions that
			// Lambda's guide lists. ListStreams has no resource, so here it allows
			// nothing; TableV2's own grant lists it too. Sources: AWS Lambda Developer
			// Guide, "Using AWS Lambda with Amazon DynamoDB", execution role
			// permissions; Service Authorization Reference, DynamoDB.
			allow(t.sourceTable.TableStreamArn(), "dynamodb:DescribeStream", "dynamodb:GetRecords",
				"dynamodb:GetShardIterator", "dynamodb:ListStreams"),
			allow(t.target.Table().TableArn(), targetActions(*t.replication.last())...),
			allow(t.failureQueue.QueueArn(), "sqs:SendMessage"),
			allow(t.logGroup.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents"),
		},
	})
}

// targetActions are the actions of the function on the target table. A batch has no
// conditions, so each guarded write is a separate request.
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

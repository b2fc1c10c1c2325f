package replicatedtable

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

func TestAnOperatorMayDoWhatTheCommandDoesAndNoMore(t *testing.T) {
	stack := newRegionalStack(t)
	key := awskms.NewKey(stack, jsii.String("Key"), nil)
	props := uniqueProps()
	props.Target.TableProps = &awsdynamodb.TablePropsV2{Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	role := func(id string) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
	}
	auditor, operator := role("Auditor"), role("Operator")
	first := table.AddReconciler(jsii.String("First"), nil)
	table.GrantVerify(auditor)
	table.GrantReconcile(operator)
	targets := []awsdynamodb.ITable{table.Target().Table()}
	for i := range 20 { // the mapping gets so long that it is in a layer
		targets = append(targets, table.AddTarget(jsii.String("Later"+string(rune('A'+i))), wide(i)).Table())
	}
	second := table.AddReconciler(jsii.String("Second"), nil)
	tpl := synthesize(t, stack)

	function, source := getAtt(logicalID(stack, table.Function()), "Arn"), logicalID(stack, table.SourceTable())
	layer := ref(logicalID(stack, table.(*replicatedTable).mappingLayer))
	reads := []string{"BatchGetItem", "DescribeTable", "Scan"}
	common := append(on(t, function, "lambda", "GetFunctionConfiguration"), on(t, "*", "lambda", "ListEventSourceMappings")...)
	common = append(common, on(t, layer, "lambda", "GetLayerVersion")...)
	common = append(common, on(t, getAtt(source, "Arn"), "dynamodb", reads...)...)
	for _, target := range targets {
		common = append(common, on(t, getAtt(logicalID(stack, target), "Arn"), "dynamodb", reads...)...)
	}
	keyArn := getAtt(logicalID(stack, key), "Arn")

	t.Run("GrantVerify", func(t *testing.T) {
		wantPermissions(t, tpl.permissions(t, logicalID(stack, auditor)), common, on(t, keyArn, "kms", "Decrypt"))
	})

	t.Run("GrantReconcile", func(t *testing.T) {
		var writes []string
		for _, target := range targets {
			arn := getAtt(logicalID(stack, target), "Arn")
			writes = append(writes, on(t, arn, "dynamodb", "DeleteItem", "PartiQLInsert", "PutItem")...)
		}
		messages := []string{"ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage"}
		var executions []string
		for _, r := range []Reconciler{first, second} {
			machine := logicalID(stack, r.StateMachine())
			below := func(resource, state string) any {
				return map[string]any{"Fn::Join": []any{"", []any{
					"arn:", ref("AWS::Partition"), ":states:eu-west-1:123456789012:" + resource + ":", getAtt(machine, "Name"), state + ":*",
				}}}
			}
			executions = slices.Concat(executions,
				on(t, ref(machine), "states", "StartExecution"),
				on(t, below("execution", ""), "states", "DescribeExecution", "ListMapRuns", "RedriveExecution", "StopExecution"),
				on(t, below("mapRun", "/Segments"), "states", "DescribeMapRun"))
		}
		wantPermissions(t, tpl.permissions(t, logicalID(stack, operator)), common, writes, executions,
			on(t, keyArn, "kms", "Decrypt", "Encrypt", "GenerateDataKey*", "ReEncrypt*"),
			on(t, getAtt(source, "Arn"), "dynamodb", "ConditionCheckItem"),
			on(t, getAtt(source, "StreamArn"), "dynamodb", "DescribeStream", "GetRecords", "GetShardIterator"),
			on(t, getAtt(logicalID(stack, table.FailureQueue()), "Arn"), "sqs", append(messages, "SendMessage")...),
			on(t, getAtt(logicalID(stack, table.FailureDeadLetterQueue()), "Arn"), "sqs", append(messages, "GetQueueUrl")...),
		)
	})
}

func TestAnOperatorHasAPolicyInTheTablesAccount(t *testing.T) {
	stack := newRegionalStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	for _, tt := range []struct {
		name    string
		grantee awsiam.IGrantable
		want    string
	}{
		{"nil", nil, "was called with nil: pass a grantee"},
		{"an account", awsiam.NewAccountPrincipal("210987654321"), "was called with a grantee that has no policy of its own"},
		{"a service", awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil),
			"was called with a grantee that has no policy of its own"},
		{"a role of another account", awsiam.Role_FromRoleArn(stack, jsii.String("Foreign"),
			jsii.String("arn:aws:iam::210987654321:role/operator"), nil), "was called with a grantee that has no policy of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := panicOf(func() { table.GrantReconcile(tt.grantee) })
			if want := "Regional/Users: GrantReconcile " + tt.want; !strings.HasPrefix(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

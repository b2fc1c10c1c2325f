package replicatedtable

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// operatorAccess is what an operator may do with the parts of a table, besides reading the
// function's configuration.
type operatorAccess struct {
	source, target access
	// The actions on the source table's stream, the failure queue and its dead-letter queue.
	stream, queue, deadLetterQueue []string
	// executes says whether the operator starts executions of the reconcilers.
	executes bool
}

var (
	verifying   = operatorAccess{source: access{scanActions, keyReadActions}, target: access{scanActions, keyReadActions}}
	reconciling = operatorAccess{
		source: access{sourceReconcileActions, keyReadActions},
		target: access{targetReconcileActions, keyWriteActions},
		stream: []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		// Messages that stay become visible again. One that would be moved to the dead-letter queue
		// is sent again instead, as it is; that queue is found by its name.
		queue: []string{
			"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
		},
		deadLetterQueue: []string{
			"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
		},
		executes: true,
	}
)

// operator is a principal that runs the command.
type operator struct {
	grantee awsiam.IGrantable
	operatorAccess
}

func (t *replicatedTable) GrantVerify(grantee awsiam.IGrantable) awsiam.Grant {
	return t.grantOperator("GrantVerify", grantee, verifying)
}

func (t *replicatedTable) GrantReconcile(grantee awsiam.IGrantable) awsiam.Grant {
	return t.grantOperator("GrantReconcile", grantee, reconciling)
}

func (t *replicatedTable) grantOperator(method string, grantee awsiam.IGrantable, a operatorAccess) awsiam.Grant {
	refuseGrant(t.Node().Path(), method, operatorProblem(t, grantee))

	o := operator{grantee, a}
	// The list of event source mappings has no resources. Source: Service Authorization
	// Reference, AWS Lambda.
	granted := o.allow(t.function.FunctionArn(), "lambda:GetFunctionConfiguration")
	granted = granted.Combine(o.allow(jsii.String("*"), "lambda:ListEventSourceMappings"))
	granted = granted.Combine(o.grantTable(t.sourceTable, a.source))
	for _, target := range t.targets {
		granted = granted.Combine(o.grantTable(target.table, a.target))
	}
	if t.mappingLayer != nil {
		granted = granted.Combine(o.grantLayer(t))
	}
	if len(a.stream) > 0 {
		granted = granted.Combine(o.allow(t.sourceTable.TableStreamArn(), a.stream...))
	}
	if len(a.queue) > 0 {
		granted = granted.Combine(o.allow(t.failureQueue.QueueArn(), a.queue...))
		granted = granted.Combine(o.allow(t.failureDeadLetterQueue.QueueArn(), a.deadLetterQueue...))
	}
	for _, r := range t.reconcilers {
		granted = granted.Combine(o.grantReconciler(r))
	}
	t.operators = append(t.operators, o)

	return granted
}

// operatorProblem says why the grantee cannot run the command: it reads a function and queues of
// the stack's account, which have no policies for others.
func operatorProblem(t *replicatedTable, grantee awsiam.IGrantable) string {
	if grantee == nil {
		return "was called with nil: pass a grantee"
	}
	account, own := toString(grantee.GrantPrincipal().PrincipalAccount()), *awscdk.Stack_Of(t).Account()
	if !hasOwnPolicy(grantee) || isKnown(account) && isKnown(own) && account != own {
		return "was called with a grantee that has no policy of its own in the table's account: " +
			"grant to a role, user or group of that account"
	}
	return ""
}

func (o operator) allow(resource *string, actions ...string) awsiam.Grant {
	return awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee: o.grantee, Actions: jsii.Strings(actions...), ResourceArns: &[]*string{resource},
	})
}

// grantTable allows the operator an access to a table, and to its customer key.
func (o operator) grantTable(table awsdynamodb.ITable, a access) awsiam.Grant {
	granted := o.allow(table.TableArn(), slices.Sorted(slices.Values(a.table))...)
	if key := table.EncryptionKey(); key != nil {
		return granted.Combine(grantKey(table, key, o.grantee, a.key))
	}
	return granted
}

// grantReconciler allows the operator to start executions, to watch them, and to stop and redrive
// them, if the operator executes. Source of the resources: Service Authorization Reference, AWS Step
// Functions.
func (o operator) grantReconciler(r *reconciler) awsiam.Grant {
	if !o.executes {
		return awsiam.Grant_Drop(o.grantee, jsii.String("the operator starts no executions"))
	}
	return o.allow(r.stateMachine.StateMachineArn(), "states:StartExecution").
		Combine(o.allow(arnBelow(r.stateMachine, "execution", ""),
			"states:DescribeExecution", "states:ListMapRuns", "states:RedriveExecution", "states:StopExecution")).
		Combine(o.allow(arnBelow(r.stateMachine, "mapRun", "/"+segmentsLabel), "states:DescribeMapRun"))
}

// grantLayer allows the operator to read the layer with the mapping.
func (o operator) grantLayer(t *replicatedTable) awsiam.Grant {
	return o.allow(t.mappingLayer.LayerVersionArn(), "lambda:GetLayerVersion")
}

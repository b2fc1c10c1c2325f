package replicatedtable

import (
	"cmp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// readActions are the actions that read a table. None writes, and none concerns
// the stream. Source: Service Authorization Reference, "Actions,
// resources, and condition keys for Amazon DynamoDB".
var readActions = []string{
	"dynamodb:BatchGetItem",
	"dynamodb:ConditionCheckItem",
	"dynamodb:DescribeTable",
	"dynamodb:GetItem",
	"dynamodb:Query",
	"dynamodb:Scan",
}

// writeActions are the actions that write items. Same source.
var writeActions = []string{
	"dynamodb:BatchWriteItem",
	"dynamodb:DeleteItem",
	"dynamodb:PutItem",
	"dynamodb:UpdateItem",
}

// access is what a grant allows on a table, and on the customer key of the table.
type access struct{ table, key []string }

var (
	reading           = access{readActions, keyReadActions}
	writing           = access{writeActions, keyWriteActions}
	readingAndWriting = access{slices.Concat(readActions, writeActions), keyWriteActions}
)

// grant allows grantee an access to table and to its indexes, and panics when no policy
// could. The panic names the construct at path and the method.
//
// TableV2's own Grant would name the table in the table's policy, a circle that
// CloudFormation refuses, and would omit indexes that are added later. TableGrants
// writes "*", which in a table's policy means the table with its indexes, and looks
// for indexes at synthesis. It does nothing to an imported table, and does not say so.
func grant(
	path *string, method string, table awsdynamodb.ITable, grantee awsiam.IGrantable, a access,
) awsiam.Grant {
	refuseGrant(path, method, grantProblem(table, grantee))
	granted := awsdynamodb.TableGrants_FromTable(table, nil, nil).Actions(grantee, *jsii.Strings(a.table...)...)
	refuseGrant(path, method, lostProblem(table, grantee, granted))

	if key := table.EncryptionKey(); key != nil {
		return granted.Combine(grantKey(table, key, grantee, a.key))
	}
	return granted
}

// grantConsume allows grantee to receive and delete the messages of queue, and panics
// like grant. An imported queue has no policy that an app can write either.
func grantConsume(path *string, queue awssqs.IQueue, grantee awsiam.IGrantable) awsiam.Grant {
	const method = "GrantConsumeFailures"

	refuseGrant(path, method, cmp.Or(grantProblem(queue, grantee), stackProblem(queue, grantee)))
	granted := queue.GrantConsumeMessages(grantee)
	refuseGrant(path, method, lostProblem(queue, grantee, granted))

	return granted
}

// stackProblem says that the grantee's policy is in a stack of another account, which
// cannot refer to the queue. The CDK would find out at synthesis: it names tables for
// such stacks by itself, but not queues.
func stackProblem(queue awssqs.IQueue, grantee awsiam.IGrantable) string {
	c, ok := grantee.(constructs.IConstruct)
	if !ok || !isDefined(queue) || sameAccount(*awscdk.Stack_Of(c).Account(), *queue.Env().Account) {
		return ""
	}
	return "was called with " + *c.Node().Path() + ", of a stack of another account: " +
		"import the role with Role_FromRoleArn in the queue's stack, and allow it the same in its own account"
}

// refuseGrant panics when there is a problem.
func refuseGrant(path *string, method, problem string) {
	if problem != "" {
		panic(message(*path, []spec.Problem{{Path: method, Text: problem}}))
	}
}

// grantProblem says why neither the grantee's policy nor the resource's could hold the
// permission. Services are not its concern: TableGrants refuses them itself.
func grantProblem(resource awscdk.IResource, grantee awsiam.IGrantable) string {
	if grantee == nil {
		return "was called with nil: pass a grantee"
	}

	// A group has no policy in another account, and no policy can name it. Source:
	// AWS IAM User Guide, "AWS JSON policy elements: Principal".
	if group, ok := grantee.(awsiam.IGroup); ok && !sameAccount(*group.PrincipalAccount(), *resource.Env().Account) {
		return "was called with " + *group.Node().Path() + ", a group of another account: " +
			"grant to a role there, or import a group of the same account with Group_FromGroupName"
	}

	// DynamoDB refuses a policy that is open to everybody, and a queue of failures is
	// nothing for everybody either. Source: Amazon DynamoDB Developer Guide, "Blocking
	// public access with resource-based policies".
	if who := grantee.GrantPrincipal().PolicyFragment(); len(*who.Conditions()) == 0 {
		for _, names := range *who.PrincipalJson() {
			if slices.ContainsFunc(*names, func(name *string) bool { return *name == "*" }) {
				return `was called with "*", which is everybody: ` +
					"grant to accounts, roles or users, or to an organization"
			}
		}
	}

	if !isDefined(resource) && !hasOwnPolicy(grantee) {
		return noPolicy(resource)
	}

	return ""
}

// hasOwnPolicy reports whether the app can write a policy of the grantee. It cannot for
// what is only a principal, nor for a role or user that was imported from another account
// than that of its stack.
func hasOwnPolicy(grantee awsiam.IGrantable) bool {
	c, ok := grantee.(constructs.IConstruct)
	if !ok {
		return false
	}
	principal, stack := toString(grantee.GrantPrincipal().PrincipalAccount()), *awscdk.Stack_Of(c).Account()
	return !isKnown(principal) || !isKnown(stack) || principal == stack
}

// lostProblem says that a grant on an imported resource is in no policy: the grantee has
// one, but wants grants to be in those of the resources. Then nothing has changed.
func lostProblem(resource awscdk.IResource, grantee awsiam.IGrantable, granted awsiam.Grant) string {
	account := toString(grantee.GrantPrincipal().PrincipalAccount())
	if isDefined(resource) || granted.PrincipalStatement() != nil || !sameAccount(account, *resource.Env().Account) {
		return ""
	}
	return noPolicy(resource)
}

func noPolicy(resource awscdk.IResource) string {
	return "was called with a grantee that has no policy of its own, and the policy of the imported " +
		*resource.Node().Path() + " cannot be written here: grant to a role or user of this app, " +
		"or make the grant where the table or queue is defined"
}

// isDefined reports whether the app defines a table, queue or key, and so its policy.
func isDefined(resource awscdk.IResource) bool { return resource.Node().DefaultChild() != nil }

// sameAccount compares accounts as the CDK does: two that only deployment knows are
// the same, and one that only deployment knows differs from every known one.
func sameAccount(a, b string) bool { return a == b || isToken(a) && isToken(b) }

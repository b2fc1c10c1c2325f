package replicatedtable

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
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

// grant allows grantee the actions on table and on its indexes, and panics when no
// policy could. The panic names the construct at path and the method.
//
// TableV2's own Grant would name the table in the table's policy, a circle that
// CloudFormation refuses, and would omit indexes that are added later. TableGrants
// writes "*", which in a table's policy means the table with its indexes, and looks
// for indexes at synthesis.
func grant(
	path *string, method string, table awsdynamodb.ITable, grantee awsiam.IGrantable, actions []string,
) awsiam.Grant {
	if problem := grantProblem(table, grantee); problem != "" {
		panic(message(*path, []spec.Problem{{Path: method, Text: problem}}))
	}
	return awsdynamodb.TableGrants_FromTable(table, nil, nil).Actions(grantee, *jsii.Strings(actions...)...)
}

// grantProblem says why neither the grantee's policy nor the table's could hold the
// permission. Services are not its concern: TableGrants refuses them itself.
func grantProblem(table awsdynamodb.ITable, grantee awsiam.IGrantable) string {
	if grantee == nil {
		return "was called with nil: pass a grantee"
	}

	// A group has no policy in another account, and no policy can name it. Source:
	// AWS IAM User Guide, "AWS JSON policy elements: Principal".
	if group, ok := grantee.(awsiam.IGroup); ok && !sameAccount(*group.PrincipalAccount(), *table.Env().Account) {
		return "was called with " + *group.Node().Path() + ", a group of another account: " +
			"grant to a role there, or import a group of the table's account with Group_FromGroupName"
	}

	// DynamoDB refuses a policy that is open to everybody. Source: Amazon DynamoDB
	// Developer Guide, "Blocking public access with resource-based policies".
	if who := grantee.GrantPrincipal().PolicyFragment(); len(*who.Conditions()) == 0 {
		for _, names := range *who.PrincipalJson() {
			if slices.ContainsFunc(*names, func(name *string) bool { return *name == "*" }) {
				return `was called with "*", which is everybody: ` +
					"grant to accounts, roles or users, or to an organization"
			}
		}
	}

	return ""
}

// sameAccount compares accounts as the CDK does: two that only deployment knows are
// the same, and one that only deployment knows differs from every known one.
func sameAccount(a, b string) bool { return a == b || isToken(a) && isToken(b) }

package replicatedtable

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

func TestGrantsAllowExactlyTheirActionsOnOneTable(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	role := func(id string) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
	}
	reader, writer := role("Reader"), role("Writer")
	table.Target().GrantReadData(reader)
	table.GrantReadWriteSource(writer)

	tpl := synthesize(t, stack)
	for _, tt := range []struct {
		name    string
		why     string
		grantee awsiam.Role
		table   constructs.IConstruct
		actions []string
	}{
		{"GrantReadData", "a reader of the target must not write to it", reader, table.Target().Table(), []string{
			"BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query", "Scan",
		}},
		{"GrantReadWriteSource", "the application owns the source table", writer, table.SourceTable(), []string{
			"BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable",
			"GetItem", "PutItem", "Query", "Scan", "UpdateItem",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, action := range tt.actions {
				want = append(want, "dynamodb:"+action+" on "+toJSON(t, getAtt(logicalID(stack, tt.table), "Arn")))
			}
			if got := tpl.permissions(t, logicalID(stack, tt.grantee)); !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestAGrantCanBeDeployedForEveryKindOfGrantee(t *testing.T) {
	const never, before, after = "no index", "index before the grant", "index after the grant"
	for _, tt := range grantees {
		for _, indexed := range []string{never, before, after} {
			t.Run(tt.name+", "+indexed, func(t *testing.T) {
				stack := newStack(t)
				if !tt.agnostic {
					stack = stackBeside(stack, ownAccount)
				}
				table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
				grantee := tt.in(stack)
				if indexed == before {
					addIndexes(table)
				}
				table.Target().GrantReadData(grantee)
				table.GrantReadWriteSource(grantee)
				if indexed == after {
					addIndexes(table)
				}

				tpl := decodeAsItIs(t, stack)
				if ids := tpl.selfReferences(); len(ids) > 0 {
					t.Errorf("CloudFormation refuses %v, which refer to themselves", ids)
				}

				var own []string
				for _, granted := range []struct {
					table   constructs.IConstruct
					actions []string
				}{
					{table.Target().Table(), readActions},
					{table.SourceTable(), slices.Concat(readActions, writeActions)},
				} {
					id := logicalID(stack, granted.table)
					own = append(own, onTable(t, id, indexed != never, granted.actions)...)
					tpl.Resources[id].wantTablePolicy(t, tt.why, granted.actions, tt.principal, tt.condition)
				}
				slices.Sort(own)
				if tt.attached == "" {
					own = nil
				}

				if got := allowedBy(t, tpl.policies(t, tt.attached)); !slices.Equal(got, own) {
					t.Errorf("%s\nthe grantee's policies allow\n%s\nwant\n%s",
						tt.why, strings.Join(got, "\n"), strings.Join(own, "\n"))
				}
			})
		}
	}
}

func addIndexes(table ReplicatedTable) {
	for _, t := range []awsdynamodb.ITable{table.SourceTable(), table.Target().Table()} {
		t.(awsdynamodb.TableV2).AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexPropsV2{
			IndexName: jsii.String("byName"), PartitionKey: str("name"),
		})
	}
}

// selfReferences lists the resources whose own properties refer to them, which
// CloudFormation refuses as a circular dependency.
func (tpl template) selfReferences() []string {
	var ids []string
	for id, r := range tpl.Resources {
		if refersTo(r.Properties, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// refersTo looks for id in every Ref and Fn::GetAtt within v.
func refersTo(v any, id string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return refersTo(element, id) })
	case map[string]any:
		if v["Ref"] == id {
			return true
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok && attribute[0] == id {
			return true
		}
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(member any) bool {
			return refersTo(member, id)
		})
	default:
		return false
	}
}

func TestAGrantThatNoPolicyCanHoldIsRefused(t *testing.T) {
	const (
		noGroup = ", a group of another account: grant to a role there, " +
			"or import a group of the same account with Group_FromGroupName"
		noStar = ` was called with "*", which is everybody: grant to accounts, roles or users, or to an organization`
		// The CDK says these, without the path.
		noService = "DynamoDB grant* methods do not support ServicePrincipal grantees"
		noRole    = "resource imported without a role"
	)
	group := "arn:aws:iam::" + ownAccount + ":group/readers"

	for _, tt := range []struct {
		name, why string
		in        func(stack awscdk.Stack) awsiam.IGrantable
		says      string
	}{
		{
			"nil", "there is no grantee",
			func(awscdk.Stack) awsiam.IGrantable { return nil },
			" was called with nil: pass a grantee",
		},
		{
			"service", "DynamoDB's policies name no services but those that need it, under conditions",
			func(awscdk.Stack) awsiam.IGrantable {
				return awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil)
			},
			noService,
		},
		{
			"composite with a service", "a part of it is a service",
			func(awscdk.Stack) awsiam.IGrantable {
				service := awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil)
				return awsiam.NewCompositePrincipal(awsiam.NewAccountRootPrincipal(), service)
			},
			noService,
		},
		{
			"function imported without its role", "the grantee is not known",
			func(stack awscdk.Stack) awsiam.IGrantable {
				return awslambda.Function_FromFunctionName(stack, jsii.String("Grantee"), jsii.String("reader"))
			},
			noRole,
		},
		{
			"everybody", "DynamoDB blocks public access",
			func(awscdk.Stack) awsiam.IGrantable { return awsiam.NewAnyPrincipal() }, noStar,
		},
		{
			"star", "DynamoDB blocks public access in this notation too",
			func(awscdk.Stack) awsiam.IGrantable { return awsiam.NewStarPrincipal() }, noStar,
		},
		{
			"composite with everybody", "the others make no difference",
			func(awscdk.Stack) awsiam.IGrantable {
				return awsiam.NewCompositePrincipal(awsiam.NewAccountRootPrincipal(), awsiam.NewAnyPrincipal())
			},
			noStar,
		},
		{
			"group that may be of another account", "its ARN has an account, and the stack's is not known yet",
			func(stack awscdk.Stack) awsiam.IGrantable {
				return awsiam.Group_FromGroupArn(stack, jsii.String("Grantee"), &group)
			},
			" was called with App/Grantee" + noGroup,
		},
		{
			"group of another account's stack", "its policy is in the other account",
			func(stack awscdk.Stack) awsiam.IGrantable {
				return awsiam.NewGroup(stackBeside(stack, otherAccount), jsii.String("Grantee"), nil)
			},
			" was called with In" + otherAccount + "/Grantee" + noGroup,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
			grantee := tt.in(stack)
			for method, grant := range map[string]func(awsiam.IGrantable) awsiam.Grant{
				"/Target: GrantReadData": table.Target().GrantReadData, ": GrantReadWriteSource": table.GrantReadWriteSource,
			} {
				want := tt.says
				if strings.HasPrefix(want, " ") { // not a text of the CDK
					want = "App/Users" + method + want
				}
				if got := panicOf(func() { grant(grantee) }); !strings.Contains(got, want) {
					t.Errorf("%s: %s\ngot  %s\nwant %s", tt.why, method, got, want)
				}
			}
			if strings.HasPrefix(tt.says, " ") {
				want := "App/Users: GrantConsumeFailures" + tt.says
				if got := panicOf(func() { table.GrantConsumeFailures(grantee) }); got != want {
					t.Errorf("%s\ngot  %s\nwant %s", tt.why, got, want)
				}
			}

			tpl := decodeAsItIs(t, stack)
			for _, c := range []constructs.IConstruct{table.Target().Table(), table.SourceTable()} {
				r := tpl.Resources[logicalID(stack, c)]
				r.wantTablePolicy(t, "a refused grant changes nothing", nil, nil, nil)
			}
			if documents := tpl.policies(t, ""); len(documents) > 0 {
				t.Errorf("a refused grant is in the policies %s", toJSON(t, documents))
			}
		})
	}
}

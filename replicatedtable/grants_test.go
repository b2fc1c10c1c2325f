package replicatedtable

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	ownAccount   = "111111111111"
	otherAccount = "222222222222"
)

// stackBeside returns a stack of an account in the app of another stack.
func stackBeside(stack awscdk.Stack, account string) awscdk.Stack {
	return awscdk.NewStack(awscdk.Stage_Of(stack), jsii.String("In"+account), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: &account, Region: jsii.String("eu-central-1")},
	})
}

// arn is that of something in IAM, in the partition that only deployment knows.
func arn(account, name string) any {
	return map[string]any{"Fn::Join": []any{"", []any{"arn:", ref("AWS::Partition"), ":iam::" + account + ":" + name}}}
}

func aws(principals any) any { return map[string]any{"AWS": principals} }

// grantees has one of each kind that can be granted to, with where the grant goes:
// into a policy of the grantee's own, the table's policy, or both.
var grantees = []struct {
	name, why string
	in        func(stack awscdk.Stack) awsiam.IGrantable
	// agnostic is for a stack whose account only deployment knows.
	agnostic bool
	// attached is the property of the own policy that names the grantee.
	attached string
	// principal and condition are those of the table's policy.
	principal, condition any
}{
	{
		name: "role", why: "a role of the stack has a policy of its own", attached: "Roles",
		in: func(stack awscdk.Stack) awsiam.IGrantable { return newRoleOf(stack, nil) },
	},
	{
		name: "role, account not known yet", why: "it is the same account all the same",
		attached: "Roles", agnostic: true,
		in: func(stack awscdk.Stack) awsiam.IGrantable { return newRoleOf(stack, nil) },
	},
	{
		name: "lazy role", why: "it becomes a role with the grant", attached: "Roles",
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewLazyRole(stack, jsii.String("Grantee"), &awsiam.LazyRoleProps{
				AssumedBy: awsiam.NewAccountRootPrincipal(),
			})
		},
	},
	{
		name: "function", why: "its role is the grantee", attached: "Roles",
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return awslambda.NewFunction(stack, jsii.String("Grantee"), &awslambda.FunctionProps{
				Runtime: awslambda.Runtime_NODEJS_22_X(), Handler: jsii.String("index.handler"),
				Code: awslambda.Code_FromInline(jsii.String("exports.handler = () => {}")),
			})
		},
	},
	{
		name: "user", why: "a user of the stack has a policy of its own", attached: "Users",
		in: func(stack awscdk.Stack) awsiam.IGrantable { return awsiam.NewUser(stack, jsii.String("Grantee"), nil) },
	},
	{
		name: "group", why: "a group is granted to by its own policy only", attached: "Groups",
		in: func(stack awscdk.Stack) awsiam.IGrantable { return awsiam.NewGroup(stack, jsii.String("Grantee"), nil) },
	},
	{
		name: "imported group, account not known yet", why: "a group known by its name is one of the table's account",
		attached: "Groups", agnostic: true,
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return awsiam.Group_FromGroupName(stack, jsii.String("Grantee"), jsii.String("readers"))
		},
	},
	{
		name: "group whose ARN a parameter gives", why: "two accounts that are not known yet count as one",
		attached: "Groups", agnostic: true,
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			arn := awscdk.NewCfnParameter(stack, jsii.String("Group"), nil).ValueAsString()
			return awsiam.Group_FromGroupArn(stack, jsii.String("Grantee"), arn)
		},
	},
	{
		name: "imported role of the account", why: "the stack adds a policy to it", attached: "Roles",
		in: func(stack awscdk.Stack) awsiam.IGrantable { return importedRole(stack, ownAccount, nil) },
	},
	{
		name: "imported role, account not known yet", why: "it may be another one, which only the table's policy can allow",
		attached: "Roles", agnostic: true, principal: aws("arn:aws:iam::" + ownAccount + ":role/reader"),
		in: func(stack awscdk.Stack) awsiam.IGrantable { return importedRole(stack, ownAccount, nil) },
	},
	{
		name: "imported role that stays as it is", why: "its owner asked for grants on the resources",
		principal: aws("arn:aws:iam::" + ownAccount + ":role/reader"),
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return importedRole(stack, ownAccount, &awsiam.FromRoleArnOptions{
				Mutable: jsii.Bool(false), AddGrantsToResources: jsii.Bool(true),
			})
		},
	},
	{
		name: "imported role of another account", why: "no stack of this account can change it",
		principal: aws("arn:aws:iam::" + otherAccount + ":role/reader"),
		in:        func(stack awscdk.Stack) awsiam.IGrantable { return importedRole(stack, otherAccount, nil) },
	},
	{
		name: "role of another account's stack", why: "its own policy is in that stack",
		principal: aws(arn(otherAccount, "role/reader")),
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return newRoleOf(stackBeside(stack, otherAccount), jsii.String("reader"))
		},
	},
	{
		name: "account", why: "an account has no policy", principal: aws(arn(otherAccount, "root")),
		in: func(awscdk.Stack) awsiam.IGrantable { return awsiam.NewAccountPrincipal(jsii.String(otherAccount)) },
	},
	{
		name: "own account", why: "neither has the own one", principal: aws(arn(ownAccount, "root")),
		in: func(awscdk.Stack) awsiam.IGrantable { return awsiam.NewAccountRootPrincipal() },
	},
	{
		name: "account that a parameter gives", why: "it is another one as far as synthesis knows",
		principal: aws(map[string]any{
			"Fn::Join": []any{"", []any{"arn:", ref("AWS::Partition"), ":iam::", ref("Account"), ":root"}},
		}),
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewAccountPrincipal(awscdk.NewCfnParameter(stack, jsii.String("Account"), nil).ValueAsString())
		},
	},
	{
		name: "account with a condition", why: "the condition goes with it",
		principal: aws(arn(otherAccount, "root")),
		condition: map[string]any{"Bool": map[string]any{"aws:SecureTransport": "true"}},
		in: func(awscdk.Stack) awsiam.IGrantable {
			account := awsiam.NewAccountPrincipal(jsii.String(otherAccount))
			return awsiam.NewPrincipalWithConditions(account, &map[string]any{
				"Bool": map[string]any{"aws:SecureTransport": "true"},
			})
		},
	},
	{
		name: "ARN", why: "what is known by its ARN alone has no policy in the stack",
		principal: aws("arn:aws:iam::" + ownAccount + ":user/john"),
		in: func(awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewArnPrincipal(jsii.String("arn:aws:iam::" + ownAccount + ":user/john"))
		},
	},
	{
		name: "organization", why: "DynamoDB accepts everybody with the organization for a condition",
		principal: aws("*"),
		condition: map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": "o-1234567890"}},
		in: func(awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewOrganizationPrincipal(jsii.String("o-1234567890"))
		},
	},
	{
		name: "composite", why: "all its parts are named",
		principal: aws([]any{arn(ownAccount, "root"), arn(otherAccount, "root")}),
		in: func(awscdk.Stack) awsiam.IGrantable {
			other := awsiam.NewAccountPrincipal(jsii.String(otherAccount))
			return awsiam.NewCompositePrincipal(awsiam.NewAccountRootPrincipal(), other)
		},
	},
}

func newRoleOf(stack awscdk.Stack, name *string) awsiam.Role {
	return awsiam.NewRole(stack, jsii.String("Grantee"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewAccountRootPrincipal(), RoleName: name,
	})
}

func importedRole(stack awscdk.Stack, account string, options *awsiam.FromRoleArnOptions) awsiam.IRole {
	arn := "arn:aws:iam::" + account + ":role/reader"
	return awsiam.Role_FromRoleArn(stack, jsii.String("Grantee"), &arn, options)
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
				table.GrantReadTarget(grantee)
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
					table   constructs.Construct
					actions []string
				}{
					{table.TargetTable(), readActions},
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
	for _, t := range []awsdynamodb.TableV2{table.SourceTable(), table.TargetTable()} {
		t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexPropsV2{
			IndexName: jsii.String("byName"), PartitionKey: str("name"),
		})
	}
}

// decodeAsItIs returns the template without the CDK's own search for circles, which
// ends with the first.
func decodeAsItIs(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	return decode(t, assertions.Template_FromStack(stack, &assertions.TemplateParsingOptions{
		SkipCyclicalDependenciesCheck: jsii.Bool(true),
	}))
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
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(member any) bool { return refersTo(member, id) })
	default:
		return false
	}
}

// onTable lists "action on resource" for a table and, if it is indexed, for its
// indexes.
func onTable(t *testing.T, id string, indexed bool, actions []string) []string {
	t.Helper()
	table := getAtt(id, "Arn")
	resources := []any{table}
	if indexed {
		resources = append(resources, map[string]any{"Fn::Join": []any{"", []any{table, "/index/*"}}})
	}
	var permissions []string
	for _, action := range actions {
		for _, resource := range resources {
			permissions = append(permissions, action+" on "+toJSON(t, resource))
		}
	}
	return permissions
}

// policies are the documents of the policies that are resources of their own. All
// of them have to be attached by one property, to one grantee.
func (tpl template) policies(t *testing.T, attached string) []any {
	t.Helper()
	var documents []any
	for id, r := range tpl.Resources {
		if r.Type != "AWS::IAM::Policy" {
			continue
		}
		if names, _ := r.Properties[attached].([]any); len(names) != 1 {
			t.Errorf("%s is attached to %v by %q, want one", id, names, attached)
		}
		documents = append(documents, r.Properties["PolicyDocument"])
	}
	return documents
}

// wantTablePolicy compares the policy of a table with one that allows the actions
// to a principal, or with none. What it is on is the table that has it.
func (r resource) wantTablePolicy(t *testing.T, why string, actions []string, principal, condition any) {
	t.Helper()
	var want any
	if principal != nil {
		statement := map[string]any{"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
		if condition != nil {
			statement["Condition"] = condition
		}
		want = map[string]any{"PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{statement}}}
	}
	replica := r.Properties["Replicas"].([]any)[0].(map[string]any)
	if got, want := toJSON(t, replica["ResourcePolicy"]), toJSON(t, want); got != want {
		t.Errorf("%s\nthe table's policy is\n%s\nwant\n%s", why, got, want)
	}
}

func TestAGrantThatNoPolicyCanHoldIsRefused(t *testing.T) {
	group := "arn:aws:iam::" + ownAccount + ":group/readers"
	const (
		noGroup = ", a group of another account: grant to a role there, " +
			"or import a group of the table's account with Group_FromGroupName"
		noStar = ` was called with "*", which is everybody: grant to accounts, roles or users, or to an organization`
		// The CDK says these, without the path.
		noService = "DynamoDB grant* methods do not support ServicePrincipal grantees"
		noRole    = "resource imported without a role"
	)
	for _, tt := range []struct {
		name, why string
		in        func(stack awscdk.Stack) awsiam.IGrantable
		says      string
	}{
		{
			"nothing", "there is nobody to allow it to",
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
			"function imported without its role", "whom to allow it to is not known",
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
				"GrantReadTarget": table.GrantReadTarget, "GrantReadWriteSource": table.GrantReadWriteSource,
			} {
				want := tt.says
				if strings.HasPrefix(want, " ") {
					want = "App/Users: " + method + want
				}
				if got := panicOf(func() { grant(grantee) }); !strings.Contains(got, want) {
					t.Errorf("%s: %s\ngot  %s\nwant %s", tt.why, method, got, want)
				}
			}
			tpl := decodeAsItIs(t, stack)
			for _, granted := range []constructs.Construct{table.TargetTable(), table.SourceTable()} {
				tpl.Resources[logicalID(stack, granted)].wantTablePolicy(t, "a refused grant changes nothing", nil, nil, nil)
			}
			if documents := tpl.policies(t, ""); len(documents) > 0 {
				t.Errorf("a refused grant is in the policies %s", toJSON(t, documents))
			}
		})
	}
}

// panicOf returns what f panics with, or nothing.
func panicOf(f func()) (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text = fmt.Sprint(cause)
		}
	}()
	f()
	return ""
}

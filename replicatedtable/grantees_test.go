package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

const (
	ownAccount   = "111111111111"
	otherAccount = "222222222222"
)

// stackBeside returns a stack of an account, in the app of another stack.
func stackBeside(stack awscdk.Stack, account string) awscdk.Stack {
	return awscdk.NewStack(awscdk.Stage_Of(stack), jsii.String("In"+account), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: &account, Region: jsii.String("eu-central-1")},
	})
}

// arn is the ARN of an IAM resource, in the partition that only deployment knows.
func arn(account, name string) any {
	return map[string]any{"Fn::Join": []any{"", []any{
		"arn:", ref("AWS::Partition"), ":iam::" + account + ":" + name,
	}}}
}

func aws(principals any) any { return map[string]any{"AWS": principals} }

// grantees has one grantee of each kind, and says where its permissions go: into the
// grantee's own policy, into the table's policy, or into both.
var grantees = []struct {
	name, why string
	in        func(stack awscdk.Stack) awsiam.IGrantable
	// agnostic asks for a stack whose account only deployment knows.
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
		name: "role, account not known yet", why: "the role and the table have the same account in any case",
		attached: "Roles", agnostic: true,
		in: func(stack awscdk.Stack) awsiam.IGrantable { return newRoleOf(stack, nil) },
	},
	{
		name: "lazy role", why: "the grant makes it a role", attached: "Roles",
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
		name: "group", why: "only its own policy can allow something to a group", attached: "Groups",
		in: func(stack awscdk.Stack) awsiam.IGrantable { return awsiam.NewGroup(stack, jsii.String("Grantee"), nil) },
	},
	{
		name: "imported group, account not known yet", why: "a group imported by name belongs to the table's account",
		attached: "Groups", agnostic: true,
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			return awsiam.Group_FromGroupName(stack, jsii.String("Grantee"), jsii.String("readers"))
		},
	},
	{
		name: "group whose ARN is a parameter", why: "two accounts that are not known yet count as the same",
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
		name: "imported role, account not known yet", why: "another account needs the table's policy",
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
		name: "own account", why: "nor has the account of the stack", principal: aws(arn(ownAccount, "root")),
		in: func(awscdk.Stack) awsiam.IGrantable { return awsiam.NewAccountRootPrincipal() },
	},
	{
		name: "account that is a parameter", why: "synthesis has to expect another account",
		principal: aws(map[string]any{
			"Fn::Join": []any{"", []any{"arn:", ref("AWS::Partition"), ":iam::", ref("Account"), ":root"}},
		}),
		in: func(stack awscdk.Stack) awsiam.IGrantable {
			account := awscdk.NewCfnParameter(stack, jsii.String("Account"), nil).ValueAsString()
			return awsiam.NewAccountPrincipal(account)
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
		name: "ARN", why: "the stack has no policy of a grantee that is only an ARN",
		principal: aws("arn:aws:iam::" + ownAccount + ":user/john"),
		in: func(awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewArnPrincipal(jsii.String("arn:aws:iam::" + ownAccount + ":user/john"))
		},
	},
	{
		name: "organization", why: "DynamoDB accepts everybody if the condition is an organization",
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

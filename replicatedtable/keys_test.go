package replicatedtable

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

const importedKeyARN = "arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// customerKeys has each way in which an app can know a key.
var customerKeys = []struct {
	name, why string
	in        func(stack awscdk.Stack) awskms.IKey
}{
	{"no key", "DynamoDB's own key needs no permission", func(awscdk.Stack) awskms.IKey { return nil }},
	{"key of the stack", "its policy must not refer to what refers to it", func(stack awscdk.Stack) awskms.IKey {
		return awskms.NewKey(stack, jsii.String("Key"), nil)
	}},
	{"key of another stack", "its ARN is an export", func(stack awscdk.Stack) awskms.IKey {
		other := awscdk.NewStack(awscdk.Stage_Of(stack), jsii.String("Keys"), &awscdk.StackProps{
			Env: &awscdk.Environment{Account: stack.Account(), Region: stack.Region()},
		})
		return awskms.NewKey(other, jsii.String("Key"), nil)
	}},
	{"imported key", "its policy cannot be written", func(stack awscdk.Stack) awskms.IKey {
		return awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String(importedKeyARN))
	}},
}

// keyedTables has each way in which a ReplicatedTable gets a table with a key. Each sets
// the props of the source, whose key is email, or of the target, by state and email.
var keyedTables = []struct {
	name string
	set  func(stack awscdk.Stack, id string, key awskms.IKey) (awsdynamodb.ITable, *awsdynamodb.TablePropsV2)
}{
	{"defined by the construct", func(_ awscdk.Stack, _ string, key awskms.IKey,
	) (awsdynamodb.ITable, *awsdynamodb.TablePropsV2) {
		if key == nil {
			return nil, nil
		}
		return nil, &awsdynamodb.TablePropsV2{Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)}
	}},
	{"TableV2 of the app", func(stack awscdk.Stack, id string, key awskms.IKey,
	) (awsdynamodb.ITable, *awsdynamodb.TablePropsV2) {
		props := keyedProps(id)
		if key != nil {
			props.Encryption = awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)
		}
		return awsdynamodb.NewTableV2(stack, jsii.String(id), props), nil
	}},
	{"Table of the app", func(stack awscdk.Stack, id string, key awskms.IKey,
	) (awsdynamodb.ITable, *awsdynamodb.TablePropsV2) {
		keyed := keyedProps(id)
		props := &awsdynamodb.TableProps{
			PartitionKey: keyed.PartitionKey, SortKey: keyed.SortKey, Stream: keyed.DynamoStream,
		}
		if key != nil {
			props.EncryptionKey = key
		}
		return awsdynamodb.NewTable(stack, jsii.String(id), props), nil
	}},
	{"imported", func(stack awscdk.Stack, id string, key awskms.IKey,
	) (awsdynamodb.ITable, *awsdynamodb.TablePropsV2) {
		arn := "arn:aws:dynamodb:eu-central-1:111111111111:table/" + id
		return imported(stack, id, awsdynamodb.TableAttributes{
			TableArn: &arn, TableStreamArn: jsii.String(arn + "/stream/2026"), EncryptionKey: key,
			GrantIndexPermissions: jsii.Bool(true),
		}), nil
	}},
}

func keyedProps(id string) *awsdynamodb.TablePropsV2 {
	if id == "From" {
		return &awsdynamodb.TablePropsV2{PartitionKey: str("email"), DynamoStream: bothImages}
	}
	return &awsdynamodb.TablePropsV2{PartitionKey: str("state"), SortKey: str("email")}
}

// keyReads and keyWrites are written out: the test is the second opinion on the lists.
var (
	keyReads  = []string{"kms:Decrypt"}
	keyWrites = []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
)

func TestACustomerKeyIsAllowedActionByActionAndNothingElse(t *testing.T) {
	for _, key := range customerKeys {
		for _, table := range keyedTables {
			for _, side := range []string{"source", "target", "both"} {
				t.Run(key.name+", "+side+" "+table.name, func(t *testing.T) {
					stack := stackBeside(newStack(t), ownAccount)
					customer := key.in(stack)
					props := uniqueProps()
					ofSource, ofTarget := customer, customer
					if side == "target" {
						ofSource = nil
					}
					if side == "source" {
						ofTarget = nil
					}
					props.Source.Table, props.Source.TableProps = table.set(stack, "From", ofSource)
					props.Target.Table, props.Target.TableProps = table.set(stack, "To", ofTarget)
					users := NewReplicatedTable(stack, jsii.String("Users"), props)
					roles := grantAll(stack, users)
					k := keyed{stack: stack, users: users, imported: table.name == "imported"}
					k.export(customer)

					tpl := decodeAsItIs(t, stack)
					if ids := tpl.selfReferences(); len(ids) > 0 {
						t.Errorf("%s: CloudFormation refuses %v, which refer to themselves", key.why, ids)
					}
					k.read(t)
					for role, want := range k.want(t, ofSource != nil, ofTarget != nil) {
						got := tpl.permissions(t, logicalID(stack, roles[role]))
						if !slices.Equal(got, want) {
							t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", key.why, role,
								strings.Join(got, "\n"), strings.Join(want, "\n"))
						}
					}
					// The CDK looks for circles.
					synthesize(t, stack)
				})
			}
		}
	}
}

// grantAll makes every grant of a table to a role of its own.
func grantAll(stack awscdk.Stack, users IReplicatedTable) map[string]awsiam.IRole {
	roles := map[string]awsiam.IRole{}
	for name, grant := range map[string]func(awsiam.IGrantable) awsiam.Grant{
		"GrantReadSource": users.GrantReadSource, "GrantWriteSource": users.GrantWriteSource,
		"GrantReadWriteSource": users.GrantReadWriteSource, "GrantReadData": users.Target().GrantReadData,
		"GrantConsumeFailures": users.GrantConsumeFailures,
	} {
		role := awsiam.NewRole(stack, jsii.String(name), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
		grant(role)
		roles[name] = role
	}
	if defined, ok := users.(ReplicatedTable); ok {
		roles["Role"] = defined.Role()
	}
	return roles
}

// keyed is a stack with a ReplicatedTable whose tables may have a key.
type keyed struct {
	stack    awscdk.Stack
	users    IReplicatedTable
	imported bool
	// arns are the ARNs as the stack's template has them, in JSON.
	arns map[string]string
}

// export makes the template contain the ARNs that the permissions should name.
func (k *keyed) export(key awskms.IKey) {
	output := func(id string, value *string) {
		awscdk.NewCfnOutput(k.stack, jsii.String("Is"+id), &awscdk.CfnOutputProps{Value: value})
	}
	output("Source", k.users.SourceTable().TableArn())
	output("Stream", k.users.SourceTable().TableStreamArn())
	output("Target", k.users.Target().Table().TableArn())
	output("Queue", k.users.FailureQueue().QueueArn())
	if users, ok := k.users.(ReplicatedTable); ok {
		output("Logs", users.LogGroup().LogGroupArn())
	}
	if key != nil {
		output("Key", key.KeyArn())
	}
}

func (k *keyed) read(t *testing.T) {
	t.Helper()
	k.arns = map[string]string{}
	for id, value := range outputs(t, k.stack) {
		k.arns[strings.TrimPrefix(id, "Is")] = value
	}
}

// want lists what each role should be allowed.
func (k *keyed) want(t *testing.T, sourceHasKey, targetHasKey bool) map[string][]string {
	t.Helper()

	on := func(part string, actions ...string) []string {
		var permissions []string
		for _, action := range actions {
			permissions = append(permissions, action+" on "+k.arns[part])
			if k.imported && (part == "Source" || part == "Target") && !strings.HasPrefix(action, "kms:") {
				permissions = append(permissions, action+" on "+strings.TrimSuffix(k.arns[part], `"`)+`/index/*"`)
			}
		}
		return permissions
	}
	onKey := func(hasKey bool, actions []string) []string {
		if !hasKey {
			return nil
		}
		return on("Key", actions...)
	}
	roleKey := onKey(sourceHasKey, keyReads)
	if targetHasKey {
		roleKey = on("Key", keyWrites...)
	}

	want := map[string][]string{
		"Role": slices.Concat(roleKey,
			on("Stream", "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
				"dynamodb:ListStreams"),
			[]string{"dynamodb:BatchWriteItem on " + k.arns["Target"]},
			on("Queue", "sqs:SendMessage"), on("Logs", "logs:CreateLogStream", "logs:PutLogEvents"),
		),
		"GrantReadSource":  slices.Concat(on("Source", reads...), onKey(sourceHasKey, keyReads)),
		"GrantWriteSource": slices.Concat(on("Source", writes...), onKey(sourceHasKey, keyWrites)),
		"GrantReadWriteSource": slices.Concat(on("Source", reads...), on("Source", writes...),
			onKey(sourceHasKey, keyWrites)),
		"GrantReadData": slices.Concat(on("Target", reads...), onKey(targetHasKey, keyReads)),
		"GrantConsumeFailures": on("Queue", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage",
			"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
	}
	if _, ok := k.users.(ReplicatedTable); !ok {
		delete(want, "Role")
	}
	for _, permissions := range want {
		slices.Sort(permissions)
	}

	return want
}

var (
	reads = []string{
		"dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable",
		"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
	}
	writes = []string{"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
)

func TestAnAddedTargetBringsItsKeyAndRepeatsNothing(t *testing.T) {
	stack := stackBeside(newStack(t), ownAccount)
	shared := awskms.NewKey(stack, jsii.String("Shared"), nil)
	own := awskms.NewKey(stack, jsii.String("Own"), nil)
	encrypted := func(key awskms.IKey) *awsdynamodb.TablePropsV2 {
		return &awsdynamodb.TablePropsV2{Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)}
	}
	props := uniqueProps()
	props.Source.TableProps = encrypted(shared)
	users := NewReplicatedTable(stack, jsii.String("Users"), props)
	for id, key := range map[string]awskms.IKey{"First": shared, "Second": shared, "Third": own} {
		added := uniqueProps().Target
		added.TableProps = encrypted(key)
		users.AddTarget(jsii.String(id), added)
	}

	tpl := synthesize(t, stack)
	var want, got []string
	for _, key := range []awskms.IKey{shared, own} {
		for _, action := range keyWrites {
			want = append(want, action+" on "+toJSON(t, getAtt(logicalID(stack, key), "Arn")))
		}
	}
	slices.Sort(want)
	for _, permission := range tpl.permissions(t, logicalID(stack, users.Role())) {
		if strings.HasPrefix(permission, "kms:") {
			got = append(got, permission)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAKeyKnownByItsAliasOnlyIsRefused(t *testing.T) {
	for _, table := range keyedTables {
		t.Run(table.name, func(t *testing.T) {
			stack := stackBeside(newStack(t), ownAccount)
			alias := awskms.Alias_FromAliasName(stack, jsii.String("Key"), jsii.String("alias/users"))
			props := uniqueProps()
			props.Target.Table, props.Target.TableProps = table.set(stack, "To", alias)
			before := len(*stack.Node().Children())

			got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
			for _, want := range []string{
				"/Users: Target.Table", "/Key, of which only the alias is known",
			} {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want a text with %q", got, want)
				}
			}
			if n := len(*stack.Node().Children()); n != before {
				t.Errorf("%d constructs were added", n-before)
			}
		})
	}
}

func TestAGrantReachesTheKeyForEveryKindOfGrantee(t *testing.T) {
	for _, tt := range grantees {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			if !tt.agnostic {
				stack = stackBeside(stack, ownAccount)
			}
			key := awskms.NewKey(stack, jsii.String("Key"), nil)
			props := uniqueProps()
			table := keyedTables[0]
			if tt.agnostic {
				table = keyedTables[2] // a TableV2 with a customer key needs a known Region
			}
			props.Target.Table, props.Target.TableProps = table.set(stack, "To", key)
			users := NewReplicatedTable(stack, jsii.String("Users"), props)
			users.Target().GrantReadData(tt.in(stack))

			tpl := decodeAsItIs(t, stack)
			if ids := tpl.selfReferences(); len(ids) > 0 {
				t.Errorf("CloudFormation refuses %v, which refer to themselves", ids)
			}
			var own []string
			if tt.attached != "" {
				own = []string{"kms:Decrypt on " + toJSON(t, getAtt(logicalID(stack, key), "Arn"))}
			}
			got := slices.DeleteFunc(allowedBy(t, tpl.policies(t, tt.attached)), func(permission string) bool {
				return !strings.HasPrefix(permission, "kms:")
			})
			if !slices.Equal(got, own) {
				t.Errorf("%s\nthe grantee's policies allow %v on the key, want %v", tt.why, got, own)
			}

			// The first statement lets the account's policies decide.
			document := tpl.Resources[logicalID(stack, key)].Properties["KeyPolicy"].(map[string]any)
			var want []any
			if tt.principal != nil {
				statement := map[string]any{
					"Effect": "Allow", "Principal": tt.principal, "Action": "kms:Decrypt", "Resource": "*",
				}
				if tt.condition != nil {
					statement["Condition"] = tt.condition
				}
				want = []any{statement}
			}
			rest := document["Statement"].([]any)[1:]
			if len(rest)+len(want) > 0 && toJSON(t, rest) != toJSON(t, want) {
				t.Errorf("%s\nthe key's policy has\n%s\nwant\n%s", tt.why, toJSON(t, rest), toJSON(t, want))
			}
		})
	}
}

package replicatedtable

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// importedUsers is a ReplicatedTable that another app defines, in the account of stack.
func importedUsers(stack awscdk.Stack, key awskms.IKey) IReplicatedTable {
	table := func(id string) awsdynamodb.ITable {
		arn := "arn:aws:dynamodb:eu-central-1:" + ownAccount + ":table/" + id
		return awsdynamodb.TableV2_FromTableAttributes(stack, jsii.String(id), &awsdynamodb.TableAttributesV2{
			TableArn: &arn, TableStreamArn: jsii.String(arn + "/stream/2026"), EncryptionKey: key,
			GrantIndexPermissions: jsii.Bool(true),
		})
	}
	return ReplicatedTable_FromAttributes(stack, jsii.String("Users"), &ReplicatedTableAttributes{
		SourceTable: table("users"), TargetTable: table("users-by-state"),
		FailureQueue: awssqs.Queue_FromQueueArn(stack, jsii.String("Failures"),
			jsii.String("arn:aws:sqs:eu-central-1:"+ownAccount+":failures")),
	})
}

func TestAnImportedReplicatedTableGrantsWhatADefinedOneDoes(t *testing.T) {
	for _, key := range customerKeys {
		t.Run(key.name, func(t *testing.T) {
			stack := stackBeside(newStack(t), ownAccount)
			customer := key.in(stack)
			users := importedUsers(stack, customer)
			roles := grantAll(stack, users)
			k := keyed{stack: stack, users: users, imported: true}
			k.export(customer)

			tpl := synthesize(t, stack)
			k.read(t)
			for role, want := range k.want(t, customer != nil, customer != nil) {
				got := tpl.permissions(t, logicalID(stack, roles[role]))
				if !slices.Equal(got, want) {
					t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", key.why, role,
						strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			for id, r := range tpl.Resources {
				if !strings.HasPrefix(r.Type, "AWS::IAM::") && r.Type != "AWS::KMS::Key" {
					t.Errorf("%s of type %s is defined", id, r.Type)
				}
			}
		})
	}
}

// A table or queue that another app defines has no policy that this app can write. The
// CDK's own grants say nothing then.
func TestAGrantOnWhatAnotherAppDefinesNeedsAPolicyOfTheGrantee(t *testing.T) {
	for _, tt := range grantees {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			if !tt.agnostic {
				stack = stackBeside(stack, ownAccount)
			}
			users := importedUsers(stack, nil)
			grantee, isGroup := tt.in(stack), false
			// A role of another account's stack has its policy there.
			isElsewhere := tt.name == "role of another account's stack"

			for method, grant := range map[string]func(awsiam.IGrantable) awsiam.Grant{
				"GrantReadData": users.Target().GrantReadData, "GrantReadSource": users.GrantReadSource,
				"GrantWriteSource": users.GrantWriteSource, "GrantReadWriteSource": users.GrantReadWriteSource,
				"GrantConsumeFailures": users.GrantConsumeFailures,
			} {
				const refused = "a grantee that has no policy of its own"
				got := panicOf(func() { grant(grantee) })
				isGroup = strings.Contains(got, "a group of another account")
				if wanted := tt.attached == "" && !isElsewhere; strings.Contains(got, method) != wanted && !isGroup ||
					wanted && !strings.Contains(got, refused) {
					t.Errorf("%s: %s panics with %q, want a refusal: %v", tt.why, method, got, wanted)
				}
			}
			wanted := tt.attached != "" && !isGroup
			if n := len(allowedBy(t, decodeAsItIs(t, stack).policies(t, tt.attached))); (n > 0) != wanted {
				t.Errorf("%s: the stack's policies allow %d actions", tt.why, n)
			}
		})
	}
}

func TestTheFailureQueueIsGrantedToEveryKindOfGrantee(t *testing.T) {
	actions := []string{
		"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
		"sqs:GetQueueUrl", "sqs:ReceiveMessage",
	}
	for _, tt := range grantees {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			if !tt.agnostic {
				stack = stackBeside(stack, ownAccount)
			}
			users := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
			grantee := tt.in(stack)
			if tt.name == "role of another account's stack" {
				const want = "/Users: GrantConsumeFailures was called with In" + otherAccount + "/Grantee, of a stack of " +
					"another account: import the role with Role_FromRoleArn"
				if got := panicOf(func() { users.GrantConsumeFailures(grantee) }); !strings.Contains(got, want) {
					t.Errorf("got %q, want a text with %q", got, want)
				}
				return
			}
			users.GrantConsumeFailures(grantee)

			tpl := decodeAsItIs(t, stack)
			arn := getAtt(logicalID(stack, users.FailureQueue()), "Arn")
			var own []string
			for _, action := range actions {
				if tt.attached != "" {
					own = append(own, action+" on "+toJSON(t, arn))
				}
			}
			if got := allowedBy(t, tpl.policies(t, tt.attached)); !slices.Equal(got, own) {
				t.Errorf("%s\nthe grantee's policies allow\n%s\nwant\n%s",
					tt.why, strings.Join(got, "\n"), strings.Join(own, "\n"))
			}
			tpl.wantQueueAllows(t, tt.why, arn, actions, tt.principal, tt.condition)
		})
	}
}

// wantQueueAllows compares what the policy of a queue allows with one statement, or with
// none.
func (tpl template) wantQueueAllows(t *testing.T, why string, arn any, actions []string, principal, condition any) {
	t.Helper()

	var got []any
	for _, r := range tpl.Resources {
		if r.Type != "AWS::SQS::QueuePolicy" {
			continue
		}
		for _, s := range r.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement := s.(map[string]any)
			if toJSON(t, statement["Resource"]) == toJSON(t, arn) && statement["Effect"] == "Allow" {
				slices.SortFunc(list(statement["Action"]), func(a, b any) int {
					return strings.Compare(a.(string), b.(string))
				})
				got = append(got, statement)
			}
		}
	}
	var want []any
	if principal != nil {
		statement := map[string]any{"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": arn}
		if condition != nil {
			statement["Condition"] = condition
		}
		want = []any{statement}
	}
	if toJSON(t, got) != toJSON(t, want) {
		t.Errorf("%s\nthe queue's policy allows\n%s\nwant\n%s", why, toJSON(t, got), toJSON(t, want))
	}
}

func TestAnImportedReplicatedTableSaysWhichAttributeIsMissing(t *testing.T) {
	stack := newStack(t)
	for _, attributes := range []*ReplicatedTableAttributes{nil, {}} {
		const want = "App/Users: attributes are empty: set SourceTable, TargetTable or FailureQueue"
		got := panicOf(func() { ReplicatedTable_FromAttributes(stack, jsii.String("Users"), attributes) })
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}

	table := awsdynamodb.Table_FromTableName(stack, jsii.String("Table"), jsii.String("users"))
	queue := awssqs.Queue_FromQueueArn(stack, jsii.String("Queue"), jsii.String("arn:aws:sqs:eu-west-1:111111111111:q"))
	role := newRoleOf(stack, nil)
	refer := func(id string, attributes ReplicatedTableAttributes) IReplicatedTable {
		return ReplicatedTable_FromAttributes(stack, &id, &attributes)
	}
	drained := refer("Drained", ReplicatedTableAttributes{FailureQueue: queue})
	read := refer("Read", ReplicatedTableAttributes{TargetTable: table})
	drained.GrantConsumeFailures(role)
	read.Target().GrantReadData(role)

	for method, call := range map[string]func(){
		"App/Drained: SourceTable needs the attribute SourceTable":          func() { drained.SourceTable() },
		"App/Drained: Target needs the attribute TargetTable":               func() { drained.Target() },
		"App/Drained: GrantReadSource needs the attribute SourceTable":      func() { drained.GrantReadSource(role) },
		"App/Drained: GrantWriteSource needs the attribute SourceTable":     func() { drained.GrantWriteSource(role) },
		"App/Drained: GrantReadWriteSource needs the attribute SourceTable": func() { drained.GrantReadWriteSource(role) },
		"App/Read: FailureQueue needs the attribute FailureQueue":           func() { read.FailureQueue() },
		"App/Read: GrantConsumeFailures needs the attribute FailureQueue":   func() { read.GrantConsumeFailures(role) },
	} {
		want := method + ", which is not set: set it in ReplicatedTable_FromAttributes"
		if got := panicOf(call); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAnImportedReplicatedTableNeedsAnIDOfItsOwn(t *testing.T) {
	stack := newStack(t)
	table := awsdynamodb.Table_FromTableName(stack, jsii.String("Table"), jsii.String("users"))
	for id, want := range map[string]string{
		"":      "App/: has an empty ID: name the table",
		"Table": "App/Table: the scope has another construct with this ID: choose another ID",
	} {
		got := panicOf(func() {
			ReplicatedTable_FromAttributes(stack, &id, &ReplicatedTableAttributes{TargetTable: table})
		})
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAnImportedKeyWarnsWhereOnlyItsPolicyCanAllow(t *testing.T) {
	for _, tt := range []struct {
		name    string
		grantee func(stack awscdk.Stack) awsiam.IGrantable
		warns   bool
	}{
		{"a role of the account", func(s awscdk.Stack) awsiam.IGrantable { return newRoleOf(s, nil) }, false},
		{"another account", func(awscdk.Stack) awsiam.IGrantable {
			return awsiam.NewAccountPrincipal(jsii.String(otherAccount))
		}, true},
		{"a role imported from another account", func(s awscdk.Stack) awsiam.IGrantable {
			return importedRole(s, otherAccount, nil)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := stackBeside(newStack(t), ownAccount)
			key := awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String(importedKeyARN))
			props := uniqueProps()
			props.Target.TableProps = &awsdynamodb.TablePropsV2{
				Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil),
			}
			target := NewReplicatedTable(stack, jsii.String("Users"), props).Target()
			target.GrantReadData(tt.grantee(stack))

			warned := false
			for _, m := range *target.Table().Node().Metadata() {
				text, _ := m.Data.(string)
				warned = warned || *m.Type == "aws:cdk:warning" && strings.Contains(text, "/Key is imported") &&
					strings.Contains(text, "the policy allows the grantee kms:Decrypt")
			}
			if warned != tt.warns {
				t.Errorf("warned: %v, want %v", warned, tt.warns)
			}
		})
	}
}

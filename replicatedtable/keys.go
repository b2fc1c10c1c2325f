package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// keyReadActions are what DynamoDB does with a table's customer key on behalf of a
// principal that reads the table or its stream: it decrypts the table key. It looks
// at the key itself only for the principal that chooses it, so kms:DescribeKey, which
// the CDK adds, is not among them. Source: Amazon DynamoDB Developer Guide, "DynamoDB
// encryption at rest usage notes", monitoring the interaction with AWS KMS.
var keyReadActions = []string{"kms:Decrypt"}

// keyWriteActions are what a principal needs that writes to the table. The same guide
// shows no request but Decrypt for it either, but it does not speak of writes. So the
// CDK's actions are added, without which the stream might wait. Source: aws-cdk-lib,
// aws-dynamodb/lib/perms.ts, KEY_WRITE_ACTIONS.
var keyWriteActions = []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}

// keyActions holds what a role may do with each customer key, by the key's ARN.
type keyActions map[string][]string

// allow allows the role the actions on the customer key of a table, if it has one. It
// repeats nothing that an earlier call allowed on the same key.
func (k keyActions) allow(table awsdynamodb.ITable, actions []string) []awsiam.PolicyStatement {
	key := table.EncryptionKey()
	if key == nil {
		return nil
	}

	arn := *key.KeyArn()
	isAllowed := func(action string) bool { return slices.Contains(k[arn], action) }
	missing := slices.DeleteFunc(slices.Clone(actions), isAllowed)
	if len(missing) == 0 {
		return nil
	}
	k[arn] = append(k[arn], missing...)

	return []awsiam.PolicyStatement{allow(&arn, missing...)}
}

// keyProblem says that no permission can name a customer key. A statement whose
// resource is an alias allows nothing on the key behind it. Source: AWS Key Management
// Service Developer Guide, "Specifying KMS keys in IAM policy statements".
func keyProblem(key awskms.IKey) string {
	if key == nil || !strings.Contains(*key.KeyArn(), ":alias/") {
		return ""
	}
	return fmt.Sprintf("is encrypted with the key %s, of which only the alias is known: "+
		"permissions name the key itself; pass the key, or import it with Key_FromKeyArn or Key_FromLookup",
		*key.Node().Path())
}

// The CDK calls this warning by its name in Annotations_Of(…).AcknowledgeWarning.
const warningKeyPolicy = "@replicatedtable/cdk-go:keyPolicy"

// grantKey allows grantee the actions on the customer key of a table. It warns where
// only the key's policy can, and the key is imported: no stack of the app has its
// policy.
func grantKey(
	table awsdynamodb.ITable, key awskms.IKey, grantee awsiam.IGrantable, actions []string,
) awsiam.Grant {
	granted := key.Grant(grantee, *jsii.Strings(actions...)...)

	account := toString(grantee.GrantPrincipal().PrincipalAccount())
	inOwnPolicy := granted.PrincipalStatement() != nil && sameAccount(account, *key.Env().Account)
	if !isDefined(key) && !inOwnPolicy {
		text := fmt.Sprintf("the key %s is imported, so its policy stays as it is, and a grantee is no role, user or "+
			"group of its account. Make sure that the policy allows the grantee %s",
			*key.Node().Path(), strings.Join(actions, ", "))
		awscdk.Annotations_Of(table).AddWarningV2(jsii.String(warningKeyPolicy), &text)
	}

	return granted
}

package replicatedtable

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// IReplicatedTable is what a ReplicatedTable and one that another app defines have in
// common: its tables, its failure queue and the grants on them.
type IReplicatedTable interface {
	constructs.IConstruct

	// SourceTable is the table the application writes to.
	SourceTable() awsdynamodb.ITable
	// Target is the target of the props, or of the attributes.
	Target() Target
	// FailureQueue receives the changes that could not be replicated, in three kinds of
	// messages, which the package's documentation describes. It keeps messages for 14
	// days. The one of a ReplicatedTable is an [awssqs.Queue].
	FailureQueue() awssqs.IQueue

	// GrantReadSource allows grantee to read the source table and its indexes: what
	// [Target.GrantReadData] allows on a target, with the same rules. Reading the stream
	// is not included.
	GrantReadSource(grantee awsiam.IGrantable) awsiam.Grant
	// GrantWriteSource allows grantee to write to the source table: BatchWriteItem,
	// DeleteItem, PutItem and UpdateItem. Where the table has a customer key, it allows
	// kms:Decrypt, kms:Encrypt, kms:GenerateDataKey* and kms:ReEncrypt* on it. The rest
	// is as with GrantReadSource.
	GrantWriteSource(grantee awsiam.IGrantable) awsiam.Grant
	// GrantReadWriteSource allows grantee what GrantReadSource and GrantWriteSource
	// allow.
	GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant
	// GrantConsumeFailures allows grantee to drain the failure queue: ReceiveMessage,
	// DeleteMessage, ChangeMessageVisibility, GetQueueAttributes and GetQueueUrl. A
	// grantee without a policy of its own in the queue's account is named in the queue's
	// policy, or refused if the queue is imported. It panics for everybody and for
	// groups of other accounts.
	GrantConsumeFailures(grantee awsiam.IGrantable) awsiam.Grant
}

// ReplicatedTableAttributes are the parts of a ReplicatedTable that another app
// defines. At least one is required. An accessor or a grant whose part is missing
// panics.
type ReplicatedTableAttributes struct {
	// SourceTable is the table the application writes to. Import it with
	// TableV2_FromTableAttributes, with its EncryptionKey if it has a customer key.
	SourceTable awsdynamodb.ITable
	// TargetTable is a table that follows it. The same applies.
	TargetTable awsdynamodb.ITable
	// FailureQueue is the failure queue. Import it with Queue_FromQueueArn.
	FailureQueue awssqs.IQueue
	// FunctionName is the name of the function, which the metrics of Target need. Which of them
	// it reports is not known here.
	FunctionName *string
}

// ReplicatedTable_FromAttributes refers to a ReplicatedTable that another app defines,
// to read its target table or to drain its failure queue. It defines no resources.
//
// It panics when attributes has no part, and when the ID is empty, a token or taken.
func ReplicatedTable_FromAttributes(
	scope constructs.Construct, id *string, attributes *ReplicatedTableAttributes,
) IReplicatedTable {
	path := freePath("ReplicatedTable_FromAttributes", scope, id)
	if attributes == nil || *attributes == (ReplicatedTableAttributes{}) {
		panic(message(path, []spec.Problem{{
			Path: "attributes", Text: "are empty: set SourceTable, TargetTable or FailureQueue",
		}}))
	}

	t := &importedReplicatedTable{attributes: *attributes}
	constructs.NewConstruct_Override(t, scope, id)
	return t
}

type importedReplicatedTable struct {
	constructs.Construct

	attributes ReplicatedTableAttributes
}

func (t *importedReplicatedTable) SourceTable() awsdynamodb.ITable { return t.source("SourceTable") }
func (t *importedReplicatedTable) FailureQueue() awssqs.IQueue     { return t.queue("FailureQueue") }

func (t *importedReplicatedTable) Target() Target {
	t.require(t.attributes.TargetTable != nil, "Target", "TargetTable")
	return target{
		table:    t.attributes.TargetTable,
		reporter: func() reporter { return reporter{t.attributes.FunctionName, spec.MetricsPerTarget} },
		alarms:   &targetAlarms{},
	}
}

func (t *importedReplicatedTable) GrantReadSource(grantee awsiam.IGrantable) awsiam.Grant {
	const method = "GrantReadSource"
	return grant(t.Node().Path(), method, t.source(method), grantee, reading)
}

func (t *importedReplicatedTable) GrantWriteSource(grantee awsiam.IGrantable) awsiam.Grant {
	const method = "GrantWriteSource"
	return grant(t.Node().Path(), method, t.source(method), grantee, writing)
}

func (t *importedReplicatedTable) GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant {
	const method = "GrantReadWriteSource"
	return grant(t.Node().Path(), method, t.source(method), grantee, readingAndWriting)
}

func (t *importedReplicatedTable) GrantConsumeFailures(grantee awsiam.IGrantable) awsiam.Grant {
	return grantConsume(t.Node().Path(), t.queue("GrantConsumeFailures"), grantee)
}

// source is the source table, which method needs.
func (t *importedReplicatedTable) source(method string) awsdynamodb.ITable {
	t.require(t.attributes.SourceTable != nil, method, "SourceTable")
	return t.attributes.SourceTable
}

// queue is the failure queue, which method needs.
func (t *importedReplicatedTable) queue(method string) awssqs.IQueue {
	t.require(t.attributes.FailureQueue != nil, method, "FailureQueue")
	return t.attributes.FailureQueue
}

// require panics when method needs an attribute that is not set.
func (t *importedReplicatedTable) require(isSet bool, method, attribute string) {
	if !isSet {
		text := fmt.Sprintf("needs the attribute %s, which is not set: "+
			"set it in ReplicatedTable_FromAttributes", attribute)
		panic(message(*t.Node().Path(), []spec.Problem{{Path: method, Text: text}}))
	}
}

package replicatedtable

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// NewReplicatedTable defines a source table, a target table under another key,
// and what carries every change of the first to the second.
//
// Props that break a rule end in one panic whose message lists all problems,
// one per line with the construct's path, the prop, the value and the remedy.
// So does a missing go command, or an app that runs outside its module. In
// these cases nothing has been added to scope.
func NewReplicatedTable(scope constructs.Construct, id *string, props *ReplicatedTableProps) ReplicatedTable {
	path := childPath(scope, id)
	mapping, problems := validate(props, knownSizes(props))
	if len(problems) > 0 {
		panic(message(path, problems))
	}
	code, err := findCode(scope)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	settings := props.withDefaults()

	t := &replicatedTable{}
	constructs.NewConstruct_Override(t, scope, id)
	t.sourceTable = newSourceTable(t, settings)
	t.targetTable = newTargetTable(t, settings)
	t.failureQueue, t.failureDeadLetterQueue = newFailureQueue(t, settings)
	t.logGroup = newLogGroup(t, settings)
	t.role = newRole(t, mapping.Targets[0])
	mapping.Source.TableName = *t.sourceTable.TableName()
	mapping.Targets[0].TableName = *t.targetTable.TableName()
	mapping.FailureQueueURL = *t.failureQueue.QueueUrl()
	t.function = newFunction(t, settings, code, mapping)
	t.eventSourceMapping = newEventSourceMapping(t, settings, mapping.Targets[0].Filter)
	t.iteratorAgeAlarm = newIteratorAgeAlarm(t)
	t.unreadStreamAlarm = newUnreadStreamAlarm(t)
	t.failureQueueAlarm = newQueueAlarm(t, "FailureQueueAlarm", t.failureQueue,
		"Changes of the source table that could not be replicated wait in the failure queue")
	t.failureRateAlarm = newFailureRateAlarm(t)
	t.failureDeadLetterQueueAlarm = newQueueAlarm(t, "FailureDeadLetterQueueAlarm", t.failureDeadLetterQueue,
		"Messages of the failure queue could not be handled, and wait in its dead-letter queue")
	return t
}

// ReplicatedTable is a source table and a target table that follows it. Its
// accessors give the parts back, to grant, monitor or change what the props do
// not cover.
type ReplicatedTable interface {
	constructs.Construct

	// SourceTable is the table the application writes to.
	SourceTable() awsdynamodb.TableV2
	// TargetTable is the table that follows. Only the function writes to it.
	TargetTable() awsdynamodb.TableV2
	// Function applies the source table's changes to the target table.
	Function() awscdklambdagoalpha.GoFunction
	// EventSourceMapping reads the source table's stream and invokes the
	// function.
	EventSourceMapping() awslambda.CfnEventSourceMapping
	// FailureQueue receives what could not be replicated, in two kinds of messages,
	// which the package's documentation describes. Messages are kept for 14 days.
	FailureQueue() awssqs.Queue
	// FailureDeadLetterQueue receives what was taken from the failure queue again
	// and again without being deleted.
	FailureDeadLetterQueue() awssqs.Queue
	// IteratorAgeAlarm goes off when the target table lags 10 minutes behind the
	// source table: above all, when the function lacks a permission, a table or a
	// key, and the stream waits. The package's documentation says what each alarm
	// sees. Give it an action with AddAlarmAction.
	IteratorAgeAlarm() awscloudwatch.Alarm
	// UnreadStreamAlarm goes off when nobody has read the source table's stream for
	// 15 minutes: above all, when the event source mapping is disabled, the role
	// cannot read the stream, or the function is throttled. Give it an action with
	// AddAlarmAction.
	UnreadStreamAlarm() awscloudwatch.Alarm
	// FailureQueueAlarm goes off when a message waits in the failure queue. Give it
	// an action with AddAlarmAction.
	FailureQueueAlarm() awscloudwatch.Alarm
	// FailureRateAlarm goes off when more than 10 messages arrive in the failure
	// queue within 5 minutes, whatever waits there already. Give it an action with
	// AddAlarmAction.
	FailureRateAlarm() awscloudwatch.Alarm
	// FailureDeadLetterQueueAlarm goes off when a message waits in the failure
	// queue's dead-letter queue. Give it an action with AddAlarmAction.
	FailureDeadLetterQueueAlarm() awscloudwatch.Alarm
	// Role is what the function may do.
	Role() awsiam.Role
	// LogGroup holds the function's logs.
	LogGroup() awslogs.LogGroup

	// GrantReadTarget allows grantee to read the target table and its indexes, also
	// those added later: BatchGetItem, ConditionCheckItem, DescribeTable, GetItem,
	// Query and Scan.
	//
	// The policy is the grantee's own if it has one in the table's account, and
	// otherwise the table's, which then names the grantee. It panics when neither
	// can hold the grant: for services, for everybody and for groups of other
	// accounts.
	//
	// A role that another account's stack defines needs the table's name in both
	// stacks, so CDK fixes the name, and CloudFormation replaces a table that was
	// deployed without: give Role_FromRoleArn instead.
	GrantReadTarget(grantee awsiam.IGrantable) awsiam.Grant
	// GrantReadWriteSource allows grantee to read the source table and to write to
	// it: what GrantReadTarget allows, in the same way, and BatchWriteItem,
	// DeleteItem, PutItem and UpdateItem.
	GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant
}

// replicatedTable embeds the Construct that NewConstruct_Override fills in,
// which is what lets it be the scope of other constructs.
type replicatedTable struct {
	constructs.Construct

	sourceTable, targetTable             awsdynamodb.TableV2
	function                             awscdklambdagoalpha.GoFunction
	eventSourceMapping                   awslambda.CfnEventSourceMapping
	failureQueue, failureDeadLetterQueue awssqs.Queue
	iteratorAgeAlarm, unreadStreamAlarm  awscloudwatch.Alarm
	failureQueueAlarm, failureRateAlarm  awscloudwatch.Alarm
	failureDeadLetterQueueAlarm          awscloudwatch.Alarm
	role                                 awsiam.Role
	logGroup                             awslogs.LogGroup
}

func (t *replicatedTable) SourceTable() awsdynamodb.TableV2         { return t.sourceTable }
func (t *replicatedTable) TargetTable() awsdynamodb.TableV2         { return t.targetTable }
func (t *replicatedTable) Function() awscdklambdagoalpha.GoFunction { return t.function }
func (t *replicatedTable) EventSourceMapping() awslambda.CfnEventSourceMapping {
	return t.eventSourceMapping
}
func (t *replicatedTable) FailureQueue() awssqs.Queue             { return t.failureQueue }
func (t *replicatedTable) FailureDeadLetterQueue() awssqs.Queue   { return t.failureDeadLetterQueue }
func (t *replicatedTable) IteratorAgeAlarm() awscloudwatch.Alarm  { return t.iteratorAgeAlarm }
func (t *replicatedTable) UnreadStreamAlarm() awscloudwatch.Alarm { return t.unreadStreamAlarm }
func (t *replicatedTable) FailureQueueAlarm() awscloudwatch.Alarm { return t.failureQueueAlarm }
func (t *replicatedTable) FailureRateAlarm() awscloudwatch.Alarm  { return t.failureRateAlarm }
func (t *replicatedTable) FailureDeadLetterQueueAlarm() awscloudwatch.Alarm {
	return t.failureDeadLetterQueueAlarm
}
func (t *replicatedTable) Role() awsiam.Role          { return t.role }
func (t *replicatedTable) LogGroup() awslogs.LogGroup { return t.logGroup }

func (t *replicatedTable) GrantReadTarget(grantee awsiam.IGrantable) awsiam.Grant {
	return t.grant("GrantReadTarget", t.targetTable, grantee, readActions)
}

func (t *replicatedTable) GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant {
	return t.grant("GrantReadWriteSource", t.sourceTable, grantee, slices.Concat(readActions, writeActions))
}

// childPath is the path that a construct called id has in scope.
func childPath(scope constructs.Construct, id *string) string {
	if scope == nil || id == nil {
		panic("NewReplicatedTable: scope and id are required")
	}
	if path := *scope.Node().Path(); path != "" {
		return path + "/" + *id
	}
	return *id
}

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
// and the function that carries every change from the first to the second.
//
// It panics when props break a rule. The message lists all problems, one per line
// with the construct's path, the prop, the value and the remedy. It also panics
// when the go command is missing, or when the app runs outside its module. In all
// these cases scope stays as it was.
func NewReplicatedTable(scope constructs.Construct, id *string, props *ReplicatedTableProps) ReplicatedTable {
	path := childPath(scope, id)
	if problems := validate(props, knownSizes(props)); len(problems) > 0 {
		panic(message(path, problems))
	}
	code, err := findCode(scope)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}

	replication := toSpec(props)
	settings := props.withDefaults()
	t := &replicatedTable{}
	constructs.NewConstruct_Override(t, scope, id)
	t.sourceTable = newSourceTable(t, settings)
	t.targetTable = newTargetTable(t, settings)
	t.failureQueue, t.failureDeadLetterQueue = newFailureQueue(t, settings)
	t.logGroup = newLogGroup(t, settings)
	t.role = newRole(t, replication.Targets[0])
	replication.Source.TableName = *t.sourceTable.TableName()
	replication.Targets[0].TableName = *t.targetTable.TableName()
	replication.FailureQueueURL = *t.failureQueue.QueueUrl()
	t.function = newFunction(t, settings, code, replication)
	t.eventSourceMapping = newEventSourceMapping(t, settings, replication.Targets[0].Filter)

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
// accessors return the parts: use them to grant, to monitor, and to change
// settings that the props do not cover.
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
	// FailureQueue receives the changes that could not be replicated, in two kinds of
	// messages, which the package's documentation describes. It keeps messages for 14
	// days.
	FailureQueue() awssqs.Queue
	// FailureDeadLetterQueue gets the messages of the failure queue that were
	// received 5 times and not deleted.
	FailureDeadLetterQueue() awssqs.Queue
	// IteratorAgeAlarm goes off when the target table lags 10 minutes behind the
	// source table: above all, when a permission, a table or a key is missing and the
	// stream waits. The package's documentation says what each alarm
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
	// queue within 5 minutes, whether or not others wait there already. Give it an
	// action with AddAlarmAction.
	FailureRateAlarm() awscloudwatch.Alarm
	// FailureDeadLetterQueueAlarm goes off when a message waits in the failure
	// queue's dead-letter queue. Give it an action with AddAlarmAction.
	FailureDeadLetterQueueAlarm() awscloudwatch.Alarm
	// Role holds the function's permissions.
	Role() awsiam.Role
	// LogGroup holds the function's logs.
	LogGroup() awslogs.LogGroup

	// GrantReadTarget allows grantee to read the target table and its indexes,
	// including those added later: BatchGetItem, ConditionCheckItem, DescribeTable,
	// GetItem, Query and Scan.
	//
	// The permission is part of the grantee's own policy if it has one in the table's
	// account, and otherwise of the table's policy, which then names the grantee. It
	// panics when neither can hold the permission: for services, for everybody and
	// for groups of other accounts.
	//
	// A role that a stack of another account defines needs the table's name in both
	// stacks. So the CDK fixes the name, and CloudFormation replaces a table that was
	// deployed without a fixed name. Use Role_FromRoleArn instead.
	GrantReadTarget(grantee awsiam.IGrantable) awsiam.Grant
	// GrantReadWriteSource allows grantee to read the source table and to write to
	// it: the actions of GrantReadTarget, and BatchWriteItem, DeleteItem, PutItem and
	// UpdateItem. The rest is as with GrantReadTarget.
	GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant
}

// replicatedTable embeds the Construct that NewConstruct_Override fills in, so it
// can be the scope of other constructs.
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

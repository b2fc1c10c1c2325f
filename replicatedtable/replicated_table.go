package replicatedtable

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewReplicatedTable defines a source table, a target table under another key,
// and the function that carries every change from the first to the second. AddTarget
// adds target tables.
//
// It panics when props break a rule. The message lists all problems, one per line
// with the construct's path, the prop, the value and the remedy. It also panics
// when the go command is missing, or when the app runs outside its module. In all
// these cases scope stays as it was.
func NewReplicatedTable(scope constructs.Construct, id *string, props *ReplicatedTableProps) ReplicatedTable {
	path := checkedPath(scope, id)
	sizes := knownSizes(props)
	sizes.place = findPlace(scope, id)
	sizes.subnetProblems = findSubnetProblems(props)
	if props != nil && props.Source != nil {
		sizes.source = readTable(scope, props.Source.Table)
	}
	if props != nil && props.Target != nil {
		sizes.target = readTable(scope, props.Target.Table)
	}
	if props != nil && props.LogGroup != nil {
		sizes.logGroupClass = readLogGroupClass(props.LogGroup)
	}
	if problems := append(validate(props, sizes), roleProblems(scope, props)...); len(problems) > 0 {
		panic(message(path, problems))
	}
	code, err := functionCode(scope, replicatorProgram, props.Code, sizes.architecture)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	replication := toReplication(props, sizes)
	mapping, err := replication.writeMapping(scope)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}

	defer refuse(scope, id, path)
	settings := props.withDefaults()
	t := &replicatedTable{
		replication: replication, settings: settings, keyActions: keyActions{},
	}
	constructs.NewConstruct_Override(t, scope, id)
	t.sourceTable = newSourceTable(t, props.Source)
	first := t.newTarget(jsii.String("Target"), props.Target)
	t.targets = []target{first}
	t.failureQueue, t.failureDeadLetterQueue = newFailureQueue(t, settings)
	if t.logGroup = settings.LogGroup; t.logGroup == nil {
		t.logGroup = newLogGroup(t, settings)
	}
	t.policy = newPolicy(t, settings)
	t.role = newRole(t, settings)
	nameTable(&t.replication.Source, t.sourceTable)
	nameTable(&t.replication.last().Table, first.table)
	t.replication.tables = []string{*t.sourceTable.Node().Path(), *first.table.Node().Path()}
	t.replication.FailureQueueURL = *t.failureQueue.QueueUrl()
	t.function = newFunction(t, settings, code)
	t.setMapping(mapping)
	t.eventSourceMapping = newEventSourceMapping(t, settings, sizes)
	t.warn(sizes.source.sourceWarnings(*t.sourceTable.Node().Path(), props.Source.TableProps,
		streamReaders(t, sizes.source, t.sourceTable.TableStreamArn()))...)
	t.warn(t.replication.warnings(props.Target, sizes.target)...)
	t.warn(t.sharedTargetWarnings(sizes.target)...)
	t.warn(t.roleWarnings()...)
	t.iteratorAgeMilliseconds = sizes.iteratorAge() * 1000
	t.defineAlarms(settings.Alarms, sizes)
	t.defineTargetAlarms("Target", first)

	return t
}

// ReplicatedTable is a source table and the target tables that follow it. Its
// accessors return the parts: use them to grant, to monitor, and to change
// settings that the props do not cover.
//
// What it has in common with one of another app is in [IReplicatedTable].
type ReplicatedTable interface {
	constructs.Construct
	IReplicatedTable

	// AddTarget defines one more target table, which follows the same source table: the
	// one function applies each change to all targets. The table's construct is called
	// id. In a stack that is deployed already, the table gets the changes from then on,
	// and not the items that are there.
	//
	// The mappings of many targets are too long for the function's environment. From the
	// first such target on, the function reads them from the file of a layer, which
	// AddTarget defines.
	//
	// It panics when props break a rule, with all problems at once like
	// [NewReplicatedTable], and changes nothing then.
	AddTarget(id *string, props *TargetProps) Target
	// AddReconciler defines a state machine that works on all items of the tables, and the
	// function that it invokes: it fills the targets with the items from before the stream,
	// verifies that they are right, and repairs them. It defines nothing that runs by itself,
	// unless VerifySchedule says so: start an execution. The parts are below a construct that
	// is called id. nil props are those without a setting.
	//
	// It panics when props break a rule, with all problems at once like
	// [NewReplicatedTable], and changes nothing then.
	AddReconciler(id *string, props *ReconcilerProps) Reconciler
	// Function applies the source table's changes to the target tables.
	Function() awslambda.Function
	// EventSourceMapping reads the source table's stream and invokes the
	// function.
	EventSourceMapping() awslambda.CfnEventSourceMapping
	// FailureDeadLetterQueue gets the messages of the failure queue that were
	// received 5 times and not deleted.
	FailureDeadLetterQueue() awssqs.Queue
	// IteratorAgeAlarm goes off when the target table lags 10 minutes behind the
	// source table, or as far as AlarmsProps says: above all, when a permission, a table
	// or a key is missing and the stream waits. The package's documentation says what each
	// alarm sees. Give it an action with AddAlarmAction, or all alarms with AlarmsProps.
	// Where AlarmsProps disables the alarms, this and the other accessors return nil.
	IteratorAgeAlarm() awscloudwatch.Alarm
	// UnreadStreamAlarm goes off when nobody has read the source table's stream for
	// 15 minutes, or as long as AlarmsProps says: above all, when the event source mapping is disabled, the role
	// cannot read the stream, or the function is throttled. Give it an action with
	// AddAlarmAction.
	UnreadStreamAlarm() awscloudwatch.Alarm
	// FailureQueueAlarm goes off when a message waits in the failure queue. Give it
	// an action with AddAlarmAction.
	FailureQueueAlarm() awscloudwatch.Alarm
	// FailureRateAlarm goes off when more than 10 messages, or as many as AlarmsProps
	// says, arrive in the failure queue within 5 minutes, whether or not others wait there
	// already. Give it an action with AddAlarmAction.
	FailureRateAlarm() awscloudwatch.Alarm
	// FailureDeadLetterQueueAlarm goes off when a message waits in the failure
	// queue's dead-letter queue. Give it an action with AddAlarmAction.
	FailureDeadLetterQueueAlarm() awscloudwatch.Alarm
	// GivenUpRecordsAlarm goes off when the event source mapping gives up on records and sends
	// their positions to the failure queue, whether or not messages wait there already. The
	// records are in the stream until they are 24 hours old.
	GivenUpRecordsAlarm() awscloudwatch.Alarm
	// DroppedRecordsAlarm goes off when the event source mapping gives up on records and cannot
	// send their positions to the failure queue.
	DroppedRecordsAlarm() awscloudwatch.Alarm
	// FunctionErrorsAlarm goes off when an invocation ends without an answer, also because the
	// function cannot start. Like the next two, it is nil unless AlarmsProps asks for all
	// alarms.
	FunctionErrorsAlarm() awscloudwatch.Alarm
	// FunctionThrottlesAlarm goes off when Lambda has throttled the function for 15 minutes.
	FunctionThrottlesAlarm() awscloudwatch.Alarm
	// OldestFailureAlarm goes off when a message has waited in the failure queue for 10 of its
	// 14 days.
	OldestFailureAlarm() awscloudwatch.Alarm
	// CompositeAlarm is on while another alarm is on, that of a target included. It leaves out
	// FailureQueueAlarm, FailureDeadLetterQueueAlarm and OldestFailureAlarm: a message that
	// waits for days would keep it on, and hide all that goes wrong meanwhile. It also leaves
	// out FailedExecutionsAlarm of a Reconciler, which is not about the stream. It is nil unless
	// AlarmsProps asks for all alarms or has CompositeActions.
	CompositeAlarm() awscloudwatch.CompositeAlarm
	// AddDashboard defines a dashboard that says with one look whether the targets keep up,
	// whether something fails, and what it costs. It shows all targets and alarms, so call it
	// after AddTarget and AddReconciler. Widgets of props come first; more can be added to the dashboard. Props may be
	// nil.
	//
	// It panics when the ID is empty, a token or taken, and when the CDK refuses props.
	AddDashboard(id *string, props *awscloudwatch.DashboardProps) awscloudwatch.Dashboard

	// MetricRecords counts the records that the function was invoked with. It counts a record
	// again when it is redelivered, and so do the metrics below, which count what becomes of
	// the records for each target. All of the function's metrics panic with Metrics NONE.
	// Statistic: sum.
	MetricRecords(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricWrites counts the puts and deletes that the target tables have carried out. A
	// delete that finds no item is one too.
	// Statistic: sum.
	MetricWrites(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricElided counts the changes that needed no write of their own: they left the target
	// item as it was, or a later change of the same batch replaced them.
	// Statistic: sum.
	MetricElided(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricUnmapped counts the changes of items that had no target item and get none: they
	// lack a key attribute, or do not meet the filter. What Lambda filters out never gets to
	// the function: MetricFilteredOutEventCount counts it.
	// Statistic: sum.
	MetricUnmapped(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricStale counts the puts under an Ordering that were not needed: the target table has
	// the same state of the item, or a newer one.
	// Statistic: sum.
	MetricStale(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricRetried counts the writes that a target table did not take at first, because it was
	// throttled or did not answer, each time anew.
	// Statistic: sum.
	MetricRetried(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricFailed counts the records that can never be applied and went to the failure queue.
	// Statistic: sum.
	MetricFailed(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricSetAside counts the items whose keys went to the failure queue because a target is
	// set aside.
	// Statistic: sum.
	MetricSetAside(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricLag is the age of the oldest record of a batch when the invocation ends, in
	// milliseconds. It is as fine as the stream's clock: one second.
	// Statistic: maximum.
	MetricLag(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricDuration is the time of an invocation in milliseconds.
	// Statistic: maximum.
	MetricDuration(options *awscloudwatch.MetricOptions) awscloudwatch.Metric

	// MetricPolledEventCount counts the records that Lambda has read from the stream. It counts
	// 0 for a poll that finds none, and nothing where nobody polls.
	// Statistic: sum.
	MetricPolledEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricFilteredOutEventCount counts the records that Lambda has filtered out.
	// Statistic: sum.
	MetricFilteredOutEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricInvokedEventCount counts the records that Lambda has invoked the function with.
	// Statistic: sum.
	MetricInvokedEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricFailedInvokeEventCount counts the records of invocations that failed, or reported a
	// record as failed.
	// Statistic: sum.
	MetricFailedInvokeEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricDroppedEventCount counts the records that Lambda has given up and whose positions it
	// could not send to the failure queue.
	// Statistic: sum.
	MetricDroppedEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricOnFailureDestinationDeliveredEventCount counts the records that Lambda has given up
	// and whose positions it has sent to the failure queue.
	// Statistic: sum.
	MetricOnFailureDestinationDeliveredEventCount(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// Role holds the function's permissions: the role of the props, or the construct's own.
	// They include those on the customer keys of the tables, which count only if the
	// keys' policies let them, as the package's documentation says.
	Role() awsiam.IRole
	// LogGroup holds the function's logs: that of the props, or the construct's own.
	LogGroup() awslogs.ILogGroup

	// GrantVerify allows grantee what "replicatedtable verify" and "replicatedtable show"
	// need: to read the function's configuration, the layer that may have the mapping, and
	// the tables, with those that AddTarget adds later. Where a table has a customer key, it
	// allows kms:Decrypt on it. lambda:ListEventSourceMappings has no resources, and is
	// allowed on all.
	//
	// The grantee is a role, user or group of the stack's account with a policy of its own,
	// and GrantVerify panics for any other.
	GrantVerify(grantee awsiam.IGrantable) awsiam.Grant
	// GrantReconcile allows grantee what all operations of the command need: what GrantVerify
	// allows; to check items of the source table within a transaction and to write to the
	// target tables, with their customer keys; for redrive to receive and delete the
	// messages of the failure queue and of its dead-letter queue, to send one to the failure
	// queue again, and to read the source table's stream; and to start, watch, stop and redrive executions of the reconcilers. The
	// grantee is as with GrantVerify.
	GrantReconcile(grantee awsiam.IGrantable) awsiam.Grant
}

// replicatedTable embeds the Construct that NewConstruct_Override fills in, so it
// can be the scope of other constructs.
type replicatedTable struct {
	constructs.Construct

	// replication is what the function is told, with the tables and the queue as tokens.
	replication replication
	// settings are the props with their defaults, for the parts that come later.
	settings ReplicatedTableProps
	// policy is the part of the role that AddTarget extends.
	policy awsiam.PolicyDocument

	sourceTable                          awsdynamodb.ITable
	targets                              []target
	function                             awslambda.Function
	mappingLayer                         awslambda.LayerVersion // nil while the environment has room
	eventSourceMapping                   awslambda.CfnEventSourceMapping
	failureQueue, failureDeadLetterQueue awssqs.Queue
	alarms                               alarms
	iteratorAgeMilliseconds              float64 // at which its alarm goes off
	hasDashboard                         bool
	role                                 awsiam.IRole
	rolePolicy                           awsiam.Policy // nil if the construct defines the role
	logGroup                             awslogs.ILogGroup
	keyActions                           keyActions
	// reconcilers and operators get what a later target needs.
	reconcilers []*reconciler
	operators   []operator
}

func (t *replicatedTable) SourceTable() awsdynamodb.ITable { return t.sourceTable }
func (t *replicatedTable) Target() Target                  { return t.targets[0] }
func (t *replicatedTable) Function() awslambda.Function    { return t.function }
func (t *replicatedTable) EventSourceMapping() awslambda.CfnEventSourceMapping {
	return t.eventSourceMapping
}
func (t *replicatedTable) FailureQueue() awssqs.IQueue          { return t.failureQueue }
func (t *replicatedTable) FailureDeadLetterQueue() awssqs.Queue { return t.failureDeadLetterQueue }
func (t *replicatedTable) Role() awsiam.IRole                   { return t.role }
func (t *replicatedTable) LogGroup() awslogs.ILogGroup          { return t.logGroup }

func (t *replicatedTable) GrantReadSource(grantee awsiam.IGrantable) awsiam.Grant {
	return grant(t.Node().Path(), "GrantReadSource", t.sourceTable, grantee, reading)
}

func (t *replicatedTable) GrantWriteSource(grantee awsiam.IGrantable) awsiam.Grant {
	return grant(t.Node().Path(), "GrantWriteSource", t.sourceTable, grantee, writing)
}

func (t *replicatedTable) GrantReadWriteSource(grantee awsiam.IGrantable) awsiam.Grant {
	return grant(t.Node().Path(), "GrantReadWriteSource", t.sourceTable, grantee, readingAndWriting)
}

func (t *replicatedTable) GrantConsumeFailures(grantee awsiam.IGrantable) awsiam.Grant {
	return grantConsume(t.Node().Path(), t.failureQueue, grantee)
}

// refuse takes a construct called id out of scope again when the CDK has refused one of its
// settings, and goes on with the CDK's message behind the construct's path.
func refuse(scope constructs.Construct, id *string, path string) {
	if cause := recover(); cause != nil {
		if fault, ok := cause.(runtime.Error); ok { // of this program
			panic(fault)
		}
		scope.Node().TryRemoveChild(id)
		panic(fmt.Sprintf("%s: the CDK refuses it: %v", path, cause))
	}
}

// checkedPath returns the path that a construct called id will have in scope. It panics
// when scope can have no such construct.
func checkedPath(scope constructs.Construct, id *string) string {
	path := freePath("NewReplicatedTable", scope, id)
	if !slices.ContainsFunc(*scope.Node().Scopes(), isStack) {
		panic(path + ": is outside of a Stack: define it in a Stack, or in a construct within one")
	}
	return path
}

// freePath returns the path that a construct called id will have in scope. It panics in the
// name of function when the ID is none, or is taken.
func freePath(function string, scope constructs.Construct, id *string) string {
	if scope == nil || id == nil {
		panic(function + ": scope and id are required")
	}

	path := childPath(scope, id)
	switch {
	case *id == "":
		panic(path + ": has an empty ID: name the table")
	case isToken(*id):
		panic(path + ": has a token for an ID: write the ID out")
	case scope.Node().TryFindChild(id) != nil:
		panic(path + ": the scope has another construct with this ID: choose another ID")
	}

	return path
}

func isStack(c constructs.IConstruct) bool { return *awscdk.Stack_IsStack(c) }

// childPath is the path of a construct called id in scope.
func childPath(scope constructs.Construct, id *string) string {
	return strings.TrimPrefix(*scope.Node().Path()+"/"+*id, "/")
}

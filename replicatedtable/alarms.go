package replicatedtable

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	// maxIteratorAge is the greatest age of a record that is still healthy. A batch
	// takes seconds, so a stream that lags this far is stuck, or gets more changes
	// than one function can apply. More than ten hours remain to repair it.
	maxIteratorAge = 10 * time.Minute

	// maxUnread is the time without a counted poll after which the alarm goes off.
	// Lambda polls each shard several times a second, even where nothing is written. 15
	// minutes are far longer than metrics are late or a change of the event source
	// mapping takes, and almost all of the 24 hours remain.
	maxUnread = 15 * time.Minute

	// longestUnread is the greatest such time that a caller can choose: half of the
	// stream's 24 hours remain.
	longestUnread = 12 * time.Hour

	// maxFailuresPerPeriod is the number of messages in one period that the failure
	// queue may get. Records that can never be applied are rare, so a flood of them
	// usually has one cause, such as a writer that changed an attribute's type.
	maxFailuresPerPeriod = 10

	// maxFailureAge is the age of a message in the failure queue that leaves four days of its
	// 14: a long weekend.
	maxFailureAge = 10 * 24 * time.Hour

	// throttledPeriods is how many periods in a row have to be throttled. Lambda and the
	// function retry, so a moment of it costs nothing but that moment.
	throttledPeriods = 3

	// alarmPeriod is the length of the periods in which an alarm evaluates its metric.
	alarmPeriod = 5 * time.Minute
)

// runbook has a heading for each kind of alarm, which is the name of its accessor.
const runbook = "https://github.com/replicatedtable/cdk-go/blob/main/replicatedtable/RUNBOOK.md"

// targetAlarmsID is the scope of the alarms of single targets.
const targetAlarmsID = "TargetAlarms"

// alarms are the alarms of a table.
type alarms struct {
	props                                             *AlarmsProps
	iteratorAge, unreadStream                         awscloudwatch.Alarm
	givenUpRecords, droppedRecords                    awscloudwatch.Alarm
	failureQueue, failureRate, failureDeadLetterQueue awscloudwatch.Alarm
	functionErrors, functionThrottles, oldestFailure  awscloudwatch.Alarm
	composite                                         awscloudwatch.CompositeAlarm

	// all are in the order of their definition.
	all []awscloudwatch.Alarm
	// rules are those of the composite alarm.
	rules []awscloudwatch.IAlarmRule
	// ruleBytes is the greatest length of the composite alarm's rule.
	ruleBytes int
}

// targetAlarms are the alarms of one target.
type targetAlarms struct{ failure, throttle awscloudwatch.Alarm }

// defineAlarms defines the alarms, or none.
func (t *replicatedTable) defineAlarms(props *AlarmsProps, s sizes) {
	a := &t.alarms
	a.props = props
	if !props.areEnabled() {
		return
	}

	a.iteratorAge = t.urgent("IteratorAgeAlarm", iteratorAgeAlarm(t, s.iteratorAge()))
	a.unreadStream = t.urgent("UnreadStreamAlarm", unreadStreamAlarm(t, s.unread()))
	a.failureQueue = t.alarm("FailureQueueAlarm", queueAlarm(t.failureQueue,
		"A message waits in the failure queue: a change that could not be replicated, or many keys of a target that "+
			"is set aside. First read its reason; messages wait 14 days. Then redrive the queue"))
	a.failureRate = t.urgent("FailureRateAlarm",
		failureRateAlarm(t, cmp.Or(props.MaxFailures, jsii.Number(maxFailuresPerPeriod))))
	a.failureDeadLetterQueue = t.alarm("FailureDeadLetterQueueAlarm", queueAlarm(t.failureDeadLetterQueue,
		"A message of the failure queue was received five times and not handled, and waits in the dead-letter queue. "+
			"First see why its reader fails. Then redrive the dead letters"))
	a.givenUpRecords = t.urgent("GivenUpRecordsAlarm", givenUpRecordsAlarm(t))
	a.droppedRecords = t.urgent("DroppedRecordsAlarm", droppedRecordsAlarm(t))
	if props.areAll() {
		a.functionErrors = t.urgent("FunctionErrorsAlarm", functionErrorsAlarm(t))
		a.functionThrottles = t.urgent("FunctionThrottlesAlarm", functionThrottlesAlarm(t))
		a.oldestFailure = t.alarm("OldestFailureAlarm", oldestFailureAlarm(t))
	}
	if props.hasComposite() {
		a.composite = newCompositeAlarm(t)
	}
}

// newCompositeAlarm defines the alarm on top of the urgent ones that there are so far.
func newCompositeAlarm(t *replicatedTable) awscloudwatch.CompositeAlarm {
	alarm := awscloudwatch.NewCompositeAlarm(t, jsii.String("CompositeAlarm"), &awscloudwatch.CompositeAlarmProps{
		AlarmRule: awscloudwatch.AlarmRule_AnyOf(t.alarms.rules...),
		AlarmDescription: jsii.String("Something goes wrong now: at least one of the other alarms is on, not counting " +
			"those that a waiting message keeps on. First see which. " + runbookLink("CompositeAlarm")),
	})
	if actions := t.alarms.props.CompositeActions; actions != nil {
		alarm.AddAlarmAction(*actions...)
	}

	return alarm
}

// defineTargetAlarms defines the alarms of the target called id.
func (t *replicatedTable) defineTargetAlarms(id string, added target) {
	a := &t.alarms
	if !a.props.areEnabled() {
		return
	}

	// The IDs differ, also without their scope: a LambdaAction tells alarms apart by them.
	scope := t.targetAlarmsScope()
	if t.reportsMetrics() {
		added.alarms.failure = t.urgentIn(scope, id+"FailureAlarm", "TargetFailureAlarm", targetFailureAlarm(id, added))
	}
	if a.props.areAll() {
		added.alarms.throttle = t.urgentIn(scope, id+"ThrottleAlarm", "TargetThrottleAlarm", targetThrottleAlarm(id, added))
	}
	if a.composite != nil {
		a.composite.Node().DefaultChild().(awscloudwatch.CfnCompositeAlarm).
			SetAlarmRule(awscloudwatch.AlarmRule_AnyOf(a.rules...).RenderAlarmRule())
	}
}

func (t *replicatedTable) targetAlarmsScope() constructs.Construct {
	if scope := t.Node().TryFindChild(jsii.String(targetAlarmsID)); scope != nil {
		return scope.(constructs.Construct)
	}
	return constructs.NewConstruct(t, jsii.String(targetAlarmsID))
}

// urgent defines an alarm about something that goes wrong now.
func (t *replicatedTable) urgent(id string, props awscloudwatch.AlarmProps) awscloudwatch.Alarm {
	return t.urgentIn(t, id, id, props)
}

// urgentIn defines an urgent alarm in scope.
func (t *replicatedTable) urgentIn(
	scope constructs.Construct, id, heading string, props awscloudwatch.AlarmProps,
) awscloudwatch.Alarm {
	alarm := t.alarmIn(scope, id, heading, props)
	t.alarms.rules = append(t.alarms.rules, awscloudwatch.AlarmRule_FromAlarm(alarm, awscloudwatch.AlarmState_ALARM))
	t.alarms.ruleBytes += t.ruleBytes(*alarm.Node().Path())
	return alarm
}

// alarm defines an alarm.
func (t *replicatedTable) alarm(id string, props awscloudwatch.AlarmProps) awscloudwatch.Alarm {
	return t.alarmIn(t, id, id, props)
}

// alarmIn defines an alarm in scope, whose heading is in the runbook.
func (t *replicatedTable) alarmIn(
	scope constructs.Construct, id, heading string, props awscloudwatch.AlarmProps,
) awscloudwatch.Alarm {
	props.AlarmDescription = jsii.String(*props.AlarmDescription + ". " + runbookLink(heading))
	alarm := newAlarm(scope, id, props)
	t.alarms.all = append(t.alarms.all, alarm)
	if t.alarms.props.Actions != nil {
		alarm.AddAlarmAction(*t.alarms.props.Actions...)
	}

	return alarm
}

// newAlarm defines an alarm. Unless props say otherwise, it goes off as soon as the value of
// one period exceeds the threshold, which is 0, and a period without values is healthy.
func newAlarm(scope constructs.Construct, id string, props awscloudwatch.AlarmProps) awscloudwatch.Alarm {
	props.ComparisonOperator = cmp.Or(
		props.ComparisonOperator, awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD)
	props.Threshold = cmp.Or(props.Threshold, jsii.Number(0))
	props.EvaluationPeriods = cmp.Or(props.EvaluationPeriods, jsii.Number(1))
	props.TreatMissingData = cmp.Or(props.TreatMissingData, awscloudwatch.TreatMissingData_NOT_BREACHING)

	return awscloudwatch.NewAlarm(scope, jsii.String(id), &props)
}

// runbookLink is the last sentence of a description.
func runbookLink(heading string) string {
	return "Runbook: " + runbook + "#" + strings.ToLower(heading)
}

// iteratorAgeAlarm is for a stream that waits: while the function can apply nothing, the
// records grow old. An idle stream has no such metric. Neither has a stream that nobody
// reads, which unreadStreamAlarm watches.
func iteratorAgeAlarm(t *replicatedTable, seconds float64) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:    t.function.Metric(jsii.String("IteratorAge"), over(awscloudwatch.Stats_MAXIMUM())),
		Threshold: jsii.Number(seconds * 1000),
		AlarmDescription: jsii.String("The target table lags behind the source table. " +
			"First read the function's log, which says why and what to do. " +
			"The function also stops when the target table refuses one put after the other because of its own " +
			"definition, such as a secondary index whose key attribute has another type: " +
			"the prop WriteBrake turns that stop off"),
	}
}

// unreadStreamAlarm is for a stream that nobody reads. For each poll, Lambda counts the
// records it found, if only 0. So the alarm watches the number of values and not their sum.
func unreadStreamAlarm(t *replicatedTable, seconds float64) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:             t.MetricPolledEventCount(over(awscloudwatch.Stats_SAMPLE_COUNT())),
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(seconds / alarmPeriod.Seconds()),
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING,
		AlarmDescription: jsii.String(fmt.Sprintf("Nobody has read the source table's stream for %v minutes, ", seconds/60) +
			"or one batch was retried for that long. Changes are gone 24 hours after they were written. " +
			"First see in the function's log whether batches fail. " +
			"If it is silent, see that the event source mapping is enabled, " +
			"that the function's role allows dynamodb:GetRecords, " +
			"that the source table's key is enabled and that the function is not throttled"),
	}
}

// queueAlarm is for messages that wait in queue.
func queueAlarm(queue awssqs.Queue, description string) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:           queue.MetricApproximateNumberOfMessagesVisible(over(awscloudwatch.Stats_MAXIMUM())),
		AlarmDescription: &description,
	}
}

// failureRateAlarm is for a flood of failures. While a single message waits,
// FailureQueueAlarm has gone off already and cannot show the flood.
func failureRateAlarm(t *replicatedTable, failures *float64) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:    t.failureQueue.MetricNumberOfMessagesSent(over(awscloudwatch.Stats_SUM())),
		Threshold: failures,
		AlarmDescription: jsii.String("Many changes at once cannot be replicated and go to the failure queue: " +
			"not a single item but a writer, the mapping or the target table is wrong. " +
			"First read the reasons, in the function's log or in the queue's messages"),
	}
}

// givenUpRecordsAlarm is for records whose positions are in the failure queue. While any
// message waits there, FailureQueueAlarm cannot show them, and they have the least time.
func givenUpRecordsAlarm(t *replicatedTable) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric: t.MetricOnFailureDestinationDeliveredEventCount(over(awscloudwatch.Stats_SUM())),
		AlarmDescription: jsii.String("The event source mapping has given up on records that failed for too long. " +
			"Their positions are in the failure queue, and the records themselves only in the stream, until they are 24 hours old. " +
			"First repair what the function's log names. Then redrive the queue before these hours are over; " +
			"later, verify and repair find what is missing"),
	}
}

// droppedRecordsAlarm is for records without a trace. Lambda counts a record as dropped when
// it could not deliver its position either (AWS Lambda Developer Guide, "Types of metrics for
// Lambda functions").
func droppedRecordsAlarm(t *replicatedTable) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric: t.MetricDroppedEventCount(over(awscloudwatch.Stats_SUM())),
		AlarmDescription: jsii.String("The event source mapping has given up on records and could not send their positions " +
			"to the failure queue: nothing else tells of them. First see that the queue is there, that the function's role " +
			"allows sqs:SendMessage on it, and that its key is enabled. Then verify, and repair"),
	}
}

// functionErrorsAlarm is for invocations that end without an answer. Changes that the function
// reports as failed are not among them.
func functionErrorsAlarm(t *replicatedTable) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric: metricOfFunction(t.function, "Errors", over(awscloudwatch.Stats_SUM())),
		AlarmDescription: jsii.String("The function cannot start, ran out of time or memory, or got a payload that is not " +
			"one of a stream. First read the function's log: a wrong configuration is named there. " +
			"Deploy the stack again if code and configuration are of different releases"),
	}
}

// functionThrottlesAlarm is for a function that gets no execution.
func functionThrottlesAlarm(t *replicatedTable) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:            metricOfFunction(t.function, "Throttles", over(awscloudwatch.Stats_SUM())),
		EvaluationPeriods: jsii.Number(throttledPeriods),
		AlarmDescription: jsii.String("Lambda has throttled the function for 15 minutes, and the stream waits. " +
			"First see the account's concurrency, and ReservedConcurrentExecutions of the function: " +
			"0 stops it, and less than the number of shards makes some wait"),
	}
}

// oldestFailureAlarm is for a message that SQS will soon delete.
func oldestFailureAlarm(t *replicatedTable) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:    t.failureQueue.MetricApproximateAgeOfOldestMessage(over(awscloudwatch.Stats_MAXIMUM())),
		Threshold: jsii.Number(maxFailureAge.Seconds()),
		AlarmDescription: jsii.String(fmt.Sprintf("A message has waited in the failure queue for %v days, and SQS deletes it "+
			"after %d. First redrive the queue", maxFailureAge.Hours()/24, failureRetentionDays)),
	}
}

// targetFailureAlarm is for a target that fails as a whole. It stays on while the target is set
// aside and the source table changes.
func targetFailureAlarm(id string, t target) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric: t.MetricSystemicFailures(over(awscloudwatch.Stats_SUM())),
		AlarmDescription: jsii.String(fmt.Sprintf("The target table of %s fails as a whole: a permission, the table or its key is "+
			"missing, or it refuses every item. First do what the function's log says as the remedy; "+
			"it goes on by itself. Until then the stream waits, or, where other targets do not fail, "+
			"this one is set aside after SetAsideAfter, and the keys of the items that it misses go to the failure queue: "+
			"then redrive the queue", id)),
	}
}

// targetThrottleAlarm is for a target whose capacity does not suffice.
func targetThrottleAlarm(id string, t target) awscloudwatch.AlarmProps {
	return awscloudwatch.AlarmProps{
		Metric:            t.table.Metric(jsii.String("WriteThrottleEvents"), over(awscloudwatch.Stats_SUM())),
		EvaluationPeriods: jsii.Number(throttledPeriods),
		AlarmDescription: jsii.String(fmt.Sprintf("DynamoDB has throttled writes to the target table of %s for 15 minutes. "+
			"It holds up all targets of the stream. First give the table more write capacity, or look for a partition key "+
			"that most items share", id)),
	}
}

// over makes an alarm evaluate one statistic of its metric, period by period.
func over(statistic *string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Statistic: statistic,
		Period:    awscdk.Duration_Minutes(jsii.Number(alarmPeriod.Minutes())),
	}
}

func (t *replicatedTable) IteratorAgeAlarm() awscloudwatch.Alarm    { return t.alarms.iteratorAge }
func (t *replicatedTable) UnreadStreamAlarm() awscloudwatch.Alarm   { return t.alarms.unreadStream }
func (t *replicatedTable) FailureQueueAlarm() awscloudwatch.Alarm   { return t.alarms.failureQueue }
func (t *replicatedTable) FailureRateAlarm() awscloudwatch.Alarm    { return t.alarms.failureRate }
func (t *replicatedTable) GivenUpRecordsAlarm() awscloudwatch.Alarm { return t.alarms.givenUpRecords }
func (t *replicatedTable) DroppedRecordsAlarm() awscloudwatch.Alarm { return t.alarms.droppedRecords }
func (t *replicatedTable) FunctionErrorsAlarm() awscloudwatch.Alarm { return t.alarms.functionErrors }
func (t *replicatedTable) FunctionThrottlesAlarm() awscloudwatch.Alarm {
	return t.alarms.functionThrottles
}
func (t *replicatedTable) OldestFailureAlarm() awscloudwatch.Alarm { return t.alarms.oldestFailure }
func (t *replicatedTable) CompositeAlarm() awscloudwatch.CompositeAlarm {
	return t.alarms.composite
}
func (t *replicatedTable) FailureDeadLetterQueueAlarm() awscloudwatch.Alarm {
	return t.alarms.failureDeadLetterQueue
}

func (t target) FailureAlarm() awscloudwatch.Alarm  { return t.alarms.failure }
func (t target) ThrottleAlarm() awscloudwatch.Alarm { return t.alarms.throttle }

package replicatedtable

import (
	"cmp"
	"fmt"
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

	// alarmPeriod is the length of the periods in which an alarm evaluates its metric.
	alarmPeriod = 5 * time.Minute
)

// defineAlarms defines all alarms, or none.
func (t *replicatedTable) defineAlarms(props *AlarmsProps, s sizes) {
	if !props.areEnabled() {
		return
	}

	t.iteratorAgeAlarm = newIteratorAgeAlarm(t, s.iteratorAge())
	t.unreadStreamAlarm = newUnreadStreamAlarm(t, s.unread())
	t.failureQueueAlarm = newQueueAlarm(t, "FailureQueueAlarm", t.failureQueue,
		"Changes of the source table that could not be replicated wait in the failure queue")
	t.failureRateAlarm = newFailureRateAlarm(t, cmp.Or(props.MaxFailures, jsii.Number(maxFailuresPerPeriod)))
	t.failureDeadLetterQueueAlarm = newQueueAlarm(t, "FailureDeadLetterQueueAlarm", t.failureDeadLetterQueue,
		"Messages of the failure queue could not be handled, and wait in its dead-letter queue")

	if props.Actions == nil {
		return
	}
	for _, alarm := range []awscloudwatch.Alarm{
		t.iteratorAgeAlarm, t.unreadStreamAlarm, t.failureQueueAlarm, t.failureRateAlarm, t.failureDeadLetterQueueAlarm,
	} {
		alarm.AddAlarmAction(*props.Actions...)
	}
}

// newIteratorAgeAlarm defines the alarm for a stream that waits: while the function
// can apply nothing, the records grow old. An idle stream has no such metric. Neither
// has a stream that nobody reads, which newUnreadStreamAlarm watches.
func newIteratorAgeAlarm(t *replicatedTable, seconds float64) awscloudwatch.Alarm {
	return newAlarm(t, "IteratorAgeAlarm", awscloudwatch.AlarmProps{
		Metric:    t.function.Metric(jsii.String("IteratorAge"), over(awscloudwatch.Stats_MAXIMUM())),
		Threshold: jsii.Number(seconds * 1000),
		AlarmDescription: jsii.String("The target table lags behind the source table; the function's log says why. " +
			"The function also stops when the target table refuses one put after the other because of its own " +
			"definition, such as a secondary index whose key attribute has another type: " +
			"the prop WriteBrake turns that stop off"),
	})
}

// newUnreadStreamAlarm defines the alarm for a stream that nobody reads. For each
// poll, Lambda counts the records it found, if only 0. So the alarm watches the
// number of values and not their sum.
func newUnreadStreamAlarm(t *replicatedTable, seconds float64) awscloudwatch.Alarm {
	polls := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String("AWS/Lambda"),
		MetricName:    jsii.String("PolledEventCount"),
		DimensionsMap: &map[string]*string{"EventSourceMappingUUID": t.eventSourceMapping.Ref()},
	})
	return newAlarm(t, "UnreadStreamAlarm", awscloudwatch.AlarmProps{
		Metric:             polls.With(over(awscloudwatch.Stats_SAMPLE_COUNT())),
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
	})
}

// newQueueAlarm defines the alarm for messages that wait in queue.
func newQueueAlarm(t *replicatedTable, id string, queue awssqs.Queue, description string) awscloudwatch.Alarm {
	return newAlarm(t, id, awscloudwatch.AlarmProps{
		Metric:           queue.MetricApproximateNumberOfMessagesVisible(over(awscloudwatch.Stats_MAXIMUM())),
		Threshold:        jsii.Number(0),
		AlarmDescription: jsii.String(description),
	})
}

// newFailureRateAlarm defines the alarm for a flood of failures. While a single
// message waits, FailureQueueAlarm has gone off already and cannot show the flood.
func newFailureRateAlarm(t *replicatedTable, failures *float64) awscloudwatch.Alarm {
	return newAlarm(t, "FailureRateAlarm", awscloudwatch.AlarmProps{
		Metric:    t.failureQueue.MetricNumberOfMessagesSent(over(awscloudwatch.Stats_SUM())),
		Threshold: failures,
		AlarmDescription: jsii.String("Many changes at once cannot be replicated and go to the failure queue: " +
			"not a single item but a writer, the mapping or the target table is wrong. " +
			"The reasons are in the queue's messages and in the function's log"),
	})
}

// over makes an alarm evaluate one statistic of its metric, period by period.
func over(statistic *string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Statistic: statistic,
		Period:    awscdk.Duration_Minutes(jsii.Number(alarmPeriod.Minutes())),
	}
}

// newAlarm defines an alarm. Unless props say otherwise, it goes off as soon as the
// value of one period exceeds the threshold, and a period without values is healthy.
func newAlarm(scope constructs.Construct, id string, props awscloudwatch.AlarmProps) awscloudwatch.Alarm {
	props.ComparisonOperator = cmp.Or(
		props.ComparisonOperator, awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD)
	props.EvaluationPeriods = cmp.Or(props.EvaluationPeriods, jsii.Number(1))
	props.TreatMissingData = cmp.Or(props.TreatMissingData, awscloudwatch.TreatMissingData_NOT_BREACHING)

	return awscloudwatch.NewAlarm(scope, jsii.String(id), &props)
}

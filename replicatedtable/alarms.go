package replicatedtable

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

const (
	// maxIteratorAge is how old a record may be when the function gets it. Batches
	// take seconds, so a stream that lags this far is stuck, or gets more than one
	// function can apply; and more than ten hours are left to repair it.
	maxIteratorAge = 10 * time.Minute

	// alarmPeriodMinutes is over what time an alarm looks at its metric.
	alarmPeriodMinutes = 5
)

// newIteratorAgeAlarm defines the alarm for a stream that waits: while nothing can
// be applied, its records grow old. An idle stream has no such metric.
func newIteratorAgeAlarm(t *replicatedTable) awscloudwatch.Alarm {
	age := t.function.Metric(jsii.String("IteratorAge"), maximum())
	return newAlarm(t, "IteratorAgeAlarm", age, float64(maxIteratorAge.Milliseconds()),
		"The target table lags behind the source table; the function's log says why")
}

// newQueueAlarm defines the alarm for what could not be replicated, as long as it
// waits in queue.
func newQueueAlarm(t *replicatedTable, id string, queue awssqs.Queue, description string) awscloudwatch.Alarm {
	return newAlarm(t, id, queue.MetricApproximateNumberOfMessagesVisible(maximum()), 0, description)
}

// maximum is what an alarm looks at: the highest value of a period.
func maximum() *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{
		Statistic: awscloudwatch.Stats_MAXIMUM(),
		Period:    awscdk.Duration_Minutes(jsii.Number(alarmPeriodMinutes)),
	}
}

// newAlarm defines an alarm that goes off as soon as metric is above threshold.
func newAlarm(t *replicatedTable, id string, metric awscloudwatch.IMetric, threshold float64, description string) awscloudwatch.Alarm {
	return awscloudwatch.NewAlarm(t, jsii.String(id), &awscloudwatch.AlarmProps{
		Metric:             metric,
		Threshold:          jsii.Number(threshold),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		AlarmDescription:   jsii.String(description),
	})
}

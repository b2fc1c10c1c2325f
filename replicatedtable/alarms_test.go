package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
)

func TestAnAlarmGoesOffWhenTheStreamIsUnreadOrWaitsAndWhenAFailureDoes(t *testing.T) {
	// F1, F3 and F9.
	k := allKinds(t)
	const above, below = "GreaterThanThreshold", "LessThanThreshold"
	const healthy, breaching = "notBreaching", "breaching"
	dimension := func(name string, value any) any {
		return []any{map[string]any{"Name": name, "Value": value}}
	}
	queue := func(c constructs.IConstruct) any {
		return dimension("QueueName", getAtt(logicalID(k.stack, c), "QueueName"))
	}

	for _, tt := range []struct {
		alarm                 constructs.Construct
		namespace, metric     string
		dimensions            any
		statistic, comparison string
		threshold, periods    float64
		missing               string
		says                  []string
	}{
		{
			k.users.IteratorAgeAlarm(), "AWS/Lambda", "IteratorAge",
			dimension("FunctionName", ref(logicalID(k.stack, k.users.Function()))),
			"Maximum", above, 600000, 1, healthy, // an idle stream has no age
			[]string{"log", "index", "WriteBrake"},
		},
		{
			k.users.UnreadStreamAlarm(), "AWS/Lambda", "PolledEventCount",
			dimension("EventSourceMappingUUID", ref(logicalID(k.stack, k.users.EventSourceMapping()))),
			"SampleCount", below, 1, 3, breaching, // an idle stream is polled too, and counts 0
			[]string{"15 minutes", "retried", "24 hours", "mapping is enabled", "GetRecords", "key", "throttled"},
		},
		{
			k.users.FailureQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible",
			queue(k.users.FailureQueue()),
			"Maximum", above, 0, 1, healthy, // a queue that nobody uses has no metrics
			[]string{"failure queue"},
		},
		{
			k.users.FailureRateAlarm(), "AWS/SQS", "NumberOfMessagesSent", queue(k.users.FailureQueue()),
			"Sum", above, 10, 1, healthy,
			[]string{"Many changes", "reasons"},
		},
		{
			k.users.FailureDeadLetterQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible",
			queue(k.users.FailureDeadLetterQueue()),
			"Maximum", above, 0, 1, healthy,
			[]string{"dead-letter queue"},
		},
	} {
		t.Run(tt.metric, func(t *testing.T) {
			r := k.resource(tt.alarm)
			r.want(t, "Namespace", tt.namespace)
			r.want(t, "MetricName", tt.metric)
			r.want(t, "Dimensions", tt.dimensions)
			r.want(t, "Statistic", tt.statistic)
			r.want(t, "Period", 300)
			r.want(t, "ComparisonOperator", tt.comparison)
			r.want(t, "Threshold", tt.threshold)
			r.want(t, "EvaluationPeriods", tt.periods)
			r.want(t, "TreatMissingData", tt.missing)

			description := r.Properties["AlarmDescription"].(string)
			for _, word := range tt.says {
				if !strings.Contains(description, word) {
					t.Errorf("the description does not say %q: %s", word, description)
				}
			}
			if len(description) > maxDescription {
				t.Errorf("the description has %d bytes, the limit is %d", len(description), maxDescription)
			}
		})
	}
}

// maxDescription is the limit for the characters of an alarm's description. Source:
// Amazon CloudWatch API Reference, PutMetricAlarm, AlarmDescription.
const maxDescription = 1024

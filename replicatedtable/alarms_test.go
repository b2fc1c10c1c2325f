package replicatedtable

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

func TestAnAlarmGoesOffWhenTheStreamIsUnreadOrWaitsAndWhenAFailureDoes(t *testing.T) {
	// F1, F3, F5, F9 and T3.
	m := newMonitored(t)
	tpl := synthesize(t, m.stack)
	const above, below = "GreaterThanThreshold", "LessThanThreshold"
	const healthy, breaching = "notBreaching", "breaching"
	dimension := func(name string, value any) any {
		return []any{map[string]any{"Name": name, "Value": value}}
	}
	id := func(c constructs.IConstruct) string { return logicalID(m.stack, c) }
	queue := func(c constructs.IConstruct) any { return dimension("QueueName", getAtt(id(c), "QueueName")) }
	function := ref(id(m.users.Function()))
	mapping := dimension("EventSourceMappingUUID", ref(id(m.users.EventSourceMapping())))
	table := ref(id(m.users.Target().Table()))

	for _, tt := range []struct {
		heading               string
		alarm                 awscloudwatch.Alarm
		namespace, metric     string
		dimensions            any
		statistic, comparison string
		threshold, periods    float64
		missing               string
		says                  []string
	}{
		{
			"IteratorAgeAlarm", m.users.IteratorAgeAlarm(), "AWS/Lambda", "IteratorAge", dimension("FunctionName", function),
			"Maximum", above, 600000, 1, healthy, // an idle stream has no age
			[]string{"log", "index", "WriteBrake"},
		},
		{
			"UnreadStreamAlarm", m.users.UnreadStreamAlarm(), "AWS/Lambda", "PolledEventCount", mapping,
			"SampleCount", below, 1, 3, breaching, // an idle stream is polled too, and counts 0
			[]string{"15 minutes", "retried", "24 hours", "mapping is enabled", "GetRecords", "key", "throttled"},
		},
		{
			"FailureQueueAlarm", m.users.FailureQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible",
			queue(m.users.FailureQueue()),
			"Maximum", above, 0, 1, healthy, // a queue that nobody uses has no metrics
			[]string{"failure queue", "redrive"},
		},
		{
			"FailureRateAlarm", m.users.FailureRateAlarm(), "AWS/SQS", "NumberOfMessagesSent", queue(m.users.FailureQueue()),
			"Sum", above, 10, 1, healthy,
			[]string{"Many changes", "reasons"},
		},
		{
			"FailureDeadLetterQueueAlarm", m.users.FailureDeadLetterQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible",
			queue(m.users.FailureDeadLetterQueue()),
			"Maximum", above, 0, 1, healthy,
			[]string{"dead-letter queue", "redrive"},
		},
		{
			"GivenUpRecordsAlarm", m.users.GivenUpRecordsAlarm(), "AWS/Lambda", "OnFailureDestinationDeliveredEventCount", mapping,
			"Sum", above, 0, 1, healthy,
			[]string{"given up", "24 hours", "redrive"},
		},
		{
			"DroppedRecordsAlarm", m.users.DroppedRecordsAlarm(), "AWS/Lambda", "DroppedEventCount", mapping,
			"Sum", above, 0, 1, healthy,
			[]string{"could not send", "sqs:SendMessage", "verify"},
		},
		{
			"FunctionErrorsAlarm", m.users.FunctionErrorsAlarm(), "AWS/Lambda", "Errors", dimension("FunctionName", function),
			"Sum", above, 0, 1, healthy,
			[]string{"cannot start", "log"},
		},
		{
			"FunctionThrottlesAlarm", m.users.FunctionThrottlesAlarm(), "AWS/Lambda", "Throttles", dimension("FunctionName", function),
			"Sum", above, 0, 3, healthy, // moments of it are retried
			[]string{"15 minutes", "ReservedConcurrentExecutions"},
		},
		{
			"OldestFailureAlarm", m.users.OldestFailureAlarm(), "AWS/SQS", "ApproximateAgeOfOldestMessage", queue(m.users.FailureQueue()),
			"Maximum", above, 10 * 24 * 60 * 60, 1, healthy,
			[]string{"10 days", "after 14", "redrive"},
		},
		{
			"TargetFailureAlarm", m.users.Target().FailureAlarm(), "ReplicatedTable", "SystemicFailures", []any{
				map[string]any{"Name": "FunctionName", "Value": function}, map[string]any{"Name": "TargetTable", "Value": table},
			},
			"Sum", above, 0, 1, healthy, // a healthy target reports nothing
			[]string{"of Target", "remedy", "set aside", "redrive"},
		},
		{
			"TargetThrottleAlarm", m.users.Target().ThrottleAlarm(), "AWS/DynamoDB", "WriteThrottleEvents", dimension("TableName", table),
			"Sum", above, 0, 3, healthy, // moments of it are retried
			[]string{"of Target", "capacity"},
		},
	} {
		t.Run(tt.heading, func(t *testing.T) {
			r := tpl.Resources[id(tt.alarm)]
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
			for _, word := range append(tt.says, "First ") {
				if !strings.Contains(description, word) {
					t.Errorf("the description does not say %q: %s", word, description)
				}
			}
			if !strings.HasSuffix(description, ". Runbook: "+runbook+"#"+strings.ToLower(tt.heading)) {
				t.Errorf("the description does not end with the link to its heading: %s", description)
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

// A message that waits for days keeps three alarms on. In the composite alarm they would hide
// everything that goes wrong meanwhile.
func TestTheCompositeAlarmIsOnWhileSomethingGoesWrongNow(t *testing.T) {
	m := newMonitored(t)
	tpl := synthesize(t, m.stack)
	composite := tpl.Resources[logicalID(m.stack, m.users.CompositeAlarm())]
	rule := toJSON(t, composite.Properties["AlarmRule"])
	composite.want(t, "AlarmActions", []any{"arn:aws:sns:eu-west-1:111122223333:alarms"})

	waiting := []string{
		logicalID(m.stack, m.users.FailureQueueAlarm()), logicalID(m.stack, m.users.FailureDeadLetterQueueAlarm()),
		logicalID(m.stack, m.users.OldestFailureAlarm()),
	}
	alarms := 0
	for id, r := range tpl.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		r.want(t, "AlarmActions", nil)
		if in := strings.Contains(rule, `"`+id+`"`); in == slices.Contains(waiting, id) {
			t.Errorf("%s is in the rule: %v", id, in)
		}
	}
	if alarms != 16 || strings.Count(rule, "ALARM(") != alarms-len(waiting) || strings.Count(rule, " OR ") != alarms-len(waiting)-1 {
		t.Errorf("the rule of %d alarms is %s", alarms, rule)
	}
	if text := composite.Properties["AlarmDescription"].(string); !strings.HasSuffix(text, "#compositealarm") {
		t.Errorf("the description has no link: %s", text)
	}
}

func TestWithoutMetricsThereIsNoAlarmThatNeedsThem(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Metrics = MetricsLevel_NONE
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	added := table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)

	if table.Target().FailureAlarm() != nil || added.FailureAlarm() != nil {
		t.Error("a target has an alarm")
	}
	for id, r := range synthesize(t, stack).Resources {
		if r.Type == "AWS::CloudWatch::Alarm" && r.Properties["Namespace"] == "ReplicatedTable" {
			t.Errorf("%s watches a metric that nobody reports", id)
		}
	}
	if table.IteratorAgeAlarm() == nil || table.DroppedRecordsAlarm() == nil {
		t.Error("the other alarms are missing")
	}
	if table.CompositeAlarm() != nil {
		t.Error("nobody asks for a composite alarm")
	}
}

func TestTheRuleOfTheCompositeAlarmIsNotTooLong(t *testing.T) {
	for _, all := range []bool{false, true} {
		stack := newStack(t)
		props := everyConstruct(stack)
		props.Alarms = &AlarmsProps{All: &all, CompositeActions: &[]awscloudwatch.IAlarmAction{}}
		table := NewReplicatedTable(stack, jsii.String("Cities"), props)
		problem, targets := "", 0
		for ; problem == ""; targets++ {
			problem = panicOf(func() {
				table.AddTarget(jsii.String(fmt.Sprint("ByCity", targets)), lastWriterProps().Target)
			})
		}
		want := fmt.Sprintf(`App/Cities: AddTarget("ByCity%d") adds alarms to CompositeAlarm, whose rule would be too long: `+
			"CloudWatch allows 100 alarms and 10240 characters. Leave out Alarms.All and Alarms.CompositeActions, "+
			"and use Alarms.Actions", targets-1)
		if problem != want {
			t.Errorf("got %q, want %q", problem, want)
		}

		composite := synthesize(t, stack).Resources[logicalID(stack, table.CompositeAlarm())]
		if n := strings.Count(toJSON(t, composite.Properties["AlarmRule"]), "ALARM("); n < 50 || n > maxRuleAlarms {
			t.Errorf("the rule has %d alarms", n)
		}
	}
}

func TestTheAlarmsOfAnAddedTargetHaveTheActionsToo(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Cities"), everyConstruct(stack))
	added := table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)
	if first := table.Target().FailureAlarm(); *first.Node().Id() == *added.FailureAlarm().Node().Id() {
		t.Error("the alarms of two targets have one ID: a function could be the action of only one of them")
	}
	synthesize(t, stack).Resources[logicalID(stack, added.FailureAlarm())].
		want(t, "AlarmActions", []any{"arn:aws:sns:eu-west-1:111122223333:alarms"})
}

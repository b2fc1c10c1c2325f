package replicatedtable

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// dimensionTypes say what a dimension has to be the name of, by its own name.
var dimensionTypes = map[string]string{
	"FunctionName":           "AWS::Lambda::Function",
	"EventSourceMappingUUID": "AWS::Lambda::EventSourceMapping",
	"QueueName":              "AWS::SQS::Queue",
	"TableName":              "AWS::DynamoDB::GlobalTable",
	"TargetTable":            "AWS::DynamoDB::GlobalTable",
	"LogGroupName":           "AWS::Logs::LogGroup",
}

// existingMetrics are the metrics that there are, with their dimensions in order: those of
// AWS that the construct uses, and all that the function reports. Sources: AWS Lambda
// Developer Guide, "Types of metrics for Lambda functions" and "Using CloudWatch metrics with
// Lambda"; Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS"; Amazon
// DynamoDB Developer Guide, "DynamoDB Metrics and dimensions"; Amazon CloudWatch Logs User
// Guide, "Monitoring with CloudWatch metrics".
func existingMetrics(level MetricsLevel) map[string]string {
	known := map[string]string{}
	add := func(namespace, dimensions string, names ...string) {
		for _, name := range names {
			known[namespace+" "+name+" "+dimensions] = ""
		}
	}
	add("AWS/Lambda", "FunctionName", "IteratorAge", "Errors", "Throttles", "Invocations", "Duration")
	add("AWS/Lambda", "EventSourceMappingUUID", "PolledEventCount", "FilteredOutEventCount", "InvokedEventCount",
		"FailedInvokeEventCount", "DroppedEventCount", "OnFailureDestinationDeliveredEventCount")
	add("AWS/SQS", "QueueName", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent", "ApproximateAgeOfOldestMessage")
	add("AWS/DynamoDB", "TableName", "ConsumedWriteCapacityUnits", "WriteThrottleEvents")
	add("AWS/Logs", "LogGroupName", "IncomingBytes")

	own := func(dimensions string, metrics []spec.Metric) {
		for _, m := range metrics {
			add(spec.MetricsNamespace, dimensions, m.Name)
		}
	}
	const ofTarget = spec.FunctionDimension + "," + spec.TargetDimension
	switch level {
	case MetricsLevel_NONE:
	case MetricsLevel_PER_TARGET:
		own(spec.FunctionDimension, spec.InvocationMetrics())
		own(ofTarget, spec.TargetMetrics())
	default:
		own(spec.FunctionDimension, spec.InvocationMetrics())
		own(ofTarget, spec.TroubleMetrics())
	}

	return known
}

// usedMetric is a metric of an alarm or a widget.
type usedMetric struct {
	by, namespace, name string
	// dimensions are the values by their names: texts, or references of the template.
	dimensions map[string]any
}

func (m usedMetric) String() string {
	return m.namespace + " " + m.name + " " + strings.Join(slices.Sorted(maps.Keys(m.dimensions)), ",")
}

// usedMetrics returns the metrics of all alarms and dashboards of a template.
func usedMetrics(t *testing.T, tpl template) []usedMetric {
	t.Helper()
	var used []usedMetric
	for id, r := range tpl.Resources {
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			m := usedMetric{id, r.Properties["Namespace"].(string), r.Properties["MetricName"].(string), map[string]any{}}
			for _, d := range r.Properties["Dimensions"].([]any) {
				m.dimensions[d.(map[string]any)["Name"].(string)] = d.(map[string]any)["Value"]
			}
			used = append(used, m)
		case "AWS::CloudWatch::Dashboard":
			for _, w := range widgets(t, r) {
				used = append(used, w.metrics(id+", "+w.Properties.Title)...)
			}
		}
	}
	return used
}

// widget is a part of a dashboard's body.
type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Markdown, Region string
		Alarms                  []string
		Metrics                 [][]any
	}
}

// widgets reads the body of a dashboard. What deployment fills in becomes "${…}".
func widgets(t *testing.T, dashboard resource) []widget {
	t.Helper()
	parts := dashboard.Properties["DashboardBody"].(map[string]any)["Fn::Join"].([]any)[1].([]any)
	var body strings.Builder
	for _, part := range parts {
		if text, ok := part.(string); ok {
			body.WriteString(text)
			continue
		}
		quoted := toJSON(t, "${"+toJSON(t, part)+"}")
		body.WriteString(quoted[1 : len(quoted)-1])
	}
	var read struct{ Widgets []widget }
	if err := json.Unmarshal([]byte(body.String()), &read); err != nil {
		t.Fatalf("%s: %v", body.String(), err)
	}
	return read.Widgets
}

// metrics reads the metrics of a graph: each a list of the namespace, the name, the
// dimensions in turns, and options.
func (w widget) metrics(by string) []usedMetric {
	var used []usedMetric
	for _, list := range w.Properties.Metrics {
		m := usedMetric{by, list[0].(string), list[1].(string), map[string]any{}}
		for i := 2; i+1 < len(list); i += 2 {
			text := list[i+1].(string)
			var reference any
			if inner, ok := strings.CutPrefix(text, "${"); ok && json.Unmarshal([]byte(strings.TrimSuffix(inner, "}")), &reference) == nil {
				m.dimensions[list[i].(string)] = reference
			} else {
				m.dimensions[list[i].(string)] = text
			}
		}
		used = append(used, m)
	}
	return used
}

// referenced returns the logical ID in a reference, or "".
func referenced(value any) string {
	reference, _ := value.(map[string]any)
	if id, ok := reference["Ref"].(string); ok {
		return id
	}
	if list, ok := reference["Fn::GetAtt"].([]any); ok {
		return list[0].(string)
	}
	return ""
}

func TestEveryMetricOfAnAlarmOrAWidgetExistsWithExactlyItsDimensions(t *testing.T) {
	for _, tt := range []struct {
		level MetricsLevel
		all   bool
	}{
		{"", false}, {MetricsLevel_BASIC, true}, {MetricsLevel_PER_TARGET, true}, {MetricsLevel_NONE, false},
	} {
		t.Run(fmt.Sprintf("%q, all alarms %v", tt.level, tt.all), func(t *testing.T) {
			stack := newStack(t)
			props := uniqueProps()
			props.Metrics, props.Alarms = tt.level, &AlarmsProps{All: &tt.all}
			table := NewReplicatedTable(stack, jsii.String("Users"), props)
			table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)
			table.AddDashboard(jsii.String("Dashboard"), nil)

			tpl := synthesize(t, stack)
			existing, used := existingMetrics(tt.level), usedMetrics(t, tpl)
			if len(used) < 20 {
				t.Fatalf("only %d metrics are used", len(used))
			}
			for _, m := range used {
				if _, found := existing[m.String()]; !found {
					t.Errorf("%s: there is no metric %s", m.by, m)
				}
				for name, value := range m.dimensions {
					if got := tpl.Resources[referenced(value)].Type; got != dimensionTypes[name] {
						t.Errorf("%s: %s of %s is %v, which is a %q", m.by, name, m.name, value, got)
					}
				}
			}
		})
	}
}

// The golden stack has all that there is to see: what it does not use nobody watches.
func TestTheAlarmsAndTheDashboardShowEveryTarget(t *testing.T) {
	m := newMonitored(t)
	tpl := synthesize(t, m.stack)
	seen := map[string]map[string]bool{}
	for _, used := range usedMetrics(t, tpl) {
		for _, name := range []string{"TargetTable", "TableName"} {
			if id := referenced(used.dimensions[name]); id != "" {
				if seen[used.name] == nil {
					seen[used.name] = map[string]bool{}
				}
				seen[used.name][id] = true
			}
		}
	}
	for _, name := range []string{"SystemicFailures", "ConsumedWriteCapacityUnits", "WriteThrottleEvents"} {
		if len(seen[name]) != 3 {
			t.Errorf("%s is shown of %v, want all three targets", name, seen[name])
		}
	}
}

// metricMethods are the methods of a table, by the name of their metric.
func metricMethods(r ReplicatedTable) map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric{
		"Records": r.MetricRecords, "Writes": r.MetricWrites, "Elided": r.MetricElided, "Unmapped": r.MetricUnmapped,
		"Stale": r.MetricStale, "Retried": r.MetricRetried, "Failed": r.MetricFailed, "SetAside": r.MetricSetAside,
		"Lag": r.MetricLag, "Duration": r.MetricDuration,
	}
}

// troubleMethods are those of a target's metrics in trouble, perTargetMethods the others.
func troubleMethods(r Target) map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric{
		"SystemicFailures": r.MetricSystemicFailures, "SetAside": r.MetricSetAside, "SingleWrites": r.MetricSingleWrites,
	}
}

func perTargetMethods(r Target) map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric{
		"Writes": r.MetricWrites, "Elided": r.MetricElided, "Unmapped": r.MetricUnmapped, "Stale": r.MetricStale,
		"Retried": r.MetricRetried, "Failed": r.MetricFailed, "Duration": r.MetricDuration,
	}
}

func TestEveryMetricOfTheFunctionHasAMethod(t *testing.T) {
	table := newMonitored(t).users
	check := func(of string, metrics []spec.Metric, dimensions string, methods ...map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric) {
		all := map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric{}
		for _, some := range methods {
			maps.Copy(all, some)
		}
		if len(all) != len(metrics) {
			t.Errorf("%s has %d methods, want %d", of, len(all), len(metrics))
		}
		for _, m := range metrics {
			method := all[m.Name]
			if method == nil {
				t.Errorf("%s has no method for %s", of, m.Name)
				continue
			}
			got := method(nil)
			names := slices.Sorted(maps.Keys(*got.Dimensions()))
			if *got.Namespace() != spec.MetricsNamespace || *got.MetricName() != m.Name || strings.Join(names, ",") != dimensions {
				t.Errorf("%s: the method of %s returns %s %s with %v", of, m.Name, *got.Namespace(), *got.MetricName(), names)
			}
			want := map[spec.Unit]string{spec.Count: "Sum", spec.Milliseconds: "Maximum"}[m.Unit]
			if *got.Statistic() != want || *method(&awscloudwatch.MetricOptions{Statistic: jsii.String("p99")}).Statistic() != "p99" {
				t.Errorf("%s: %s has the statistic %s, want %s, or that of the options", of, m.Name, *got.Statistic(), want)
			}
		}
	}
	check("the table", spec.InvocationMetrics(), "FunctionName", metricMethods(table))
	check("a target", spec.TargetMetrics(), "FunctionName,TargetTable", troubleMethods(table.Target()), perTargetMethods(table.Target()))
}

func TestAMetricThatIsNotReportedIsRefusedInOneLine(t *testing.T) {
	for _, tt := range []struct {
		level                     MetricsLevel
		all, inTrouble, perTarget string
	}{
		{MetricsLevel_BASIC, "", "", "is not reported, because Metrics is BASIC: set Metrics to PER_TARGET"},
		{MetricsLevel_NONE, "is not reported, because Metrics is NONE: set Metrics to BASIC or PER_TARGET",
			"is not reported, because Metrics is NONE: set Metrics to BASIC or PER_TARGET",
			"is not reported, because Metrics is NONE: set Metrics to BASIC or PER_TARGET"},
	} {
		stack := newStack(t)
		props := uniqueProps()
		props.Metrics = tt.level
		table := NewReplicatedTable(stack, jsii.String("Users"), props)
		expect := func(path string, methods map[string]func(*awscloudwatch.MetricOptions) awscloudwatch.Metric, why string) {
			for name, method := range methods {
				want := ""
				if why != "" {
					want = path + ": Metric" + name + " " + why
				}
				if got := panicOf(func() { method(nil) }); got != want {
					t.Errorf("%s: got %q, want %q", tt.level, got, want)
				}
			}
		}
		expect("App/Users", metricMethods(table), tt.all)
		expect("App/Users/Target", troubleMethods(table.Target()), tt.inTrouble)
		expect("App/Users/Target", perTargetMethods(table.Target()), tt.perTarget)
	}
}

func TestTheMetricsOfAnImportedTargetNeedTheNameOfTheFunction(t *testing.T) {
	stack := newStack(t)
	attributes := &ReplicatedTableAttributes{
		TargetTable: awsdynamodb.Table_FromTableName(stack, jsii.String("ByState"), jsii.String("by-state")),
	}
	without := ReplicatedTable_FromAttributes(stack, jsii.String("Without"), attributes).Target()
	want := "App/ByState: MetricWrites needs the name of the function: set FunctionName in ReplicatedTable_FromAttributes"
	if got := panicOf(func() { without.MetricWrites(nil) }); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if without.FailureAlarm() != nil || without.ThrottleAlarm() != nil {
		t.Error("an imported target has alarms")
	}

	attributes.FunctionName = jsii.String("replicate")
	m := ReplicatedTable_FromAttributes(stack, jsii.String("With"), attributes).Target().MetricWrites(nil)
	if got := toJSON(t, m.Dimensions()); got != `{"FunctionName":"replicate","TargetTable":"by-state"}` {
		t.Errorf("the dimensions are %s", got)
	}
}

func TestTheFunctionIsToldTheLevelOfItsMetrics(t *testing.T) {
	for level, want := range map[MetricsLevel]spec.MetricsLevel{
		"": "", MetricsLevel_BASIC: spec.MetricsBasic, MetricsLevel_PER_TARGET: spec.MetricsPerTarget, MetricsLevel_NONE: spec.MetricsNone,
	} {
		props := uniqueProps()
		props.Metrics = level
		if got := toReplication(props, sizes{}).Metrics; got != want {
			t.Errorf("%q becomes %q, want %q", level, got, want)
		}
	}
}

package replicatedtable

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The measures of the dashboard, in units of its grid, which is 24 wide. Source: Amazon
// CloudWatch API Reference, "Dashboard Body Structure and Syntax".
const (
	dashboardWidth = 24
	headingHeight  = 1
	graphWidth     = dashboardWidth / 3
	graphHeight    = 5
	// alarmsPerRow is how many alarms the console shows beside each other in the whole width.
	alarmsPerRow = 6
)

// AddDashboard says with one look whether the targets keep up, whether something fails, and
// what it costs: three rows of three graphs, below the state of all alarms.
func (t *replicatedTable) AddDashboard(id *string, props *awscloudwatch.DashboardProps) awscloudwatch.Dashboard {
	path := freePath("AddDashboard", t, id)
	defer refuse(t, id, path)
	dashboard := awscloudwatch.NewDashboard(t, id, props)
	t.hasDashboard = true

	if len(t.alarms.all) > 0 {
		dashboard.AddWidgets(alarmWidget(t.alarms.all))
	}
	dashboard.AddWidgets(heading("Keeping up?"))
	dashboard.AddWidgets(t.lagGraph(), t.changesGraph(), t.pollsGraph())
	dashboard.AddWidgets(heading("Failing?"))
	dashboard.AddWidgets(t.failuresGraph(), t.queueGraph(), t.lambdaGraph())
	dashboard.AddWidgets(heading("Costing what?"))
	dashboard.AddWidgets(t.writeUnitsGraph(), t.invocationsGraph(), t.logGraph())

	return dashboard
}

func alarmWidget(alarms []awscloudwatch.Alarm) awscloudwatch.IWidget {
	list := make([]interfacesawscloudwatch.IAlarmRef, len(alarms))
	for i, alarm := range alarms {
		list[i] = alarm
	}
	rows := (len(alarms) + alarmsPerRow - 1) / alarmsPerRow
	return awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms"), Alarms: &list,
		Width: jsii.Number(dashboardWidth), Height: jsii.Number(float64(1 + rows)),
	})
}

func heading(text string) awscloudwatch.IWidget {
	return awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{
		Markdown: jsii.String("## " + text), Background: awscloudwatch.TextWidgetBackground_TRANSPARENT,
		Width: jsii.Number(dashboardWidth), Height: jsii.Number(headingHeight),
	})
}

// graph is a graph of metrics per minute.
func graph(title string, left, right []awscloudwatch.IMetric, lines ...*awscloudwatch.HorizontalAnnotation) awscloudwatch.IWidget {
	fromZero := &awscloudwatch.YAxisProps{Min: jsii.Number(0), ShowUnits: jsii.Bool(false)}
	props := awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &left, LeftYAxis: fromZero, LeftAnnotations: &lines,
		Width: jsii.Number(graphWidth), Height: jsii.Number(graphHeight),
	}
	if len(right) > 0 {
		props.Right, props.RightYAxis = &right, fromZero
	}
	return awscloudwatch.NewGraphWidget(&props)
}

// labeled are the options of a metric in a graph.
func labeled(label string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Label: &label, Period: awscdk.Duration_Minutes(jsii.Number(1))}
}

// labeledWith are the same with another statistic.
func labeledWith(label string, statistic *string) *awscloudwatch.MetricOptions {
	options := labeled(label)
	options.Statistic = statistic
	return options
}

// own returns metrics of the function's own, or none when it reports none.
func (t *replicatedTable) own(metrics ...func() awscloudwatch.IMetric) []awscloudwatch.IMetric {
	var list []awscloudwatch.IMetric
	for _, metric := range metrics {
		if t.reportsMetrics() {
			list = append(list, metric())
		}
	}
	return list
}

// line defers a metric of the invocations until it is known that there are any.
func (t *replicatedTable) line(m spec.Metric, label string) func() awscloudwatch.IMetric {
	return func() awscloudwatch.IMetric { return t.metric("AddDashboard", m, labeled(label)) }
}

func (t *replicatedTable) lagGraph() awscloudwatch.IWidget {
	age := t.function.Metric(jsii.String("IteratorAge"), labeledWith("youngest record of a batch (ms)", awscloudwatch.Stats_MAXIMUM()))
	var lines []*awscloudwatch.HorizontalAnnotation
	if t.alarms.iteratorAge != nil {
		lines = append(lines, &awscloudwatch.HorizontalAnnotation{
			Value: jsii.Number(t.iteratorAgeMilliseconds), Label: jsii.String("alarm"),
		})
	}
	return graph("Lag", append(t.own(t.line(spec.MetricLag, "oldest record of a batch (ms)")), age), nil, lines...)
}

func (t *replicatedTable) changesGraph() awscloudwatch.IWidget {
	own := t.own(t.line(spec.MetricWrites, "written"), t.line(spec.MetricElided, "elided"),
		t.line(spec.MetricUnmapped, "unmapped"), t.line(spec.MetricStale, "stale"))
	return graph("Changes", slices.Concat([]awscloudwatch.IMetric{
		t.MetricInvokedEventCount(labeled("delivered")), t.MetricFilteredOutEventCount(labeled("filtered out")),
	}, own), nil)
}

func (t *replicatedTable) pollsGraph() awscloudwatch.IWidget {
	return graph("Reading the stream", []awscloudwatch.IMetric{
		t.MetricPolledEventCount(labeledWith("polls", awscloudwatch.Stats_SAMPLE_COUNT())),
	}, []awscloudwatch.IMetric{t.MetricPolledEventCount(labeled("records"))})
}

func (t *replicatedTable) failuresGraph() awscloudwatch.IWidget {
	changes := append([]awscloudwatch.IMetric{t.MetricFailedInvokeEventCount(labeled("redelivered"))},
		t.own(t.line(spec.MetricRetried, "retried"), t.line(spec.MetricFailed, "never applied"),
			t.line(spec.MetricSetAside, "set aside"))...)
	var targets []awscloudwatch.IMetric
	for i, one := range t.targets {
		targets = append(targets, t.own(func() awscloudwatch.IMetric {
			return one.MetricSystemicFailures(labeled(t.replication.ids[i] + " fails"))
		})...)
	}
	return graph("Failures", changes, targets)
}

func (t *replicatedTable) queueGraph() awscloudwatch.IWidget {
	waiting := func(queue awssqs.Queue, label string) awscloudwatch.IMetric {
		return queue.MetricApproximateNumberOfMessagesVisible(labeledWith(label, awscloudwatch.Stats_MAXIMUM()))
	}
	return graph("Failure queue", []awscloudwatch.IMetric{
		waiting(t.failureQueue, "waiting"), waiting(t.failureDeadLetterQueue, "dead letters"),
		t.failureQueue.MetricNumberOfMessagesSent(labeledWith("arrived", awscloudwatch.Stats_SUM())),
	}, []awscloudwatch.IMetric{
		t.failureQueue.MetricApproximateAgeOfOldestMessage(labeledWith("oldest (s)", awscloudwatch.Stats_MAXIMUM())),
	})
}

func (t *replicatedTable) lambdaGraph() awscloudwatch.IWidget {
	return graph("Lambda", []awscloudwatch.IMetric{
		metricOfFunction(t.function, "Errors", labeledWith("errors", awscloudwatch.Stats_SUM())),
		metricOfFunction(t.function, "Throttles", labeledWith("throttles", awscloudwatch.Stats_SUM())),
		t.MetricOnFailureDestinationDeliveredEventCount(labeled("given up")),
		t.MetricDroppedEventCount(labeled("dropped")),
	}, nil)
}

func (t *replicatedTable) writeUnitsGraph() awscloudwatch.IWidget {
	var units, throttled []awscloudwatch.IMetric
	for i, one := range t.targets {
		of := func(name, label string) awscloudwatch.IMetric {
			return one.table.Metric(&name, labeledWith(t.replication.ids[i]+label, awscloudwatch.Stats_SUM()))
		}
		units = append(units, of("ConsumedWriteCapacityUnits", ""))
		throttled = append(throttled, of("WriteThrottleEvents", " throttled"))
	}
	return graph("Write units of the targets", units, throttled)
}

func (t *replicatedTable) invocationsGraph() awscloudwatch.IWidget {
	return graph("Function", []awscloudwatch.IMetric{
		metricOfFunction(t.function, "Invocations", labeledWith("invocations", awscloudwatch.Stats_SUM())),
	}, []awscloudwatch.IMetric{
		metricOfFunction(t.function, "Duration", labeledWith("billed time (ms)", awscloudwatch.Stats_SUM())),
	})
}

// logGraph shows the bytes of the log, the embedded metrics included.
func (t *replicatedTable) logGraph() awscloudwatch.IWidget {
	return graph("Log", []awscloudwatch.IMetric{
		newMetric(t, "AWS/Logs", "IncomingBytes", awscloudwatch.Stats_SUM(), labeled("bytes"),
			map[string]*string{"LogGroupName": t.logGroup.LogGroupName()}),
	}, nil)
}

// dashboardProblems says that what the call adds would be missing from a dashboard.
func (t *replicatedTable) dashboardProblems(call string) []spec.Problem {
	if !t.hasDashboard {
		return nil
	}
	return []spec.Problem{{Path: call, Text: "comes after AddDashboard, which shows all targets and alarms: " +
		"call AddDashboard last"}}
}

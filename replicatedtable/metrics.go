package replicatedtable

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// MetricsLevel says which metrics the function reports. They are embedded metrics: lines of
// its log that CloudWatch turns into metrics, in the namespace ReplicatedTable. LogLevel does
// not silence them.
type MetricsLevel string

const (
	// MetricsLevel_BASIC reports ten metrics of each invocation, and of a target three more
	// while it fails as a whole, is set aside, or does not take statements.
	MetricsLevel_BASIC MetricsLevel = "BASIC"
	// MetricsLevel_PER_TARGET also reports ten metrics of each target that an invocation has
	// anything to report of.
	MetricsLevel_PER_TARGET MetricsLevel = "PER_TARGET"
	// MetricsLevel_NONE reports none. The alarms and the widgets that need them are left out.
	MetricsLevel_NONE MetricsLevel = "NONE"
)

// lambdaNamespace is the namespace of Lambda's own metrics.
const lambdaNamespace = "AWS/Lambda"

// metric returns a metric of the function, of one target's or of all. Its statistic is the
// sum, or the maximum of times.
func metric(
	scope constructs.IConstruct, m spec.Metric, options *awscloudwatch.MetricOptions, dimensions map[string]*string,
) awscloudwatch.Metric {
	statistic := awscloudwatch.Stats_SUM()
	if m.Unit == spec.Milliseconds {
		statistic = awscloudwatch.Stats_MAXIMUM()
	}
	return newMetric(scope, spec.MetricsNamespace, m.Name, statistic, options, dimensions)
}

// newMetric returns a metric. The options replace what it has by default.
func newMetric(
	scope constructs.IConstruct, namespace, name string, statistic *string,
	options *awscloudwatch.MetricOptions, dimensions map[string]*string,
) awscloudwatch.Metric {
	m := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: &namespace, MetricName: &name, Statistic: statistic, DimensionsMap: &dimensions,
	})
	if options != nil {
		m = m.With(options)
	}
	return m.AttachTo(scope)
}

// metric returns a metric of the invocations, which method asks for.
func (t *replicatedTable) metric(
	method string, m spec.Metric, options *awscloudwatch.MetricOptions,
) awscloudwatch.Metric {
	if !t.reportsMetrics() {
		panic(message(*t.Node().Path(), []spec.Problem{{
			Path: method, Text: "is not reported, because Metrics is NONE: set Metrics to BASIC or PER_TARGET",
		}}))
	}
	return metric(t, m, options, map[string]*string{spec.FunctionDimension: t.function.FunctionName()})
}

// reportsMetrics reports whether the function reports metrics.
func (t *replicatedTable) reportsMetrics() bool { return t.replication.Metrics != spec.MetricsNone }

func (t *replicatedTable) MetricRecords(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricRecords", spec.MetricRecords, o)
}

func (t *replicatedTable) MetricWrites(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricWrites", spec.MetricWrites, o)
}

func (t *replicatedTable) MetricElided(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricElided", spec.MetricElided, o)
}

func (t *replicatedTable) MetricUnmapped(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricUnmapped", spec.MetricUnmapped, o)
}

func (t *replicatedTable) MetricStale(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricStale", spec.MetricStale, o)
}

func (t *replicatedTable) MetricRetried(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricRetried", spec.MetricRetried, o)
}

func (t *replicatedTable) MetricFailed(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricFailed", spec.MetricFailed, o)
}

func (t *replicatedTable) MetricSetAside(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricSetAside", spec.MetricSetAside, o)
}

func (t *replicatedTable) MetricLag(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricLag", spec.MetricLag, o)
}

func (t *replicatedTable) MetricDuration(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricDuration", spec.MetricDuration, o)
}

// metricOfMapping returns one of the metrics that Lambda counts for an event source mapping
// with MetricsConfig EventCount.
func (t *replicatedTable) metricOfMapping(
	name string, options *awscloudwatch.MetricOptions,
) awscloudwatch.Metric {
	return newMetric(t, lambdaNamespace, name, awscloudwatch.Stats_SUM(), options,
		map[string]*string{"EventSourceMappingUUID": t.eventSourceMapping.Ref()})
}

func (t *replicatedTable) MetricPolledEventCount(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metricOfMapping("PolledEventCount", o)
}

func (t *replicatedTable) MetricFilteredOutEventCount(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metricOfMapping("FilteredOutEventCount", o)
}

func (t *replicatedTable) MetricInvokedEventCount(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metricOfMapping("InvokedEventCount", o)
}

func (t *replicatedTable) MetricFailedInvokeEventCount(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metricOfMapping("FailedInvokeEventCount", o)
}

func (t *replicatedTable) MetricDroppedEventCount(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metricOfMapping("DroppedEventCount", o)
}

func (t *replicatedTable) MetricOnFailureDestinationDeliveredEventCount(
	o *awscloudwatch.MetricOptions,
) awscloudwatch.Metric {
	return t.metricOfMapping("OnFailureDestinationDeliveredEventCount", o)
}

// metricOfFunction returns one of the metrics that Lambda counts for a function.
func metricOfFunction(f awslambda.Function, name string, options *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return f.Metric(jsii.String(name), options)
}

// reporter is what a target has to know of the function that reports its metrics.
type reporter struct {
	function *string
	level    spec.MetricsLevel
}

// metric returns a metric of a target, which method asks for. Metrics in trouble are reported
// with every level but NONE.
func (t target) metric(
	method string, m spec.Metric, inTrouble bool, options *awscloudwatch.MetricOptions,
) awscloudwatch.Metric {
	by := t.reporter()
	text := ""
	switch {
	case by.function == nil:
		text = "needs the name of the function: set FunctionName in ReplicatedTable_FromAttributes"
	case by.level == spec.MetricsNone:
		text = "is not reported, because Metrics is NONE: set Metrics to BASIC or PER_TARGET"
	case by.level != spec.MetricsPerTarget && !inTrouble:
		text = "is not reported, because Metrics is BASIC: set Metrics to PER_TARGET"
	}
	if text != "" {
		panic(message(*t.table.Node().Path(), []spec.Problem{{Path: method, Text: text}}))
	}

	return metric(t.table, m, options, map[string]*string{
		spec.FunctionDimension: by.function, spec.TargetDimension: t.table.TableName(),
	})
}

func (t target) MetricSystemicFailures(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricSystemicFailures", spec.MetricSystemicFailures, true, o)
}

func (t target) MetricSetAside(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricSetAside", spec.MetricSetAside, true, o)
}

func (t target) MetricSingleWrites(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricSingleWrites", spec.MetricSingleWrites, true, o)
}

func (t target) MetricWrites(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricWrites", spec.MetricWrites, false, o)
}

func (t target) MetricElided(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricElided", spec.MetricElided, false, o)
}

func (t target) MetricUnmapped(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricUnmapped", spec.MetricUnmapped, false, o)
}

func (t target) MetricStale(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricStale", spec.MetricStale, false, o)
}

func (t target) MetricRetried(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricRetried", spec.MetricRetried, false, o)
}

func (t target) MetricFailed(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricFailed", spec.MetricFailed, false, o)
}

func (t target) MetricDuration(o *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return t.metric("MetricDuration", spec.MetricDuration, false, o)
}

// metricsProblems says that a level is none, that it lacks what an alarm needs, or that the log group
// would keep the metrics as mere text.
func metricsProblems(props *ReplicatedTableProps, s sizes) []spec.Problem {
	problems := choiceProblems("Metrics", props.Metrics,
		MetricsLevel_BASIC, MetricsLevel_PER_TARGET, MetricsLevel_NONE)
	if alarms := props.Alarms; props.Metrics == MetricsLevel_NONE && alarms != nil && alarms.areEnabled() && alarms.areAll() {
		problems = append(problems, spec.Problem{Path: "Alarms.All", Text: fmt.Sprintf(
			"is true, and Metrics %s: the alarms of targets watch metrics of the function; "+
				"set Metrics to %s, or leave one of them out", MetricsLevel_NONE, MetricsLevel_BASIC)})
	}
	if class := s.logGroupClass; class != "" && class != standardClass && props.Metrics != MetricsLevel_NONE {
		problems = append(problems, spec.Problem{Path: "LogGroup", Text: fmt.Sprintf(
			"is of the class %s, in which CloudWatch reads no metrics: use one of the class %s, or set Metrics to %s",
			class, standardClass, MetricsLevel_NONE)})
	}
	return problems
}

// standardClass is the only class of log groups in which CloudWatch reads embedded metrics. Source:
// Amazon CloudWatch Logs User Guide, "Log classes".
const standardClass = "STANDARD"

// readLogGroupClass returns the class of a log group that the app defines, or "" where it is the default,
// a token, or not known.
func readLogGroupClass(group awslogs.ILogGroup) string {
	resource, ok := group.Node().DefaultChild().(awslogs.CfnLogGroup)
	if !ok || resource.LogGroupClass() == nil || isToken(*resource.LogGroupClass()) {
		return ""
	}
	return *resource.LogGroupClass()
}

package spec

// MetricsLevel is which metrics the function reports.
type MetricsLevel string

// The levels. Basic is the default; an empty level means the same.
const (
	// MetricsBasic reports InvocationMetrics once per invocation, and TroubleMetrics of a
	// target that is in trouble.
	MetricsBasic MetricsLevel = "BASIC"
	// MetricsPerTarget reports InvocationMetrics once per invocation, and TargetMetrics of
	// every target that has anything to report.
	MetricsPerTarget MetricsLevel = "PER_TARGET"
	// MetricsNone reports nothing.
	MetricsNone MetricsLevel = "NONE"
)

// MetricsNamespace is the namespace of the function's metrics in CloudWatch.
const MetricsNamespace = "ReplicatedTable"

// The dimensions. A metric of an invocation has the first, a metric of a target both. In
// CloudWatch they are different metrics, also where they have one name.
const (
	FunctionDimension = "FunctionName"
	TargetDimension   = "TargetTable"
)

// Unit is the unit of a metric, in CloudWatch's words.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

// Metric is a metric of the function. The function reports its value for one invocation:
// add the values up with the statistic Sum, except those in milliseconds. A record that is
// redelivered counts again.
type Metric struct {
	Name string
	Unit Unit
}

// The metrics of invocations and targets.
var (
	// MetricRecords counts the records of the batch.
	MetricRecords = Metric{"Records", Count}
	// MetricWrites counts the puts and deletes that the target tables have carried out. A
	// delete that finds no item is one too.
	MetricWrites = Metric{"Writes", Count}
	// MetricElided counts the changes that needed no write of their own: they left the target
	// item as it was, or a later change of the batch replaced them.
	MetricElided = Metric{"Elided", Count}
	// MetricUnmapped counts the changes of items that had no target item and get none: they
	// lack a key attribute, or do not meet the filter.
	MetricUnmapped = Metric{"Unmapped", Count}
	// MetricStale counts the guarded puts that were not needed: the target table has the same
	// state of the item, or a newer one.
	MetricStale = Metric{"Stale", Count}
	// MetricRetried counts the writes that a target table did not take at first, because it
	// was throttled or did not answer, each time anew. What the SDK retries within a request
	// is not among them.
	MetricRetried = Metric{"Retried", Count}
	// MetricFailed counts the records that can never be applied, and whose messages the
	// failure queue has accepted: each once per target that cannot take it, and once for the
	// invocation alone when it cannot be decoded.
	MetricFailed = Metric{"Failed", Count}
	// MetricSetAside counts the items whose keys the failure queue has accepted, because their
	// target is set aside.
	MetricSetAside = Metric{"SetAside", Count}
	// MetricLag is the age of the batch's oldest record when the invocation ends. It is as fine
	// as the stream's clock: one second.
	MetricLag = Metric{"Lag", Milliseconds}
	// MetricDuration is the time of the invocation, or the part in which a target was written.
	MetricDuration = Metric{"Duration", Milliseconds}
	// MetricSystemicFailures is 1 for an invocation in which a target fails as a whole, and 0
	// for others. A target that is set aside still fails.
	MetricSystemicFailures = Metric{"SystemicFailures", Count}
	// MetricSingleWrites counts the guarded writes to a target that were sent one by one because
	// the target table has refused the requests that take several: statements, or the read.
	MetricSingleWrites = Metric{"SingleWrites", Count}
)

// InvocationMetrics are the metrics of an invocation, of all targets together. CloudWatch
// bills each: there are at most ten.
func InvocationMetrics() []Metric {
	return []Metric{
		MetricRecords, MetricWrites, MetricElided, MetricUnmapped, MetricStale,
		MetricRetried, MetricFailed, MetricSetAside, MetricLag, MetricDuration,
	}
}

// TroubleMetrics are the metrics of a target with MetricsBasic. The function reports them
// only while one of them is not 0.
func TroubleMetrics() []Metric {
	return []Metric{MetricSystemicFailures, MetricSetAside, MetricSingleWrites}
}

// TargetMetrics are the metrics of a target with MetricsPerTarget.
func TargetMetrics() []Metric {
	return append(TroubleMetrics(),
		MetricWrites, MetricElided, MetricUnmapped, MetricStale, MetricRetried, MetricFailed, MetricDuration)
}

package replicatedtable

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// AddTarget checks everything first. Then it tells the parts that serve all targets:
// the CDK reads policies, environments and lists of layers at synthesis. The event source
// mapping's filter and a layer's content are properties that can be set again.
func (t *replicatedTable) AddTarget(id *string, props *TargetProps) Target {
	var existing *existingTable
	if props != nil {
		existing = readTable(t, props.Table)
	}
	name := addTargetCall(toString(id))
	next := t.replication.with(name, toString(id), props, existing)
	problems := slices.Concat(t.idProblems(name, "target", id), t.dashboardProblems(name),
		t.compositeProblems(name, toString(id)), targetProblems(next, nil, props, existing))
	if len(problems) > 0 {
		panic(message(*t.Node().Path(), problems))
	}
	mapping, err := next.writeMapping(t)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", *t.Node().Path(), err))
	}

	added := t.defineTarget(id, props)
	nameTable(&next.last().Table, added.table)
	next.tables[len(next.tables)-1] = *added.table.Node().Path()
	t.replication = next
	t.policy.AddStatements(t.allowTarget(added.table, *next.last())...)
	text := next.variables(0)[spec.EnvironmentVariable]
	t.function.AddEnvironment(jsii.String(spec.EnvironmentVariable), jsii.String(text), nil)
	t.setMapping(mapping)
	for _, r := range t.reconcilers {
		r.addTarget(added.table)
	}
	for _, o := range t.operators {
		o.grantTable(added.table, o.target)
	}
	t.setFilter(next.Targets)
	t.warn(next.warnings(props, existing)...)
	t.warn(t.sharedTargetWarnings(existing)...)
	t.warn(t.roleWarnings()...)
	t.defineTargetAlarms(*id, added)
	t.targets = append(t.targets, added)

	return added
}

// defineTarget defines one more target's table, or takes the table that exists.
func (t *replicatedTable) defineTarget(id *string, props *TargetProps) target {
	defer refuse(t, id, *t.Node().Path()+"/"+*id)
	return t.newTarget(id, props)
}

func (t *replicatedTable) newTarget(id *string, props *TargetProps) target {
	return target{
		table:    newTargetTable(t, id, props),
		reporter: func() reporter { return reporter{t.function.FunctionName(), t.replication.Metrics} },
		alarms:   &targetAlarms{},
	}
}

// addTargetCall is what messages call a target that is added.
func addTargetCall(id string) string { return fmt.Sprintf("AddTarget(%q)", id) }

// Target is a target table of a ReplicatedTable.
type Target interface {
	// Table is the table that follows the source table. Only the function writes to it.
	Table() awsdynamodb.ITable

	// GrantReadData allows grantee to read the target table and its indexes, including
	// those added later: BatchGetItem, ConditionCheckItem, DescribeTable, GetItem,
	// Query and Scan. Where the table has a customer key, it allows kms:Decrypt on it.
	//
	// The permission is part of the grantee's own policy if it has one in the table's
	// account, and otherwise of the table's policy, which then names the grantee. It
	// panics when neither can hold the permission: for services, for everybody and
	// for groups of other accounts.
	//
	// The policy of an imported table stays as it is. So the grantee must have a policy
	// of its own that this app can write, and GrantReadData panics for any other, such
	// as an account, an ARN or a role imported from another account. If the table is of
	// another account than the grantee, its policy must allow the grantee too. Its
	// indexes are included if the import says that it has any: GrantIndexPermissions
	// in the table's attributes. An imported key is a warning where only its policy can
	// hold the permission.
	//
	// A role that a stack of another account defines needs the table's name in both
	// stacks. So the CDK fixes the name, and CloudFormation replaces a table that was
	// deployed without a fixed name. Use Role_FromRoleArn instead.
	GrantReadData(grantee awsiam.IGrantable) awsiam.Grant

	// FailureAlarm goes off when the target fails as a whole, and stays on while it is set
	// aside and the source table changes: when a permission, the table or its key is missing, or
	// when it refuses every item. It is nil where the alarms are disabled, and with Metrics NONE.
	FailureAlarm() awscloudwatch.Alarm
	// ThrottleAlarm goes off when DynamoDB has throttled writes to the target table for 15
	// minutes. It is nil unless AlarmsProps asks for all alarms.
	ThrottleAlarm() awscloudwatch.Alarm

	// MetricSystemicFailures counts the invocations in which the target fails as a whole. Like
	// the next two, it has values only in hours with a value other than 0, and it panics with
	// Metrics NONE.
	// Statistic: sum.
	MetricSystemicFailures(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricSetAside counts the items whose keys went to the failure queue because the target
	// is set aside.
	// Statistic: sum.
	MetricSetAside(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricSingleWrites counts the guarded writes to the target that were sent one by one
	// because it has refused the requests that take several. Each then costs a request; the
	// function's log says why.
	// Statistic: sum.
	MetricSingleWrites(options *awscloudwatch.MetricOptions) awscloudwatch.Metric

	// MetricWrites and the methods below are those of [ReplicatedTable] for this target alone.
	// They panic unless Metrics is PER_TARGET.
	MetricWrites(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricElided counts changes that needed no write of their own.
	MetricElided(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricUnmapped counts changes of items without a target item.
	MetricUnmapped(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricStale counts guarded puts that were not needed.
	MetricStale(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricRetried counts writes that were sent again.
	MetricRetried(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricFailed counts records that this target can never take.
	MetricFailed(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
	// MetricDuration is the time of an invocation in which this target was written, in
	// milliseconds.
	// Statistic: maximum.
	MetricDuration(options *awscloudwatch.MetricOptions) awscloudwatch.Metric
}

type target struct {
	table awsdynamodb.ITable
	// reporter is a function because the first target comes before the function.
	reporter func() reporter
	alarms   *targetAlarms
}

func (t target) Table() awsdynamodb.ITable { return t.table }

func (t target) GrantReadData(grantee awsiam.IGrantable) awsiam.Grant {
	return grant(t.table.Node().Path(), "GrantReadData", t.table, grantee, reading)
}

// idProblems says why a new part cannot be called id. path is the call that adds it.
func (t *replicatedTable) idProblems(path, part string, id *string) []spec.Problem {
	name := toString(id)
	switch {
	case name == "":
		return []spec.Problem{{Path: path, Text: "has no ID: name the " + part}}
	case isToken(name):
		return []spec.Problem{{Path: path, Text: "has a token for an ID: write the ID out"}}
	case name == "Default" || name == "Resource":
		return []spec.Problem{{Path: path, Text: "has an ID that has a meaning for the CDK, the default child: " +
			"choose another ID"}}
	// A target whose table exists is no child.
	case t.Node().TryFindChild(id) != nil || slices.Contains(t.replication.names, addTargetCall(name)) ||
		name == mappingLayerID || name == targetAlarmsID:
		return []spec.Problem{{Path: path, Text: "has the ID of another target, or of another part of the table: " +
			"choose another ID"}}
	default:
		return nil
	}
}

package replicatedtable

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
)

// existingTables is a stack with a table of each kind that exists, as source and as target.
func existingTables(t *testing.T) assertions.Template {
	t.Helper()
	stack := newStack(t)
	recoverable := &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)}

	props := uniqueProps()
	props.Source.Table = awsdynamodb.NewTable(stack, jsii.String("Accounts"), &awsdynamodb.TableProps{
		PartitionKey: str("email"), Stream: bothImages, PointInTimeRecoverySpecification: recoverable,
	})
	props.Target.Table = awsdynamodb.NewTable(stack, jsii.String("ByState"), &awsdynamodb.TableProps{
		PartitionKey: str("state"), SortKey: str("email"), PointInTimeRecoverySpecification: recoverable,
	})
	NewReplicatedTable(stack, jsii.String("OfTables"), props)

	props = uniqueProps()
	props.Source.Table = newTableV2(stack, "AccountsV2", str("email"), nil, bothImages)
	props.Target.Table = newTableV2(stack, "ByStateV2", str("state"), str("email"), "")
	NewReplicatedTable(stack, jsii.String("OfTableV2s"), props)

	props = uniqueProps()
	props.Source.Table = imported(stack, "ImportedAccounts", awsdynamodb.TableAttributes{
		TableName:      jsii.String("accounts"),
		TableStreamArn: jsii.String("arn:aws:dynamodb:eu-west-1:123456789012:table/accounts/stream/2026-01-02T03:04:05.678"),
	})
	props.Target.Table = imported(stack, "ImportedByState", awsdynamodb.TableAttributes{
		TableName: jsii.String("accounts-by-state"),
	})
	NewReplicatedTable(stack, jsii.String("OfImportedTables"), props)

	return assertions.Template_FromStack(stack, nil)
}

// severalTargets is a stack with a table of three targets.
func severalTargets(t *testing.T) assertions.Template {
	t.Helper()
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	table.AddTarget(jsii.String("ByPlace"), compositeProps().Target)
	table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)

	return assertions.Template_FromStack(stack, nil)
}

// monitored is a stack with a table of three targets, all that there is to see of it, and the
// dashboard that internal/cmd/dashboard draws.
func monitored(t *testing.T) assertions.Template {
	t.Helper()
	return assertions.Template_FromStack(newMonitored(t).stack, nil)
}

type monitoredStack struct {
	stack awscdk.Stack
	users ReplicatedTable
}

func newMonitored(t *testing.T) monitoredStack {
	t.Helper()
	stack := newStack(t)
	topic := awssns.Topic_FromTopicArn(stack, jsii.String("Topic"),
		jsii.String("arn:aws:sns:eu-west-1:111122223333:alarms"))
	props := uniqueProps()
	props.Metrics = MetricsLevel_PER_TARGET
	props.Alarms = &AlarmsProps{
		All:              jsii.Bool(true),
		CompositeActions: &[]awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(topic)},
	}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	table.AddTarget(jsii.String("ByPlace"), compositeProps().Target)
	table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)
	table.AddDashboard(jsii.String("Dashboard"), nil)

	return monitoredStack{stack, table}
}

// tablesWithKeys is a stack whose tables have keys of the customer: one key for both, and
// one for each.
func tablesWithKeys(t *testing.T) assertions.Template {
	t.Helper()
	stack := newRegionalStack(t)
	encrypted := func(key awskms.IKey) *awsdynamodb.TablePropsV2 {
		return &awsdynamodb.TablePropsV2{Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)}
	}
	newKey := func(id string) awskms.IKey {
		return awskms.NewKey(stack, jsii.String(id), &awskms.KeyProps{
			EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		})
	}
	one := newKey("Key")

	props := uniqueProps()
	props.Source.TableProps, props.Target.TableProps = encrypted(one), encrypted(one)
	NewReplicatedTable(stack, jsii.String("OneKey"), props)

	props = lastWriterProps()
	props.Source.TableProps, props.Target.TableProps = encrypted(newKey("SourceKey")), encrypted(newKey("TargetKey"))
	NewReplicatedTable(stack, jsii.String("TwoKeys"), props)

	return assertions.Template_FromStack(stack, nil)
}

// newRegionalStack returns a stack like newStack whose Region is known: the CDK needs it for
// a TableV2 with a customer key.
func newRegionalStack(t *testing.T) awscdk.Stack {
	t.Helper()
	return awscdk.NewStack(newStack(t).Node().Root().(awscdk.App), jsii.String("Regional"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String("eu-west-1")},
	})
}

// reconcilers is a stack with a reconciler without props, before a second target, and one with
// every prop, of tables with keys of the customer.
func reconcilers(t *testing.T) assertions.Template {
	t.Helper()
	stack := newRegionalStack(t)
	users := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	users.AddReconciler(jsii.String("Reconciler"), nil)
	users.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)

	props := uniqueProps()
	key := awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
		EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	props.Source.TableProps = &awsdynamodb.TablePropsV2{Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil)}
	props.Target.TableProps = props.Source.TableProps
	props.Tracing = awslambda.Tracing_ACTIVE
	props.LoggingFormat = awslambda.LoggingFormat_JSON
	NewReplicatedTable(stack, jsii.String("Accounts"), props).AddReconciler(jsii.String("Reconciler"), everyReconcilerProp())

	return assertions.Template_FromStack(stack, nil)
}

// everyReconcilerProp are props of a reconciler with every one but Code.
func everyReconcilerProp() *ReconcilerProps {
	return &ReconcilerProps{
		MemorySize:       jsii.Number(1024),
		MaxConcurrency:   jsii.Number(40),
		StateMachineName: jsii.String("reconcile-accounts"),
		VerifySchedule:   awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Days(jsii.Number(7))),
		VerifyReadUnits:  jsii.Number(400),
	}
}

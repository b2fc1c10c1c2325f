package replicatedtable_test

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/replicatedtable"
)

// Users are written by email and read by state. The target's sort key repeats
// the email, so two users never meet on one key.
func ExampleNewReplicatedTable() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	app.Synth(nil)
}

// Two users of one city share a target key, and the newer change wins it. Zip
// codes stay in the source table.
func ExampleNewReplicatedTable_lastWriterWins() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("city"), Type: awsdynamodb.AttributeType_STRING},
			Ordering:     replicatedtable.Ordering_LastWriterWins(nil),
			Projection: &replicatedtable.Projection{
				Type:       replicatedtable.ProjectionType_EXCLUDE,
				Attributes: jsii.Strings("zipcode"),
			},
		},
	})

	app.Synth(nil)
}

// Users are found by country, and within it by city. The address is a map in the
// source item. The sort key is a composite: it contains the email, so two users
// never meet on one key, and one city's users are those whose key begins with its
// name and the separator.
func ExampleNewReplicatedTable_keySources() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("country"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("place"), Type: awsdynamodb.AttributeType_STRING},
			KeySources: &map[string]*replicatedtable.KeySource{
				"country": {Attributes: jsii.Strings("address.country")},
				"place":   {Attributes: jsii.Strings("address.city", "email"), Separator: jsii.String("#")},
			},
			Projection: &replicatedtable.Projection{
				Type:       replicatedtable.ProjectionType_INCLUDE,
				Attributes: jsii.Strings("name"),
				Renames:    &map[string]*string{"name": jsii.String("displayName")},
			},
		},
	})

	app.Synth(nil)
}

// Only active users of two countries are in the target table. Lambda evaluates
// this filter before it invokes the function. Users that expire stay, and a
// redelivery never shows an older state of a user.
func ExampleNewReplicatedTable_filter() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
			Filter: replicatedtable.Condition_All(
				replicatedtable.Condition_Equals(jsii.String("active"), replicatedtable.Value_Boolean(jsii.Bool(true))),
				replicatedtable.Condition_In(jsii.String("address.country"),
					replicatedtable.Value_String(jsii.String("US")),
					replicatedtable.Value_String(jsii.String("CA"))),
			),
			Ordering:     replicatedtable.Ordering_VersionGuard(nil),
			ExpiredItems: replicatedtable.ExpiredItems_KEEP,
		},
	})

	app.Synth(nil)
}

// A function that answers from the target table gets to read it, and the name
// of the table.
func ExampleReplicatedTable() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	api := awslambda.NewFunction(stack, jsii.String("Api"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_PROVIDED_AL2023(),
		Handler: jsii.String("bootstrap"),
		Code:    awslambda.Code_FromAsset(jsii.String("api.zip"), nil),
		Environment: &map[string]*string{
			"USERS_BY_STATE": users.Target().Table().TableName(),
		},
	})
	users.Target().GrantReadData(api)

	app.Synth(nil)
}

// Users are read by state, and the active ones by name too. One function fills both
// tables.
func ExampleReplicatedTable_addTarget() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	byName := users.AddTarget(jsii.String("ByName"), &replicatedtable.TargetProps{
		PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("name"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		Filter: replicatedtable.Condition_Equals(
			jsii.String("active"), replicatedtable.Value_Boolean(jsii.Bool(true))),
	})
	byName.GrantReadData(awsiam.NewAccountPrincipal(jsii.String("111122223333")))

	app.Synth(nil)
}

// The items from before the stream are filled in by an execution with the input
// {"operation": "backfill"}, which somebody starts. Once a week, all items are verified. A
// role can also do it by hand.
func ExampleReplicatedTable_addReconciler() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	reconciler := users.AddReconciler(jsii.String("Reconciler"), &replicatedtable.ReconcilerProps{
		VerifySchedule: awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Days(jsii.Number(7))),
	})
	awscdk.NewCfnOutput(stack, jsii.String("ReconcilerArn"), &awscdk.CfnOutputProps{
		Value: reconciler.StateMachine().StateMachineArn(),
	})

	operator := awsiam.NewRole(stack, jsii.String("Operator"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
	users.GrantReconcile(operator)

	app.Synth(nil)
}

// The table is another team's. Its stream must hold new and old images. Items that were
// written before the deployment follow when they change, or by a backfill.
func ExampleNewReplicatedTable_existingTable() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	existing := awsdynamodb.Table_FromTableAttributes(stack, jsii.String("Existing"), &awsdynamodb.TableAttributes{
		TableName:      jsii.String("users"),
		TableStreamArn: jsii.String("arn:aws:dynamodb:eu-west-1:123456789012:table/users/stream/2026-01-02T03:04:05.678"),
	})

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
			Table:        existing,
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	app.Synth(nil)
}

// The target table is encrypted with a key of the account, keeps its items for as long as
// they say, and has an index of its own. A TableV2 with such a key needs a stack whose
// Region is known. The function gets what it needs of the key, and so does the reader.
func ExampleTargetProps_tableProps() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), &awscdk.StackProps{
		Env: &awscdk.Environment{Region: jsii.String("eu-central-1")},
	})
	key := awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{EnableKeyRotation: jsii.Bool(true)})

	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
			TableProps: &awsdynamodb.TablePropsV2{
				Encryption:          awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil),
				TimeToLiveAttribute: jsii.String("expires"),
				GlobalSecondaryIndexes: &[]*awsdynamodb.GlobalSecondaryIndexPropsV2{{
					IndexName:    jsii.String("byName"),
					PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("name"), Type: awsdynamodb.AttributeType_STRING},
				}},
			},
		},
	})

	reader := awsiam.NewRole(stack, jsii.String("Reader"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	users.Target().GrantReadData(reader)

	app.Synth(nil)
}

// Another app reads the target table, which has a customer key, and drains the failure
// queue.
func ExampleReplicatedTable_fromAttributes() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Reports"), nil)

	users := replicatedtable.ReplicatedTable_FromAttributes(stack, jsii.String("Users"),
		&replicatedtable.ReplicatedTableAttributes{
			TargetTable: awsdynamodb.TableV2_FromTableAttributes(stack, jsii.String("Table"), &awsdynamodb.TableAttributesV2{
				TableName: jsii.String("users-by-state"),
				EncryptionKey: awskms.Key_FromKeyArn(stack, jsii.String("Key"),
					jsii.String("arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")),
			}),
			FailureQueue: awssqs.Queue_FromQueueArn(stack, jsii.String("Failures"),
				jsii.String("arn:aws:sqs:eu-central-1:111122223333:users-failures")),
		})
	reports := awsiam.NewRole(stack, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	users.Target().GrantReadData(reports)
	users.GrantConsumeFailures(reports)

	app.Synth(nil)
}

// A snapshot test compares the whole template with a file. With this context, nothing is
// built: the test needs no go command, and the template does not depend on the version of
// Go, on the dependencies and on the machine. Without it, the template also changes when
// the function's code does.
func ExampleNewReplicatedTable_snapshot() {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{
		Context: &map[string]any{"aws:cdk:bundling-stacks": []string{}},
	})
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
	})

	template := assertions.Template_FromStack(stack, nil)
	template.ResourceCountIs(jsii.String("AWS::Lambda::EventSourceMapping"), jsii.Number(1))
	snapshot, err := json.MarshalIndent(template.ToJSON(), "", "  ")
	if err != nil {
		panic(err)
	}
	_ = snapshot // compare it with the file of the last run
}

// The function is traced and logs only what fails. Eight batches of one shard are processed
// at the same time, and every alarm notifies a topic.
func ExampleReplicatedTableProps_settings() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	topic := awssns.NewTopic(stack, jsii.String("Operators"), nil)

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Tracing:               awslambda.Tracing_ACTIVE,
		LogLevel:              awslambda.ApplicationLogLevel_ERROR,
		ParallelizationFactor: jsii.Number(8),
		Alarms: &replicatedtable.AlarmsProps{
			Actions:        &[]awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(topic)},
			MaxIteratorAge: awscdk.Duration_Minutes(jsii.Number(2)),
		},
	})

	app.Synth(nil)
}

// A dashboard for all targets, all alarms with one notification for what goes wrong at the same
// time, and an alarm of the app's own on a metric of the function.
func ExampleReplicatedTable_monitoring() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	topic := awssns.NewTopic(stack, jsii.String("Operators"), nil)

	users := replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Metrics: replicatedtable.MetricsLevel_PER_TARGET,
		Alarms: &replicatedtable.AlarmsProps{
			All:              jsii.Bool(true),
			CompositeActions: &[]awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(topic)},
		},
	})
	users.AddDashboard(jsii.String("Dashboard"), nil)
	users.Target().MetricRetried(nil).CreateAlarm(stack, jsii.String("Slow"), &awscloudwatch.CreateAlarmOptions{
		Threshold: jsii.Number(1000), EvaluationPeriods: jsii.Number(3),
	})

	app.Synth(nil)
}

// An attribute with a dot in its name is not one inside a map.
func ExampleAttributePath() {
	fmt.Println(*replicatedtable.AttributePath("address", "city"))
	fmt.Println(*replicatedtable.AttributePath("user.email"))

	// Output:
	// address.city
	// user\.email
}

// Every mistake is named at once, with what to do about it.
func ExampleReplicatedTableProps() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("App"), nil)
	defer func() { fmt.Println(recover()) }()

	replicatedtable.NewReplicatedTable(stack, jsii.String("Users"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("email"), Type: awsdynamodb.AttributeType_STRING},
		},
		Target: &replicatedtable.TargetProps{
			PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("state"), Type: awsdynamodb.AttributeType_STRING},
			SortKey:      &awsdynamodb.Attribute{Name: jsii.String("city"), Type: awsdynamodb.AttributeType_STRING},
		},
		MemorySize: jsii.Number(64),
	})

	// Output:
	// App/Users: Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or choose Ordering_LastWriterWins
	// App/Users: MemorySize is 64 MiB: set a whole number from 128 to 10240
}

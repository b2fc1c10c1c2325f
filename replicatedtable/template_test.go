package replicatedtable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newStack returns a stack in which functions are not built: a template is the
// same without.
func newStack(t *testing.T) awscdk.Stack {
	t.Helper()
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(t.TempDir()),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &map[string]any{"aws:cdk:bundling-stacks": []string{}},
	})
	return awscdk.NewStack(app, jsii.String("App"), nil)
}

// template is a synthesized template, as the JSON it is.
type template struct {
	Resources map[string]resource
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string
}

func synthesize(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	return decode(t, assertions.Template_FromStack(stack, nil))
}

func decode(t *testing.T, synthesized assertions.Template) template {
	t.Helper()
	var tpl template
	if err := json.Unmarshal([]byte(toJSON(t, *synthesized.ToJSON())), &tpl); err != nil {
		t.Fatal(err)
	}
	return tpl
}

// kinds is one stack with a table of each kind: Users with a unique mapping and
// nothing but the required props, Cities with LAST_WRITER_WINS and every prop,
// Active with the version guard and a filter that Lambda can evaluate. The tests
// below read it; none changes it.
type kinds struct {
	stack                 awscdk.Stack
	users, cities, active ReplicatedTable
	synthesized           assertions.Template
	template              template
}

var defined struct {
	once sync.Once
	kinds
}

func allKinds(t *testing.T) kinds {
	t.Helper()
	defined.once.Do(func() {
		defined.stack = newStack(t)
		defined.users = NewReplicatedTable(defined.stack, jsii.String("Users"), uniqueProps())
		defined.cities = NewReplicatedTable(defined.stack, jsii.String("Cities"), everyProp())
		defined.active = NewReplicatedTable(defined.stack, jsii.String("Active"), guardedProps())
		defined.synthesized = assertions.Template_FromStack(defined.stack, nil)
		defined.template = decode(t, defined.synthesized)
	})
	if defined.template.Resources == nil {
		t.Fatal("the stack could not be synthesized, see the first failure")
	}
	return defined.kinds
}

// everyProp sets every prop that a colliding target key can have. Lambda cannot
// evaluate its filter.
func everyProp() *ReplicatedTableProps {
	props := lastWriterProps()
	props.Projection = &Projection{
		Type: ProjectionType_EXCLUDE, Attributes: jsii.Strings("zipcode"), Renames: &map[string]*string{"name": jsii.String("title")},
	}
	props.Filter = Condition_Exists(jsii.String("verified"))
	props.VersionAttribute = jsii.String("v")
	props.ExpiredItems = ExpiredItems_DELETE
	props.WriteBrake = jsii.Bool(false)
	props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	props.MemorySize = jsii.Number(512)
	props.Timeout = awscdk.Duration_Seconds(jsii.Number(90))
	props.Architecture = awslambda.Architecture_X86_64()
	props.BatchSize = jsii.Number(100)
	props.LogRetention = awslogs.RetentionDays_ONE_WEEK
	return props
}

// guardedProps are sound: a unique target key with what only such a key can have,
// and a filter that Lambda can evaluate.
func guardedProps() *ReplicatedTableProps {
	props := madeProps()
	props.Filter = Condition_All(
		Condition_Equals(jsii.String("active"), Value_Boolean(jsii.Bool(true))),
		Condition_BeginsWith(jsii.String("address.country"), jsii.String("U")),
	)
	props.VersionGuard = jsii.Bool(true)
	props.ExpiredItems = ExpiredItems_KEEP
	return props
}

// logicalID is the name of a construct's resource in the template.
func logicalID(stack awscdk.Stack, c constructs.Construct) string {
	element, ok := c.Node().DefaultChild().(awscdk.CfnElement)
	if !ok {
		element = c.(awscdk.CfnElement)
	}
	return *stack.GetLogicalId(element)
}

func getAtt(id, attribute string) any {
	return map[string]any{"Fn::GetAtt": []any{id, attribute}}
}

func ref(id string) any { return map[string]any{"Ref": id} }

// want compares one property, by its JSON.
func (r resource) want(t *testing.T, property string, want any) {
	t.Helper()
	got, expected := toJSON(t, r.Properties[property]), toJSON(t, want)
	if got != expected {
		t.Errorf("%s.%s is %s, want %s", r.Type, property, got, expected)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTablesAreOnDemandWithPointInTimeRecovery(t *testing.T) {
	k := allKinds(t)
	for _, table := range []ReplicatedTable{k.users, k.cities, k.active} {
		for _, c := range []constructs.Construct{table.SourceTable(), table.TargetTable()} {
			r := k.template.Resources[logicalID(k.stack, c)]
			r.want(t, "BillingMode", "PAY_PER_REQUEST")
			replicas := r.Properties["Replicas"].([]any)
			if len(replicas) != 1 {
				t.Fatalf("%s has %d replicas, want 1: its own Region", *c.Node().Path(), len(replicas))
			}
			got := toJSON(t, replicas[0].(map[string]any)["PointInTimeRecoverySpecification"])
			if want := `{"PointInTimeRecoveryEnabled":true}`; got != want {
				t.Errorf("%s: point-in-time recovery is %s, want %s", *c.Node().Path(), got, want)
			}
		}
	}
}

func TestTablesHaveTheKeysOfTheProps(t *testing.T) {
	k := allKinds(t)
	source := k.template.Resources[logicalID(k.stack, k.users.SourceTable())]
	source.want(t, "KeySchema", []any{map[string]any{"AttributeName": "email", "KeyType": "HASH"}})
	target := k.template.Resources[logicalID(k.stack, k.users.TargetTable())]
	target.want(t, "KeySchema", []any{
		map[string]any{"AttributeName": "state", "KeyType": "HASH"},
		map[string]any{"AttributeName": "email", "KeyType": "RANGE"},
	})
}

func TestOnlyTheSourceTableHasAStreamAndItCarriesBothImages(t *testing.T) {
	k := allKinds(t)
	source := k.template.Resources[logicalID(k.stack, k.users.SourceTable())]
	source.want(t, "StreamSpecification", map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"})
	target := k.template.Resources[logicalID(k.stack, k.users.TargetTable())]
	target.want(t, "StreamSpecification", nil)
}

func TestTheEventSourceMappingLosesNothing(t *testing.T) {
	k := allKinds(t)
	r := k.template.Resources[logicalID(k.stack, k.users.EventSourceMapping())]
	r.want(t, "EventSourceArn", getAtt(logicalID(k.stack, k.users.SourceTable()), "StreamArn"))
	r.want(t, "FunctionName", ref(logicalID(k.stack, k.users.Function())))
	r.want(t, "StartingPosition", "TRIM_HORIZON")
	r.want(t, "FunctionResponseTypes", []any{"ReportBatchItemFailures"})
	r.want(t, "BisectBatchOnFunctionError", true)
	r.want(t, "BatchSize", 1000)
	r.want(t, "MaximumRetryAttempts", -1)
	r.want(t, "MaximumRecordAgeInSeconds", 11*60*60)
	r.want(t, "MetricsConfig", map[string]any{"Metrics": []any{"EventCount"}})
	r.want(t, "DestinationConfig", map[string]any{"OnFailure": map[string]any{
		"Destination": getAtt(logicalID(k.stack, k.users.FailureQueue()), "Arn"),
	}})
}

func TestTheFunctionRunsOnArm64AndProvidedAL2023(t *testing.T) {
	k := allKinds(t)
	r := k.template.Resources[logicalID(k.stack, k.users.Function())]
	r.want(t, "Architectures", []any{"arm64"})
	r.want(t, "Runtime", "provided.al2023")
	r.want(t, "Handler", "bootstrap")
	r.want(t, "MemorySize", 256)
	r.want(t, "Timeout", 60)
	r.want(t, "Role", getAtt(logicalID(k.stack, k.users.Role()), "Arn"))
	r.want(t, "LoggingConfig", map[string]any{"LogGroup": ref(logicalID(k.stack, k.users.LogGroup()))})
	if role := logicalID(k.stack, k.users.Role()); !slices.Contains(r.DependsOn, role) {
		t.Errorf("the function depends on %v, want the role %s with its policies among them", r.DependsOn, role)
	}
}

func TestPropsReplaceTheDefaults(t *testing.T) {
	k := allKinds(t)
	function := k.template.Resources[logicalID(k.stack, k.cities.Function())]
	function.want(t, "Architectures", []any{"x86_64"})
	function.want(t, "MemorySize", 512)
	function.want(t, "Timeout", 90)
	k.template.Resources[logicalID(k.stack, k.cities.EventSourceMapping())].want(t, "BatchSize", 100)
	k.template.Resources[logicalID(k.stack, k.cities.LogGroup())].want(t, "RetentionInDays", 7)
}

func TestTheRemovalPolicyCoversEverythingThatHoldsItemsMessagesOrLogs(t *testing.T) {
	k := allKinds(t)
	for table, want := range map[ReplicatedTable]string{k.users: "Retain", k.cities: "Delete"} {
		for _, c := range []constructs.Construct{
			table.SourceTable(), table.TargetTable(), table.FailureQueue(), table.FailureDeadLetterQueue(), table.LogGroup(),
		} {
			r := k.template.Resources[logicalID(k.stack, c)]
			if r.DeletionPolicy != want || r.UpdateReplacePolicy != want {
				t.Errorf("%s: policies %s and %s, want %s", *c.Node().Path(), r.DeletionPolicy, r.UpdateReplacePolicy, want)
			}
		}
	}
}

func TestFailuresAreKeptEncryptedAndReachedByTLSOnly(t *testing.T) {
	k := allKinds(t)
	for _, c := range []constructs.Construct{k.users.FailureQueue(), k.users.FailureDeadLetterQueue()} {
		id := logicalID(k.stack, c)
		r := k.template.Resources[id]
		r.want(t, "SqsManagedSseEnabled", true)
		r.want(t, "MessageRetentionPeriod", 14*24*60*60)
		r.want(t, "MaximumMessageSize", 1024*1024)
		k.synthesized.HasResourceProperties(jsii.String("AWS::SQS::QueuePolicy"), map[string]any{
			"Queues": []any{ref(id)},
			"PolicyDocument": map[string]any{"Statement": []any{map[string]any{
				"Effect":    "Deny",
				"Action":    "sqs:*",
				"Principal": map[string]any{"AWS": "*"},
				"Resource":  getAtt(id, "Arn"),
				"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
			}}},
		})
	}
	queue := k.template.Resources[logicalID(k.stack, k.users.FailureQueue())]
	queue.want(t, "RedrivePolicy", map[string]any{
		"deadLetterTargetArn": getAtt(logicalID(k.stack, k.users.FailureDeadLetterQueue()), "Arn"),
		"maxReceiveCount":     5,
	})
}

// maxDescription is how many characters an alarm's description may have. Source:
// Amazon CloudWatch API Reference, PutMetricAlarm, AlarmDescription.
const maxDescription = 1024

func TestAnAlarmGoesOffWhenTheStreamIsUnreadOrWaitsAndWhenAFailureDoes(t *testing.T) {
	// F1, F3 and F9.
	k := allKinds(t)
	dimension := func(name string, value any) any {
		return []any{map[string]any{"Name": name, "Value": value}}
	}
	queue := func(c constructs.Construct) any {
		return dimension("QueueName", getAtt(logicalID(k.stack, c), "QueueName"))
	}
	const above, below, healthy, breaching = "GreaterThanThreshold", "LessThanThreshold", "notBreaching", "breaching"
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
			k.users.FailureQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue(k.users.FailureQueue()),
			"Maximum", above, 0, 1, healthy, // a queue that nobody uses has no metrics
			[]string{"failure queue"},
		},
		{
			k.users.FailureRateAlarm(), "AWS/SQS", "NumberOfMessagesSent", queue(k.users.FailureQueue()),
			"Sum", above, 10, 1, healthy,
			[]string{"Many changes", "reasons"},
		},
		{
			k.users.FailureDeadLetterQueueAlarm(), "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue(k.users.FailureDeadLetterQueue()),
			"Maximum", above, 0, 1, healthy,
			[]string{"dead-letter queue"},
		},
	} {
		t.Run(tt.metric, func(t *testing.T) {
			r := k.template.Resources[logicalID(k.stack, tt.alarm)]
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
				t.Errorf("the description has %d bytes, CloudWatch takes %d", len(description), maxDescription)
			}
		})
	}
}

func TestLogsAreKeptForAMonth(t *testing.T) {
	k := allKinds(t)
	k.template.Resources[logicalID(k.stack, k.users.LogGroup())].want(t, "RetentionInDays", 30)
}

// permissions lists "action on resource" for every statement that any policy in
// the template gives to the role, and fails on all but plain Allow statements.
func (tpl template) permissions(t *testing.T, role string) []string {
	t.Helper()
	var documents []any
	for id, r := range tpl.Resources {
		switch {
		case id == role:
			r.want(t, "ManagedPolicyArns", nil)
			inline, _ := r.Properties["Policies"].([]any)
			for _, policy := range inline {
				documents = append(documents, policy.(map[string]any)["PolicyDocument"])
			}
		case strings.HasSuffix(r.Type, "Policy") && strings.Contains(toJSON(t, r.Properties["Roles"]), `"`+role+`"`):
			documents = append(documents, r.Properties["PolicyDocument"])
		}
	}
	return allowedBy(t, documents)
}

// allowedBy lists "action on resource" for every statement of the policy
// documents, sorted, and fails on all but plain Allow statements.
func allowedBy(t *testing.T, documents []any) []string {
	t.Helper()
	var permissions []string
	for _, document := range documents {
		for _, s := range document.(map[string]any)["Statement"].([]any) {
			statement := s.(map[string]any)
			for field := range statement {
				if !slices.Contains([]string{"Effect", "Action", "Resource"}, field) {
					t.Errorf("a statement has the field %s: %s", field, toJSON(t, statement))
				}
			}
			if statement["Effect"] != "Allow" {
				t.Errorf("a statement does not allow: %s", toJSON(t, statement))
			}
			for _, action := range list(statement["Action"]) {
				for _, resource := range list(statement["Resource"]) {
					permissions = append(permissions, fmt.Sprintf("%s on %s", action, toJSON(t, resource)))
				}
			}
		}
	}
	sort.Strings(permissions)
	return permissions
}

// list is a policy's "one or many" as many.
func list(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	return []any{v}
}

func TestTheRoleAllowsExactlyWhatIsUsed(t *testing.T) {
	k := allKinds(t)
	for _, tt := range []struct {
		name   string
		why    string
		table  ReplicatedTable
		target []string
	}{
		{"unique mapping", "writes go in batches", k.users, []string{"dynamodb:BatchWriteItem"}},
		{"LAST_WRITER_WINS", "writes have conditions", k.cities, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}},
		{"version guard", "writes have conditions here too", k.active, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on := func(c constructs.Construct, attribute string, actions ...string) []string {
				for i, action := range actions {
					actions[i] = action + " on " + toJSON(t, getAtt(logicalID(k.stack, c), attribute))
				}
				return actions
			}
			want := slices.Concat(
				on(tt.table.TargetTable(), "Arn", tt.target...),
				on(tt.table.SourceTable(), "StreamArn", "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
				on(tt.table.LogGroup(), "Arn", "logs:CreateLogStream", "logs:PutLogEvents"),
				on(tt.table.FailureQueue(), "Arn", "sqs:SendMessage"),
			)
			sort.Strings(want)
			got := k.template.permissions(t, logicalID(k.stack, tt.table.Role()))
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if all := strings.Join(got, "\n"); strings.Contains(all, "*") {
				t.Errorf("a wildcard among the permissions:\n%s", all)
			}
		})
	}
}

func TestOnlyLambdaAssumesTheRole(t *testing.T) {
	k := allKinds(t)
	r := k.template.Resources[logicalID(k.stack, k.users.Role())]
	r.want(t, "AssumeRolePolicyDocument", map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"},
		}},
	})
}

// mapping is the spec that a table's function gets, with the logical IDs of the
// tables and the queue for what deployment puts in their place.
func (k kinds) mapping(t *testing.T, table ReplicatedTable) spec.Spec {
	t.Helper()
	r := k.template.Resources[logicalID(k.stack, table.Function())]
	variables := r.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	if len(variables) != 4 {
		t.Errorf("the environment has %d variables, want 4: the size check counts no other", len(variables))
	}
	join := variables[spec.EnvironmentVariable].(map[string]any)["Fn::Join"].([]any)
	var text strings.Builder
	for _, part := range join[1].([]any) {
		switch part := part.(type) {
		case string:
			text.WriteString(part)
		case map[string]any:
			text.WriteString(part["Ref"].(string)) // of a queue it is the URL
		}
	}
	s, err := spec.Parse(text.String())
	if err != nil {
		t.Fatalf("the function would not start with %s: %v", text.String(), err)
	}
	return s
}

func TestTheFunctionReadsItsMappingFromTheEnvironment(t *testing.T) {
	k := allKinds(t)
	for _, tt := range []struct {
		table ReplicatedTable
		props *ReplicatedTableProps
	}{
		{k.users, uniqueProps()},
		{k.cities, everyProp()},
		{k.active, guardedProps()},
	} {
		got := k.mapping(t, tt.table)
		want := toSpec(tt.props)
		want.Source.TableName = logicalID(k.stack, tt.table.SourceTable())
		want.Targets[0].TableName = logicalID(k.stack, tt.table.TargetTable())
		want.FailureQueueURL = logicalID(k.stack, tt.table.FailureQueue())
		if got.Encode() != want.Encode() {
			t.Errorf("%s\ngot  %s\nwant %s", *tt.table.Node().Path(), got.Encode(), want.Encode())
		}
	}
}

func TestTheEnvironmentFitsTheGoRuntimeToTheFunctionsMemory(t *testing.T) {
	k := allKinds(t)
	variables := k.template.Resources[logicalID(k.stack, k.users.Function())].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	delete(variables, spec.EnvironmentVariable)
	if want := map[string]any{"GOGC": "200", "GOMEMLIMIT": "192MiB", "GOMAXPROCS": "1"}; !reflect.DeepEqual(variables, want) {
		t.Errorf("got %v, want %v", variables, want)
	}
}

func TestAFilterThatLambdaCanEvaluateIsHandedToItForBothImages(t *testing.T) {
	k := allKinds(t)
	r := k.template.Resources[logicalID(k.stack, k.active.EventSourceMapping())]
	r.want(t, "FilterCriteria", map[string]any{"Filters": []any{
		map[string]any{"Pattern": `{"dynamodb":{"NewImage":{"active":{"BOOL":[true]},"address":{"M":{"country":{"S":[{"prefix":"U"}]}}}}}}`},
		map[string]any{"Pattern": `{"dynamodb":{"OldImage":{"active":{"BOOL":[true]},"address":{"M":{"country":{"S":[{"prefix":"U"}]}}}}}}`},
	}})
	if k.mapping(t, k.active).Targets[0].Filter == nil {
		t.Error("the function does not get the filter: records that pass for their old image would be put")
	}
}

func TestAFilterThatLambdaCannotEvaluateIsTheFunctionsAlone(t *testing.T) {
	k := allKinds(t)
	for _, table := range []ReplicatedTable{k.users, k.cities} {
		k.template.Resources[logicalID(k.stack, table.EventSourceMapping())].want(t, "FilterCriteria", nil)
	}
	if k.mapping(t, k.cities).Targets[0].Filter == nil {
		t.Error("the function does not get the filter")
	}
}

func TestGrantsAllowExactlyTheirActionsOnOneTable(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	role := func(id string) awsiam.Role {
		return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
	}
	reader, writer := role("Reader"), role("Writer")
	table.GrantReadTarget(reader)
	table.GrantReadWriteSource(writer)
	tpl := synthesize(t, stack)
	for _, tt := range []struct {
		name    string
		why     string
		grantee awsiam.Role
		table   constructs.Construct
		actions []string
	}{
		{"GrantReadTarget", "a reader of the target must not write to it", reader, table.TargetTable(), []string{
			"BatchGetItem", "ConditionCheckItem", "DescribeTable", "GetItem", "Query", "Scan",
		}},
		{"GrantReadWriteSource", "the application owns the source table", writer, table.SourceTable(), []string{
			"BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "Scan", "UpdateItem",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, action := range tt.actions {
				want = append(want, "dynamodb:"+action+" on "+toJSON(t, getAtt(logicalID(stack, tt.table), "Arn")))
			}
			if got := tpl.permissions(t, logicalID(stack, tt.grantee)); !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestPropsAreNotWrittenTo(t *testing.T) {
	allKinds(t)
	for name, props := range map[string]func() *ReplicatedTableProps{"required only": uniqueProps, "last writer": lastWriterProps} {
		used := props()
		NewReplicatedTable(newStack(t), jsii.String("Users"), used)
		if got, want := toJSON(t, used), toJSON(t, props()); got != want {
			t.Errorf("%s: the props became %s, were %s", name, got, want)
		}
	}
}

func TestACallersConstructCanLiveInsideATable(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	topic := awssns.NewTopic(table, jsii.String("Alarms"), nil)
	if got, want := *topic.Node().Path(), "App/Users/Alarms"; got != want {
		t.Errorf("path is %s, want %s", got, want)
	}
	if r := synthesize(t, stack).Resources[logicalID(stack, topic)]; r.Type != "AWS::SNS::Topic" {
		t.Errorf("the topic is not in the template: %+v", r)
	}
}

func TestRefusedPropsLeaveTheScopeAsItWas(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Target.SortKey = str("city")
	props.MemorySize = jsii.Number(1)
	props.Timeout = awscdk.Duration_Millis(jsii.Number(1500))
	defer func() {
		want := `App/Users: Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision
App/Users: MemorySize is 1 MiB: set a whole number from 128 to 10240
App/Users: Timeout is 1.5 s: set a whole number from 10 to 900`
		if got := recover(); got != want {
			t.Errorf("got:\n%v\nwant:\n%s", got, want)
		}
		if children := *stack.Node().Children(); len(children) != 0 {
			t.Errorf("the stack has %d children, want none", len(children))
		}
	}()
	NewReplicatedTable(stack, jsii.String("Users"), props)
}

func TestSizesThatOnlyDeploymentKnowsAreLeftToIt(t *testing.T) {
	stack := newStack(t)
	parameter := func(name string) *float64 {
		return awscdk.NewCfnParameter(stack, jsii.String(name), &awscdk.CfnParameterProps{Type: jsii.String("Number")}).ValueAsNumber()
	}
	props := uniqueProps()
	props.MemorySize = parameter("Memory")
	props.BatchSize = parameter("Batch")
	props.Timeout = awscdk.Duration_Seconds(parameter("Timeout"))
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	tpl := synthesize(t, stack)
	function := tpl.Resources[logicalID(stack, table.Function())]
	function.want(t, "MemorySize", ref("Memory"))
	function.want(t, "Timeout", ref("Timeout"))
	variables := function.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	if len(variables) != 2 || variables["GOGC"] != "200" {
		t.Errorf("with a memory that is not known yet, the environment is %v, want the mapping and GOGC", variables)
	}
	tpl.Resources[logicalID(stack, table.EventSourceMapping())].want(t, "BatchSize", ref("Batch"))
}

// golden compares got with a file in testdata, or rewrites it with -update.
func golden(t *testing.T, name, got, onChange string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: %s; go test ./replicatedtable -update rewrites it.\ngot:\n%s", path, onChange, got)
	}
}

// assetHash is the name of an asset: it follows the code, not the construct.
var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

func TestTheTemplateIsTheGoldenOne(t *testing.T) {
	k := allKinds(t)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(*k.synthesized.ToJSON()); err != nil {
		t.Fatal(err)
	}
	golden(t, "template.golden.json", assetHash.ReplaceAllString(text.String(), "<asset>"),
		"read the difference, it is what a deployment would change")
}

func TestTheLogicalIDsAreTheGoldenOnes(t *testing.T) {
	k := allKinds(t)
	var lines []string
	for id, r := range k.template.Resources {
		lines = append(lines, id+" "+r.Type+"\n")
	}
	sort.Strings(lines)
	golden(t, "logical_ids.golden.txt", strings.Join(lines, ""),
		"a changed ID replaces the resource and what it holds, which is a breaking change for CHANGELOG.md")
}

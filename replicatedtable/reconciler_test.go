package replicatedtable

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// on lists "action on resource" for actions of one service, sorted.
func on(t *testing.T, resource any, service string, actions ...string) []string {
	t.Helper()
	var permissions []string
	for _, action := range actions {
		permissions = append(permissions, service+":"+action+" on "+toJSON(t, resource))
	}
	return permissions
}

func wantPermissions(t *testing.T, got []string, want ...[]string) {
	t.Helper()
	all := slices.Concat(want...)
	sort.Strings(all)
	if !slices.Equal(got, all) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(all, "\n"))
	}
}

func TestAReconcilerMayDoWhatItDoesAndNoMore(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	r := table.AddReconciler(jsii.String("Reconciler"), nil)
	later := table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target)
	tpl := synthesize(t, stack)

	arn := func(c awsdynamodb.ITable) any { return getAtt(logicalID(stack, c), "Arn") }
	reads := []string{"BatchGetItem", "DescribeTable", "Scan"}
	writes := append([]string{"DeleteItem", "PartiQLInsert", "PutItem"}, reads...)
	wantPermissions(t, tpl.permissions(t, logicalID(stack, r.Role())),
		on(t, arn(table.SourceTable()), "dynamodb", append([]string{"ConditionCheckItem"}, reads...)...),
		on(t, arn(table.Target().Table()), "dynamodb", writes...),
		on(t, arn(later.Table()), "dynamodb", writes...),
		on(t, getAtt(logicalID(stack, r.LogGroup()), "Arn"), "logs", "CreateLogStream", "PutLogEvents"),
	)

	machine := logicalID(stack, r.StateMachine())
	executions := func(suffix string) any {
		return map[string]any{"Fn::Join": []any{"", []any{
			"arn:", ref("AWS::Partition"), ":states:", ref("AWS::Region"), ":", ref("AWS::AccountId"),
			":execution:", getAtt(machine, "Name"), suffix,
		}}}
	}
	role := tpl.Resources[machine].Properties["RoleArn"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
	wantPermissions(t, tpl.permissions(t, role),
		on(t, getAtt(logicalID(stack, r.Function()), "Arn"), "lambda", "InvokeFunction"),
		on(t, ref(machine), "states", "StartExecution"),
		on(t, executions(":*"), "states", "DescribeExecution", "StopExecution"),
		on(t, executions("/Segments:*"), "states", "RedriveExecution"),
	)
}

func TestAReconcilerKnowsTheMappingOfItsTable(t *testing.T) {
	for _, tt := range []struct {
		name           string
		before, after  int
		wantLayerCount int
	}{
		{"in the environment", 1, 1, 0},
		{"in a layer from a later target on", 1, 19, 1},
		{"in a layer from the start", 19, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			table, _ := withWide(stack, tt.before)
			r := table.AddReconciler(jsii.String("Reconciler"), nil)
			for i := range tt.after {
				table.AddTarget(jsii.String("Later"+string(rune('A'+i))), wide(tt.before+i))
			}
			tpl := synthesize(t, stack)

			replicator, reconciler := tpl.Resources[logicalID(stack, table.Function())], tpl.Resources[logicalID(stack, r.Function())]
			variable := func(function resource) string {
				return toJSON(t, function.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)[spec.EnvironmentVariable])
			}
			if got, want := variable(reconciler), variable(replicator); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			layers, _ := reconciler.Properties["Layers"].([]any)
			if len(layers) != tt.wantLayerCount {
				t.Errorf("the function has the layers %v, want %d", layers, tt.wantLayerCount)
			}
			reconciler.want(t, "Layers", replicator.Properties["Layers"])
		})
	}
}

func TestAReconcilerRunsWhereTheFunctionOfTheTableRuns(t *testing.T) {
	stack := newStack(t)
	props := everyConstruct(stack)
	(*props.Environment)["GOMEMLIMIT"] = jsii.String("100MiB")
	table := NewReplicatedTable(stack, jsii.String("Cities"), props)
	r := table.AddReconciler(jsii.String("Reconciler"), nil)
	tpl := synthesize(t, stack)
	replicator, reconciler := tpl.Resources[logicalID(stack, table.Function())], tpl.Resources[logicalID(stack, r.Function())]

	for _, property := range []string{"Architectures", "Runtime", "Handler", "TracingConfig", "VpcConfig"} {
		reconciler.want(t, property, replicator.Properties[property])
	}
	for _, property := range []string{"FunctionName", "Layers", "ReservedConcurrentExecutions"} {
		reconciler.want(t, property, nil)
	}
	reconciler.want(t, "LoggingConfig", map[string]any{
		"LogGroup":  ref(logicalID(stack, r.LogGroup())),
		"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "TRACE",
	})
	tpl.Resources[logicalID(stack, r.LogGroup())].want(t, "RetentionInDays", 7)
	tpl.Resources[logicalID(stack, r.StateMachine())].want(t, "TracingConfiguration", map[string]any{"Enabled": true})

	// What fits the table's function to its memory does not fit this one.
	variables := reconciler.variables()
	if variables["STAGE"] != "test" || variables["GOGC"] != "200" || variables["GOMEMLIMIT"] != "384MiB" {
		t.Errorf("the environment is %v, want the caller's variables without those for another memory", variables)
	}
	permissions := tpl.permissions(t, logicalID(stack, r.Role()))
	for _, action := range slices.Concat(tracingActions, networkActions) {
		if !slices.Contains(permissions, action+` on "*"`) {
			t.Errorf("the role lacks %s: %v", action, permissions)
		}
	}
}

func TestNothingOfAReconcilerRunsByItself(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	r := table.AddReconciler(jsii.String("Reconciler"), nil)
	tpl := synthesize(t, stack)
	for id, resource := range tpl.Resources {
		for _, starts := range []string{"AWS::Scheduler::", "AWS::Events::", "AWS::CloudFormation::CustomResource", "Custom::"} {
			if strings.HasPrefix(resource.Type, starts) {
				t.Errorf("%s is a %s", id, resource.Type)
			}
		}
	}
	if r.VerifySchedule() != nil {
		t.Error("there is a schedule that nobody asked for")
	}
}

func TestAScheduleOnlyVerifies(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	r := table.AddReconciler(jsii.String("Reconciler"), everyReconcilerProp())
	schedule := synthesize(t, stack).Resources[logicalID(stack, r.VerifySchedule())]
	schedule.want(t, "ScheduleExpression", "rate(7 days)")
	target := schedule.Properties["Target"].(map[string]any)
	if got, want := target["Input"], `{"operation":"verify","readUnits":400}`; got != want {
		t.Errorf("got the input %s, want %s", got, want)
	}
	if got, want := toJSON(t, target["Arn"]), toJSON(t, ref(logicalID(stack, r.StateMachine()))); got != want {
		t.Errorf("got the target %s, want %s", got, want)
	}
}

// A state without retries would fail an execution of days because of a single throttled request.
func TestEveryTaskOfTheStateMachineIsRetried(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	r := table.AddReconciler(jsii.String("Reconciler"), &ReconcilerProps{MaxConcurrency: jsii.Number(7)}).(*reconciler)
	var definition struct{ States map[string]map[string]any }
	if err := json.Unmarshal([]byte(r.definition(ReconcilerProps{MaxConcurrency: jsii.Number(7)})), &definition); err != nil {
		t.Fatal(err)
	}
	segments := definition.States["Segments"]
	if segments["MaxConcurrency"] != 7.0 {
		t.Errorf("%v segments are in progress at once, want 7", segments["MaxConcurrency"])
	}

	states := definition.States
	for name, state := range segments["ItemProcessor"].(map[string]any)["States"].(map[string]any) {
		states[name] = state.(map[string]any)
	}
	tasks := 0
	for name, state := range states {
		if state["Type"] != "Task" {
			continue
		}
		tasks++
		if retriers, _ := state["Retry"].([]any); len(retriers) == 0 {
			t.Errorf("%s is not retried", name)
		}
	}
	if tasks != 2 {
		t.Errorf("there are %d tasks, want 2", tasks)
	}
}

func TestTheAlarmForFailedExecutionsIsOneOfTheTable(t *testing.T) {
	stack := newStack(t)
	action := awscloudwatchactions.NewSnsAction(awssns.NewTopic(stack, jsii.String("Topic"), nil))
	props := uniqueProps()
	props.Alarms = &AlarmsProps{Actions: &[]awscloudwatch.IAlarmAction{action}}
	with := NewReplicatedTable(stack, jsii.String("With"), props).AddReconciler(jsii.String("Reconciler"), nil)
	props = uniqueProps()
	props.Alarms = &AlarmsProps{Enabled: jsii.Bool(false)}
	without := NewReplicatedTable(stack, jsii.String("Without"), props).AddReconciler(jsii.String("Reconciler"), nil)
	if without.FailedExecutionsAlarm() != nil {
		t.Error("alarms are disabled, and there is one")
	}

	alarm := synthesize(t, stack).Resources[logicalID(stack, with.FailedExecutionsAlarm())]
	alarm.want(t, "MetricName", "ExecutionsFailed")
	if actions, _ := alarm.Properties["AlarmActions"].([]any); len(actions) != 1 {
		t.Errorf("the alarm has the actions %v, want that of the table", actions)
	}
	description := alarm.Properties["AlarmDescription"].(string)
	for _, text := range []string{"First ", "Differences", "repair", ". Runbook: " + runbook + "#failedexecutionsalarm"} {
		if !strings.Contains(description, text) {
			t.Errorf("the description does not say %q: %s", text, description)
		}
	}
	if len(description) > maxDescription {
		t.Errorf("the description has %d bytes, the limit is %d", len(description), maxDescription)
	}
}

func TestAReconcilerWithWrongPropsIsRefusedWhole(t *testing.T) {
	weekly := awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Days(jsii.Number(7)))
	for _, tt := range []struct {
		name  string
		id    string
		props *ReconcilerProps
		want  []string
	}{
		{"no ID", "", nil, []string{`App/Users: AddReconciler("") has no ID: name the reconciler`}},
		{"the ID of another part", "Function", nil, []string{
			`App/Users: AddReconciler("Function") has the ID of another target, or of another part of the table: choose another ID`,
		}},
		{"numbers out of range", "R", &ReconcilerProps{MemorySize: jsii.Number(64), MaxConcurrency: jsii.Number(1001)}, []string{
			`App/Users: AddReconciler("R").MemorySize is 64 MiB: set a whole number from 128 to 10240`,
			`App/Users: AddReconciler("R").MaxConcurrency is 1001 segments: set a whole number from 1 to 1000`,
		}},
		{"a token that is needed", "R", &ReconcilerProps{
			MaxConcurrency: awscdk.Token_AsNumber(awscdk.Fn_GetAtt(jsii.String("A"), jsii.String("B"))),
		}, []string{
			`App/Users: AddReconciler("R").MaxConcurrency is a token: its value must be known at synthesis; write it out`,
		}},
		{"a name with a space", "R", &ReconcilerProps{StateMachineName: jsii.String("re conciler")}, []string{
			`App/Users: AddReconciler("R").StateMachineName is "re conciler": use 1 to 80 letters, digits, hyphens and underscores`,
		}},
		{"units without a schedule", "R", &ReconcilerProps{VerifyReadUnits: jsii.Number(400)}, []string{
			`App/Users: AddReconciler("R").VerifyReadUnits is set, and VerifySchedule is not: set the schedule, or leave it out`,
		}},
		{"too few units", "R", &ReconcilerProps{VerifySchedule: weekly, VerifyReadUnits: jsii.Number(49)}, []string{
			`App/Users: AddReconciler("R").VerifyReadUnits is 49, and MaxConcurrency 10: ` +
				`set at least 50, which is 5 a second for each segment`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
			before := len(*table.Node().Children())
			got := panicOf(func() { table.AddReconciler(&tt.id, tt.props) })
			if want := strings.Join(tt.want, "\n"); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if after := len(*table.Node().Children()); after != before {
				t.Errorf("the table has %d parts, want %d as before", after, before)
			}
		})
	}
}

func TestWhatTheCDKRefusesOfAReconcilerLeavesNothing(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	before := len(*table.Node().Children())
	got := panicOf(func() {
		// Custom runtimes have no code in the template.
		table.AddReconciler(jsii.String("R"), &ReconcilerProps{Code: awslambda.Code_FromInline(jsii.String("code"))})
	})
	if !strings.HasPrefix(got, "App/Users/R: the CDK refuses it: ") {
		t.Errorf("got %q", got)
	}
	if after := len(*table.Node().Children()); after != before {
		t.Errorf("the table has %d parts, want %d as before", after, before)
	}
}

// Two programs, whatever the number of tables; and the second one only where a table asks for it.
func TestTheReconcilersFunctionIsBuiltOnceForAllTables(t *testing.T) {
	outdir := t.TempDir()
	stack := newBuiltStack(outdir)
	for _, id := range []string{"Users", "Accounts"} {
		NewReplicatedTable(stack, jsii.String(id), uniqueProps()).AddReconciler(jsii.String("Reconciler"), nil)
	}
	NewReplicatedTable(stack, jsii.String("Others"), uniqueProps())
	stack.Node().Root().(awscdk.App).Synth(nil)
	binaries, err := filepath.Glob(filepath.Join(outdir, "asset.*", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	if len(binaries) != 2 {
		t.Errorf("%d functions were built, want that of the tables and that of the reconcilers: %v", len(binaries), binaries)
	}
}

package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

func TestPropsReplaceTheDefaults(t *testing.T) {
	k := allKinds(t)
	function := k.resource(k.cities.Function())
	function.want(t, "Architectures", []any{"x86_64"})
	function.want(t, "MemorySize", 512)
	function.want(t, "Timeout", 90)
	k.resource(k.cities.EventSourceMapping()).want(t, "BatchSize", 100)
	k.resource(k.cities.LogGroup()).want(t, "RetentionInDays", 7)
}

func TestTheRemovalPolicyCoversEverythingThatHoldsItemsMessagesOrLogs(t *testing.T) {
	k := allKinds(t)
	for table, want := range map[ReplicatedTable]string{k.users: "Retain", k.cities: "Delete"} {
		for _, c := range []constructs.IConstruct{
			table.SourceTable(), table.Target().Table(),
			table.FailureQueue(), table.FailureDeadLetterQueue(), table.LogGroup(),
		} {
			r := k.resource(c)
			if r.DeletionPolicy != want || r.UpdateReplacePolicy != want {
				t.Errorf("%s: policies %s and %s, want %s",
					*c.Node().Path(), r.DeletionPolicy, r.UpdateReplacePolicy, want)
			}
		}
	}
}

func TestPropsAreNotWrittenTo(t *testing.T) {
	for name, props := range map[string]func() *ReplicatedTableProps{
		"required only": uniqueProps, "last writer": lastWriterProps,
	} {
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

	got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
	want := `App/Users: Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": ` +
		`two items could meet on one target key; ` +
		`add "email" to the sort key or choose Ordering_LastWriterWins` + `
App/Users: MemorySize is 1 MiB: set a whole number from 128 to 10240
App/Users: Timeout is 1.5 s: set a whole number from 10 to 900`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if children := *stack.Node().Children(); len(children) != 0 {
		t.Errorf("the stack has %d children, want none", len(children))
	}
}

func TestAScopeThatCannotHoldATableIsRefused(t *testing.T) {
	stack := newStack(t)
	app := stack.Node().Root().(awscdk.App)
	awssns.NewTopic(stack, jsii.String("Taken"), nil)
	for _, tt := range []struct {
		name  string
		scope constructs.Construct
		id    *string
		want  string
	}{
		{"nil", nil, jsii.String("Users"), "NewReplicatedTable: scope and id are required"},
		{"no ID", stack, nil, "NewReplicatedTable: scope and id are required"},
		{"an empty ID", stack, jsii.String(""), "App/: has an empty ID: name the table"},
		{"a token", stack, awscdk.Aws_REGION(), "has a token for an ID: write the ID out"},
		{"an ID that is taken", stack, jsii.String("Taken"),
			"App/Taken: the scope has another construct with this ID: choose another ID"},
		{"an App", app, jsii.String("Users"), "Users: is outside of a Stack: define it in a Stack"},
		{"a Stage", awscdk.NewStage(app, jsii.String("Prod"), nil), jsii.String("Users"),
			"Prod/Users: is outside of a Stack: define it in a Stack"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := panicOf(func() { NewReplicatedTable(tt.scope, tt.id, uniqueProps()) })
			if !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want a text with %q", got, tt.want)
			}
		})
	}
	if n := len(*stack.Node().Children()); n != 1 {
		t.Errorf("the stack has %d children, want the topic", n)
	}
}

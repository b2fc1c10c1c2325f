package replicatedtable

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// more are sound targets for a table that uniqueProps define, one of each ordering. The
// filters of the last two can be handed to Lambda.
var more = map[string]func() *TargetProps{
	"ByCity": func() *TargetProps {
		return &TargetProps{PartitionKey: str("city"), Ordering: Ordering_LastWriterWins(nil)}
	},
	"ByName": func() *TargetProps {
		return &TargetProps{
			PartitionKey: str("name"), SortKey: str("email"),
			Projection: &Projection{Type: ProjectionType_KEYS_ONLY},
			Ordering:   Ordering_VersionGuard(nil),
		}
	},
	"Active": func() *TargetProps {
		return &TargetProps{PartitionKey: str("email"), Filter: equals("active", "yes")}
	},
	"German": func() *TargetProps {
		return &TargetProps{PartitionKey: str("email"), Filter: equals("country", "DE")}
	},
}

func equals(attribute, text string) Condition {
	return Condition_Equals(jsii.String(attribute), Value_String(jsii.String(text)))
}

// withTargets defines a table with a first target and more, in the order of ids.
func withTargets(stack awscdk.Stack, first *TargetProps, ids ...string) (ReplicatedTable, []Target) {
	props := uniqueProps()
	if first != nil {
		props.Target = first
	}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	targets := []Target{table.Target()}
	for _, id := range ids {
		targets = append(targets, table.AddTarget(jsii.String(id), more[id]()))
	}

	return table, targets
}

// synthesized is a stack with one table, as the other tests read it.
func synthesized(t *testing.T, stack awscdk.Stack, table ReplicatedTable) kinds {
	t.Helper()
	return kinds{stack: stack, users: table, template: synthesize(t, stack)}
}

func TestTheFunctionIsToldOfAllTargetsInOrder(t *testing.T) {
	for _, ids := range [][]string{nil, {"ByCity"}, {"German", "ByCity", "Active", "ByName"}} {
		t.Run(fmt.Sprintf("%d targets", 1+len(ids)), func(t *testing.T) {
			stack := newStack(t)
			table, targets := withTargets(stack, nil, ids...)
			k := synthesized(t, stack, table)

			want := toReplication(uniqueProps(), sizes{})
			for _, id := range ids {
				want = want.with(id, id, more[id](), nil)
			}
			want.Source.TableName = logicalID(stack, table.SourceTable())
			want.FailureQueueURL = logicalID(stack, table.FailureQueue())
			for i, target := range targets {
				want.Targets[i].TableName = logicalID(stack, target.Table())
			}
			if got := k.specOf(t, table); got.Encode() != want.Encode() {
				t.Errorf("got  %s\nwant %s", got.Encode(), want.Encode())
			}
		})
	}
}

func TestTheRoleAllowsOnEachTargetWhatItsOrderingNeeds(t *testing.T) {
	stack := newStack(t)
	table, targets := withTargets(stack, nil, "ByCity", "Active", "ByName")
	tpl := synthesize(t, stack)

	var want []string
	for i, actions := range [][]string{
		{"dynamodb:BatchWriteItem"},
		guardedActions(),
		{"dynamodb:BatchWriteItem"},
		guardedActions(),
	} {
		want = append(want, onTable(t, logicalID(stack, targets[i].Table()), false, actions)...)
	}
	stream := toJSON(t, getAtt(logicalID(stack, table.SourceTable()), "StreamArn"))
	for _, action := range []string{"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"} {
		want = append(want, "dynamodb:"+action+" on "+stream)
	}
	logs := toJSON(t, getAtt(logicalID(stack, table.LogGroup()), "Arn"))
	queue := toJSON(t, getAtt(logicalID(stack, table.FailureQueue()), "Arn"))
	want = append(want, "logs:CreateLogStream on "+logs, "logs:PutLogEvents on "+logs, "sqs:SendMessage on "+queue)
	sort.Strings(want)

	if got := tpl.permissions(t, logicalID(stack, table.Role())); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLambdaFiltersForAllTargetsOrForNone(t *testing.T) {
	filtered := func(filter Condition) *TargetProps {
		props := uniqueProps().Target
		props.Filter = filter
		return props
	}
	active, german := `{"active":{"S":["yes"]}}`, `{"country":{"S":["DE"]}}`

	for _, tt := range []struct {
		name, why string
		first     *TargetProps
		ids       []string
		want      []string
	}{
		{"one filter", "the baseline", filtered(equals("active", "yes")), nil, []string{active}},
		{
			"two filters", "a record that any target needs passes",
			filtered(equals("active", "yes")), []string{"German"}, []string{active, german},
		},
		{
			"one filter twice", "equal patterns are one",
			filtered(equals("active", "yes")), []string{"Active", "German"}, []string{active, german},
		},
		{
			"three filters", "that is six patterns, and Lambda takes five",
			filtered(equals("name", "Ann")), []string{"Active", "German"}, nil,
		},
		{
			"a first target without a filter", "it needs every record",
			nil, []string{"Active"}, nil,
		},
		{
			"a later target without a filter", "the filter that Lambda had goes",
			filtered(equals("active", "yes")), []string{"German", "ByCity"}, nil,
		},
		{
			"a filter that Lambda cannot evaluate", "its target needs records that the other patterns stop",
			filtered(Condition_Exists(jsii.String("active"))), []string{"German"}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			table, _ := withTargets(stack, tt.first, tt.ids...)

			var filters []any
			for _, image := range images {
				for _, conditions := range tt.want {
					pattern := `{"dynamodb":{"` + image + `":` + conditions + `}}`
					filters = append(filters, map[string]any{"Pattern": pattern})
				}
			}
			var want any
			if filters != nil {
				want = map[string]any{"Filters": filters}
			}

			t.Log(tt.why)
			synthesized(t, stack, table).resource(table.EventSourceMapping()).want(t, "FilterCriteria", want)
		})
	}
}

func TestAnAddedTargetMovesNoOther(t *testing.T) {
	resources := func(ids ...string) map[string]string {
		stack := newStack(t)
		withTargets(stack, nil, ids...)
		types := map[string]string{}
		for id, r := range synthesize(t, stack).Resources {
			types[id] = r.Type
		}
		return types
	}

	one := resources()
	ids := slices.Sorted(maps.Keys(more))[:2]
	three := resources(ids[0], ids[1])
	if other := resources(ids[1], ids[0]); !maps.Equal(three, other) {
		t.Errorf("in another order, the resources are\n%v, want\n%v", other, three)
	}
	for id, typ := range one {
		if three[id] != typ {
			t.Errorf("%s %s is gone", id, typ)
		}
		delete(three, id)
	}

	var added []string
	for id, typ := range three {
		added = append(added, strings.TrimRight(id, "0123456789ABCDEF")+" "+typ)
	}
	sort.Strings(added)
	want := []string{
		"UsersActive AWS::DynamoDB::GlobalTable", "UsersByCity AWS::DynamoDB::GlobalTable",
		"UsersTargetAlarmsActiveFailureAlarm AWS::CloudWatch::Alarm", "UsersTargetAlarmsByCityFailureAlarm AWS::CloudWatch::Alarm",
	}
	if !slices.Equal(added, want) {
		t.Errorf("two targets added %v, want their tables and alarms alone", added)
	}
}

func TestAnAddedTableIsLikeTheFirst(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	added := table.AddTarget(jsii.String("Second"), uniqueProps().Target)
	tpl := synthesize(t, stack)

	got := tpl.Resources[logicalID(stack, added.Table())]
	want := tpl.Resources[logicalID(stack, table.Target().Table())]
	if toJSON(t, got) != toJSON(t, want) {
		t.Errorf("got  %s\nwant %s", toJSON(t, got), toJSON(t, want))
	}
}

func TestEachHandleGrantsItsOwnTable(t *testing.T) {
	stack := newStack(t)
	_, targets := withTargets(stack, nil, "ByCity", "ByName")
	var roles []awsiam.Role
	for i, target := range targets {
		role := awsiam.NewRole(stack, jsii.String(fmt.Sprintf("Reader%d", i)), &awsiam.RoleProps{
			AssumedBy: awsiam.NewAccountRootPrincipal(),
		})
		target.GrantReadData(role)
		roles = append(roles, role)
	}

	tpl := synthesize(t, stack)
	for i, target := range targets {
		want := onTable(t, logicalID(stack, target.Table()), false, readActions)
		if got := tpl.permissions(t, logicalID(stack, roles[i])); !slices.Equal(got, want) {
			t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestARefusedTargetChangesNothing(t *testing.T) {
	filtered := func() (awscdk.Stack, ReplicatedTable) {
		stack := newStack(t)
		props := uniqueProps()
		props.Target.Filter = equals("active", "yes")
		table := NewReplicatedTable(stack, jsii.String("Users"), props)
		table.AddTarget(jsii.String("ByName"), more["German"]())
		return stack, table
	}
	untouched, _ := filtered()
	want := toJSON(t, synthesize(t, untouched))
	const inUse = ` has the ID of another target, or of another part of the table: choose another ID`
	const ofTheCDK = ` has an ID that has a meaning for the CDK, the default child: choose another ID`

	for _, tt := range []struct {
		name  string
		id    *string
		props *TargetProps
		want  []string
	}{
		{
			"all problems at once", jsii.String("ByCity"),
			&TargetProps{
				PartitionKey: str("city"), SortKey: str("state"),
				Filter: Condition_Any(), Ordering: guard(""), ExpiredItems: "ARCHIVE",
			},
			[]string{
				`AddTarget("ByCity").Filter.Any is empty: give at least one condition`,
				`AddTarget("ByCity").SortKey "state" and PartitionKey "city" do not contain the source key "email": ` +
					`two items could meet on one target key; ` +
					`add "email" to the sort key or choose Ordering_LastWriterWins`,
				`AddTarget("ByCity").ExpiredItems is "ARCHIVE": leave it out to delete the target item, or use KEEP`,
				`AddTarget("ByCity").Ordering.Attribute is empty: name the attribute for the version, or leave it out`,
			},
		},
		{
			"neither ID nor props", nil, nil,
			[]string{
				`AddTarget("") has no ID: name the target`,
				`AddTarget("") has no props: name the key attributes of the target table`,
			},
		},
		{
			"no partition key", jsii.String("ByCity"), &TargetProps{},
			[]string{`AddTarget("ByCity").PartitionKey is nil: name the key attribute`},
		},
		{
			"the ID of another target", jsii.String("ByName"), more["ByName"](),
			[]string{`AddTarget("ByName")` + inUse},
		},
		{
			"the ID of another part", jsii.String("Function"), more["ByName"](),
			[]string{`AddTarget("Function")` + inUse},
		},
		{
			"an ID of the CDK", jsii.String("Default"), more["ByName"](),
			[]string{`AddTarget("Default")` + ofTheCDK},
		},
		{
			"the other ID of the CDK", jsii.String("Resource"), more["ByName"](),
			[]string{`AddTarget("Resource")` + ofTheCDK},
		},
		{
			"an ID that is a token", jsii.String("${Token[TOKEN.7]}"), more["ByName"](),
			[]string{`AddTarget("${Token[TOKEN.7]}") has a token for an ID: write the ID out`},
		},
		{
			"the ID of a part that may come later", jsii.String("Mapping"), more["ByName"](),
			[]string{`AddTarget("Mapping")` + inUse},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack, table := filtered()
			got := panicOf(func() { table.AddTarget(tt.id, tt.props) })
			if want := "App/Users: " + strings.Join(tt.want, "\nApp/Users: "); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if got := toJSON(t, synthesize(t, stack)); got != want {
				t.Errorf("the template became\n%s\nwas\n%s", got, want)
			}
			table.AddTarget(jsii.String("Later"), more["Active"]())
		})
	}
}

func TestTheIDOfATargetWhoseTableExistsIsTaken(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	props := uniqueProps().Target
	props.Table = newTable(stack, "To", str("state"), str("email"), "")
	table.AddTarget(jsii.String("Again"), props)
	got := panicOf(func() { table.AddTarget(jsii.String("Again"), uniqueProps().Target) })
	const want = `App/Users: AddTarget("Again") has the ID of another target, or of another part of the table: ` +
		`choose another ID`
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestACustomerKeyOfAFurtherTargetNeedsARegion(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	props := uniqueProps().Target
	props.TableProps = &awsdynamodb.TablePropsV2{
		Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(awskms.NewKey(stack, jsii.String("Key"), nil), nil),
	}
	got := panicOf(func() { table.AddTarget(jsii.String("Again"), props) })
	const want = `App/Users: AddTarget("Again").TableProps.Encryption is a customer key, ` +
		`and the Region of the stack is not known: set Env in the StackProps, with its Region`
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASecondTargetIsSetAsideBeforeItsRecordsAreGivenUp(t *testing.T) {
	const want = `App/Users: AddTarget("Again") is not the only target, and SetAsideAfter is 900 s by default, ` +
		`and MaxRecordAge 900 s: the event source mapping would give up on the records before a target is set aside; ` +
		`set SetAsideAfter to less than MaxRecordAge`
	for _, tt := range []struct {
		name                string
		setAside, recordAge awscdk.Duration
		want                string
	}{
		{"by default", nil, nil, ""},
		{"an age of more than the default", nil, awscdk.Duration_Seconds(jsii.Number(901)), ""},
		{"an age of the default", nil, awscdk.Duration_Minutes(jsii.Number(15)), want},
		{"set aside earlier", awscdk.Duration_Minutes(jsii.Number(5)), awscdk.Duration_Minutes(jsii.Number(15)), ""},
	} {
		props := uniqueProps()
		props.SetAsideAfter, props.MaxRecordAge = tt.setAside, tt.recordAge
		table := NewReplicatedTable(newStack(t), jsii.String("Users"), props)
		got := panicOf(func() { table.AddTarget(jsii.String("Again"), uniqueProps().Target) })
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestATargetsPropsAreNotWrittenTo(t *testing.T) {
	table := NewReplicatedTable(newStack(t), jsii.String("Users"), uniqueProps())
	used := everyProp().Target
	table.AddTarget(jsii.String("Second"), used)
	if got, want := toJSON(t, used), toJSON(t, everyProp().Target); got != want {
		t.Errorf("the props became %s, were %s", got, want)
	}
}

func TestAVariableOfTheCallersSurvivesAnotherTarget(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	table.Function().AddEnvironment(jsii.String("GOGC"), jsii.String("100"), nil)
	table.AddTarget(jsii.String("ByName"), more["ByName"]())

	variables := synthesized(t, stack, table).resource(table.Function()).variables()
	if variables["GOGC"] != "100" || variables[spec.EnvironmentVariable] == nil {
		t.Errorf("the environment is %v", variables)
	}
}

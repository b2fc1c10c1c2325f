package replicatedtable

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestTheFunctionHasTheSettingsOfTheProps(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.cities.Function())
	r.want(t, "FunctionName", "replicate-cities")
	r.want(t, "Description", "Keeps the cities up to date")
	r.want(t, "Layers", []any{"arn:aws:lambda:eu-west-1:111122223333:layer:Layer:1"})
	r.want(t, "TracingConfig", map[string]any{"Mode": "Active"})
	r.want(t, "VpcConfig", map[string]any{
		"SubnetIds": []any{"subnet-a1"}, "SecurityGroupIds": []any{"sg-0123456789abcdef0"},
	})
	r.want(t, "ReservedConcurrentExecutions", 20)
	// Lambda's own level must drop no line of the function.
	r.want(t, "LoggingConfig", map[string]any{
		"LogGroup":  ref(logicalID(k.stack, k.cities.LogGroup())),
		"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "TRACE",
	})
	if got := k.specOf(t, k.cities).LogLevel; got != spec.LogError {
		t.Errorf("the function logs from %q on, want %s", got, spec.LogError)
	}

	variables := r.variables()
	if variables["STAGE"] != "test" || variables["GOGC"] != "100" || variables["GOMEMLIMIT"] != "384MiB" {
		t.Errorf("the environment is %v, want the variables of the props before the construct's", variables)
	}
}

func TestTheEventSourceMappingHasTheSettingsOfTheProps(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.cities.EventSourceMapping())
	r.want(t, "MaximumBatchingWindowInSeconds", 5)
	r.want(t, "ParallelizationFactor", 10)
	r.want(t, "StartingPosition", "LATEST")
	r.want(t, "MaximumRecordAgeInSeconds", 12*60*60)
	r.want(t, "MaximumRetryAttempts", 1000)
	r.want(t, "Enabled", false)

	defaults := k.resource(k.users.EventSourceMapping())
	for _, property := range []string{
		"MaximumBatchingWindowInSeconds", "ParallelizationFactor", "Enabled", "KmsKeyArn", "TumblingWindowInSeconds",
	} {
		defaults.want(t, property, nil)
	}
}

func TestTheAlarmsHaveTheSettingsOfTheProps(t *testing.T) {
	k := allKinds(t)
	k.resource(k.cities.IteratorAgeAlarm()).want(t, "Threshold", 30*60*1000)
	k.resource(k.cities.FailureRateAlarm()).want(t, "Threshold", 0)
	unread := k.resource(k.cities.UnreadStreamAlarm())
	unread.want(t, "EvaluationPeriods", 12)
	if text := unread.Properties["AlarmDescription"].(string); !strings.Contains(text, "for 60 minutes") {
		t.Errorf("the description says %q, want 60 minutes", text)
	}
	for _, alarm := range []awscloudwatch.Alarm{
		k.cities.IteratorAgeAlarm(), k.cities.UnreadStreamAlarm(), k.cities.FailureQueueAlarm(),
		k.cities.FailureRateAlarm(), k.cities.FailureDeadLetterQueueAlarm(), k.cities.GivenUpRecordsAlarm(),
		k.cities.DroppedRecordsAlarm(), k.cities.Target().FailureAlarm(),
	} {
		k.resource(alarm).want(t, "AlarmActions", []any{"arn:aws:sns:eu-west-1:111122223333:alarms"})
	}
}

func TestDisabledAlarmsAreNil(t *testing.T) {
	k := allKinds(t)
	for i, alarm := range []awscloudwatch.Alarm{
		k.borrower.IteratorAgeAlarm(), k.borrower.UnreadStreamAlarm(), k.borrower.FailureQueueAlarm(),
		k.borrower.FailureRateAlarm(), k.borrower.FailureDeadLetterQueueAlarm(), k.borrower.GivenUpRecordsAlarm(),
		k.borrower.DroppedRecordsAlarm(), k.borrower.FunctionErrorsAlarm(), k.borrower.FunctionThrottlesAlarm(),
		k.borrower.OldestFailureAlarm(), k.borrower.Target().FailureAlarm(), k.borrower.Target().ThrottleAlarm(),
	} {
		if alarm != nil {
			t.Errorf("alarm %d is %s", i, *alarm.Node().Path())
		}
	}
	if k.borrower.CompositeAlarm() != nil {
		t.Error("there is a composite alarm")
	}
	for id, r := range k.template.Resources {
		if strings.HasPrefix(id, "Borrower") && strings.HasPrefix(r.Type, "AWS::CloudWatch::") {
			t.Errorf("%s is an alarm", id)
		}
	}
}

func TestARoleOfTheCallerGetsThePermissionsBeforeTheFunctionNeedsThem(t *testing.T) {
	k := allKinds(t)
	own, callers := logicalID(k.stack, k.active.Role()), logicalID(k.stack, k.borrower.Role())
	if k.resource(k.borrower.Role()).Type != "AWS::IAM::Role" || !strings.HasPrefix(callers, "CallersRole") {
		t.Errorf("the role is %s, want the caller's", callers)
	}

	// The logs are elsewhere, and everything else is as with a role of the construct's own.
	actions := func(role string) (names []string) {
		for _, permission := range k.template.permissions(t, role) {
			name, _, _ := strings.Cut(permission, " ")
			names = append(names, name)
		}
		return names
	}
	if got, want := actions(callers), actions(own); !slices.Equal(got, want) {
		t.Errorf("the role allows %v, want %v", got, want)
	}

	function := k.resource(k.borrower.Function())
	policy := slices.IndexFunc(function.DependsOn, func(id string) bool {
		return k.template.Resources[id].Type == "AWS::IAM::Policy"
	})
	if policy < 0 {
		t.Errorf("the function depends on %v, want the policy among them", function.DependsOn)
	}
	k.resource(k.borrower.EventSourceMapping()).want(t, "FunctionName", ref(logicalID(k.stack, k.borrower.Function())))
}

func TestATargetThatIsAddedExtendsThePolicyOfTheCallersRole(t *testing.T) {
	stack := newStack(t)
	props := borrowingProps(stack)
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	added := table.AddTarget(jsii.String("ByCity"), &TargetProps{PartitionKey: str("city"), SortKey: str("email")})

	tpl := synthesize(t, stack)
	want := "dynamodb:BatchWriteItem on " + toJSON(t, getAtt(logicalID(stack, added.Table()), "Arn"))
	if got := tpl.permissions(t, logicalID(stack, props.Role)); !slices.Contains(got, want) {
		t.Errorf("the role allows %v, want %s among them", got, want)
	}
	// The second target has no filter, so Lambda gets none, and there is nothing to encrypt.
	mapping := tpl.Resources[logicalID(stack, table.EventSourceMapping())]
	mapping.want(t, "FilterCriteria", nil)
	mapping.want(t, "KmsKeyArn", nil)
}

func TestARoleThatTakesNoPolicyIsWarnedOfWithWhatItNeeds(t *testing.T) {
	for name, options := range map[string]struct {
		arn     string
		mutable bool
		warns   bool
	}{
		"immutable": {"arn:aws:iam::111122223333:role/imported", false, true},
		"mutable":   {"arn:aws:iam::111122223333:role/imported", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			app := awscdk.NewApp(&awscdk.AppProps{
				Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false),
				Context: &map[string]any{"aws:cdk:bundling-stacks": []string{}},
			})
			stack := awscdk.NewStack(app, jsii.String("App"), &awscdk.StackProps{
				Env: &awscdk.Environment{Account: jsii.String("111122223333"), Region: jsii.String("eu-west-1")},
			})
			props := everyConstruct(stack)
			props.Role = awsiam.Role_FromRoleArn(stack, jsii.String("Role"), &options.arn, &awsiam.FromRoleArnOptions{
				Mutable: jsii.Bool(options.mutable),
			})
			table := NewReplicatedTable(stack, jsii.String("Users"), props)

			warning := ""
			for _, m := range *table.Node().Metadata() {
				if *m.Type == "aws:cdk:warning" {
					warning += m.Data.(string)
				}
			}
			if got := strings.Contains(warning, "cannot get a policy"); got != options.warns {
				t.Fatalf("it is warned of: %v, want %v: %s", got, options.warns, warning)
			}
			policies := 0
			for _, r := range synthesize(t, stack).Resources {
				if r.Type == "AWS::IAM::Policy" {
					policies++
				}
			}
			if !options.warns {
				if policies != 1 {
					t.Errorf("the stack has %d policies, want one", policies)
				}
				return
			}
			if policies != 0 {
				t.Errorf("the stack has %d policies, want none", policies)
			}
			for _, action := range []string{
				"dynamodb:GetRecords", "dynamodb:PutItem", "sqs:SendMessage", "logs:PutLogEvents",
				"xray:PutTraceSegments", "ec2:CreateNetworkInterface",
			} {
				if !strings.Contains(warning, action) {
					t.Errorf("the warning does not name %s: %s", action, warning)
				}
			}
		})
	}
}

func TestARoleOfAnotherAccountIsRefused(t *testing.T) {
	stack := stackBeside(newStack(t), ownAccount)
	props := uniqueProps()
	props.Role = importedRole(stack, "444455556666", nil)
	got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
	want := *stack.Node().Path() + "/Users: Role is in the account 444455556666, and the stack in " + ownAccount +
		": a function has a role of its own account; import or define one there"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSettingsThatOnlyDeploymentKnowsAreLeftToIt(t *testing.T) {
	stack := newStack(t)
	number := func(name string) *float64 {
		return awscdk.NewCfnParameter(stack, &name, &awscdk.CfnParameterProps{Type: jsii.String("Number")}).ValueAsNumber()
	}
	text := func(name string) *string { return awscdk.NewCfnParameter(stack, &name, nil).ValueAsString() }
	props := uniqueProps()
	props.FunctionName = text("Name")
	props.Description = text("Text")
	props.Environment = &map[string]*string{"STAGE": text("Stage")}
	props.ReservedConcurrentExecutions = number("Reserved")
	props.MaxBatchingWindow = awscdk.Duration_Seconds(number("Window"))
	props.ParallelizationFactor = number("Factor")
	props.RetryAttempts = number("Retries")
	props.Alarms = &AlarmsProps{MaxFailures: number("Failures")}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)

	tpl := synthesize(t, stack)
	function := tpl.Resources[logicalID(stack, table.Function())]
	function.want(t, "FunctionName", ref("Name"))
	function.want(t, "Description", ref("Text"))
	function.want(t, "ReservedConcurrentExecutions", ref("Reserved"))
	if got := toJSON(t, function.variables()["STAGE"]); got != `{"Ref":"Stage"}` {
		t.Errorf("STAGE is %s", got)
	}
	mapping := tpl.Resources[logicalID(stack, table.EventSourceMapping())]
	mapping.want(t, "MaximumBatchingWindowInSeconds", ref("Window"))
	mapping.want(t, "ParallelizationFactor", ref("Factor"))
	mapping.want(t, "MaximumRetryAttempts", ref("Retries"))
	tpl.Resources[logicalID(stack, table.FailureRateAlarm())].want(t, "Threshold", ref("Failures"))
}

func TestAFunctionThatIsOnlyInAVPCGetsASecurityGroupAndThePrivateSubnets(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Vpc = testVPC(stack)
	table := NewReplicatedTable(stack, jsii.String("Users"), props)

	tpl := synthesize(t, stack)
	config := tpl.Resources[logicalID(stack, table.Function())].Properties["VpcConfig"].(map[string]any)
	if got := toJSON(t, config["SubnetIds"]); got != `["subnet-a1","subnet-b1"]` {
		t.Errorf("the subnets are %s", got)
	}
	if groups := config["SecurityGroupIds"].([]any); len(groups) != 1 {
		t.Errorf("the security groups are %v, want one", groups)
	}
}

func TestAnImportedKeyOfTheFilterIsUsedAsItIs(t *testing.T) {
	stack := newStack(t)
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/1"
	props := guardedProps()
	props.FilterEncryption = awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String(arn))
	table := NewReplicatedTable(stack, jsii.String("Users"), props)

	synthesize(t, stack).Resources[logicalID(stack, table.EventSourceMapping())].want(t, "KmsKeyArn", arn)
}

func TestVariablesOfTheCallerTakeRoomFromTheMapping(t *testing.T) {
	props := uniqueProps()
	room := maxEnvironmentBytes - environmentBytes(toReplication(props, sizes{}).longest().Environment(longestMiB))
	room -= len(`,"STAGE":""`)
	for _, tt := range []struct {
		name, value string
		needsLayer  bool
	}{
		{"all the room", strings.Repeat("x", room), false},
		{"more than the room", strings.Repeat("x", room+1), true},
		{"a token, whose length is not known", "${Token[TOKEN.1]}" + strings.Repeat("x", room), false},
	} {
		props.Environment = &map[string]*string{"STAGE": &tt.value}
		r := toReplication(props, sizes{})
		if got := r.needsLayer(); got != tt.needsLayer {
			t.Errorf("%s: needs a layer is %v, want %v", tt.name, got, tt.needsLayer)
		}
		if problems := validate(props, sizes{}); len(problems) > 0 {
			t.Errorf("%s: %v", tt.name, problems)
		}
	}
}

func TestSubnetsInWhichTheFunctionCannotBeAreRefused(t *testing.T) {
	stack := newStack(t)
	vpc := testVPC(stack)
	public := awsec2.NewVpc(stack, jsii.String("Public"), &awsec2.VpcProps{
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("Public"), SubnetType: awsec2.SubnetType_PUBLIC},
		},
	})
	for _, tt := range []struct {
		name    string
		vpc     awsec2.IVpc
		subnets *awsec2.SubnetSelection
		want    string
	}{
		{"public ones", vpc, &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PUBLIC},
			"VpcSubnets select public subnets"},
		{"none", vpc, &awsec2.SubnetSelection{Subnets: &[]awsec2.ISubnet{}},
			"VpcSubnets select no subnets: name at least one"},
		{"a group that the VPC does not have", vpc, &awsec2.SubnetSelection{SubnetGroupName: jsii.String("none")},
			"VpcSubnets is refused by the CDK: "},
		{"the only ones of the VPC", public, nil, "Vpc has no private subnets"},
	} {
		props := uniqueProps()
		props.Vpc, props.VpcSubnets = tt.vpc, tt.subnets
		if got := fmt.Sprint(findSubnetProblems(props)); !strings.HasPrefix(got, "["+tt.want) {
			t.Errorf("%s: got %s, want %q", tt.name, got, tt.want)
		}
	}
}

// The zone of such a subnet is not known. The CDK does not ask for it.
func TestAFunctionCanBeInASubnetOfWhichOnlyTheIDIsKnown(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Vpc = testVPC(stack)
	props.VpcSubnets = &awsec2.SubnetSelection{Subnets: &[]awsec2.ISubnet{
		awsec2.Subnet_FromSubnetId(stack, jsii.String("Subnet"), jsii.String("subnet-1")),
	}}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)

	function := synthesize(t, stack).Resources[logicalID(stack, table.Function())]
	if got := toJSON(t, function.Properties["VpcConfig"].(map[string]any)["SubnetIds"]); got != `["subnet-1"]` {
		t.Errorf("the subnets are %s", got)
	}
}

func TestEveryKindOfTracingHasItsMode(t *testing.T) {
	for tracing, want := range map[awslambda.Tracing]string{
		"": "", awslambda.Tracing_DISABLED: "",
		awslambda.Tracing_ACTIVE: "Active", awslambda.Tracing_PASS_THROUGH: "PassThrough",
	} {
		if got := tracingMode(tracing); got != want {
			t.Errorf("%q: got %q, want %q", tracing, got, want)
		}
	}
}

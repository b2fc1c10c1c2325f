package replicatedtable

import (
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// Each row is one mistake. It gets one line, and nothing is added to the scope.
func TestEveryWrongSettingIsRefusedInOneLineThatNamesTheRemedy(t *testing.T) {
	stack := newStack(t)
	vpc := testVPC(stack)
	layer := testLayer(stack, "Layer")
	logs := awslogs.LogGroup_FromLogGroupName(stack, jsii.String("Logs"), jsii.String("/logs"))
	unread := awslogs.NewLogGroup(stack, jsii.String("UnreadLogs"), &awslogs.LogGroupProps{
		LogGroupClass: awslogs.LogGroupClass_INFREQUENT_ACCESS,
	})
	group := testSecurityGroup(stack)
	token := awscdk.Duration_Seconds(awscdk.Token_AsNumber(map[string]string{"Ref": "Seconds"}))
	variables := func(name string, value *string) *map[string]*string { return &map[string]*string{name: value} }
	seconds := func(n float64) awscdk.Duration { return awscdk.Duration_Seconds(&n) }
	value := jsii.String("x")
	before := len(*stack.Node().FindAll(""))

	const isToken = "is a token: its value must be known at synthesis; write it out"
	for name, tt := range map[string]struct {
		set  func(p *ReplicatedTableProps)
		want string
	}{
		"function name with a dot": {
			func(p *ReplicatedTableProps) { p.FunctionName = jsii.String("a.b") },
			`FunctionName is "a.b": use 1 to 64 letters, digits, hyphens and underscores`,
		},
		"empty function name": {
			func(p *ReplicatedTableProps) { p.FunctionName = jsii.String("") },
			`FunctionName is "": use 1 to 64 letters, digits, hyphens and underscores`,
		},
		"long description": {
			func(p *ReplicatedTableProps) { p.Description = jsii.String(strings.Repeat("ä", 257)) },
			`Description has 257 characters: shorten it to 256`,
		},
		"memory that is not a number": {
			func(p *ReplicatedTableProps) { p.MemorySize = jsii.Number(math.NaN()) },
			`MemorySize is NaN MiB: set a whole number from 128 to 10240`,
		},
		"the construct's own variable": {
			func(p *ReplicatedTableProps) { p.Environment = variables("REPLICATEDTABLE_SPEC", value) },
			`Environment["REPLICATEDTABLE_SPEC"] holds the function's configuration: leave it out`,
		},
		"a variable of Lambda": {
			func(p *ReplicatedTableProps) { p.Environment = variables("AWS_REGION", value) },
			`Environment["AWS_REGION"] is set by Lambda alone: choose another name`,
		},
		"a variable with a hyphen": {
			func(p *ReplicatedTableProps) { p.Environment = variables("LOG-LEVEL", value) },
			`Environment["LOG-LEVEL"] is not a name for Lambda: ` +
				`use at least two letters, digits and underscores, a letter first`,
		},
		"a variable of one letter": {
			func(p *ReplicatedTableProps) { p.Environment = variables("A", value) },
			`Environment["A"] is not a name for Lambda: use at least two letters, digits and underscores, a letter first`,
		},
		"a variable of Lambda's runtime": {
			func(p *ReplicatedTableProps) { p.Environment = variables("_HANDLER", value) },
			`Environment["_HANDLER"] is not a name for Lambda: ` +
				`use at least two letters, digits and underscores, a letter first`,
		},
		"a variable without a value": {
			func(p *ReplicatedTableProps) { p.Environment = variables("STAGE", nil) },
			`Environment["STAGE"] is nil: set a value, or leave it out`,
		},
		"variables that are too long": {
			func(p *ReplicatedTableProps) {
				p.Environment = variables("STAGE", jsii.String(strings.Repeat("x", 4000)))
			},
			`Target brings the function's environment to 4440 bytes, without the mapping: Lambda's limit is 4096; ` +
				`shorten Environment, which takes 4011 bytes, or the name of the stack or the IDs of constructs, ` +
				`which the names of the tables contain: Source 37, Target 37`,
		},
		"five layers": {
			func(p *ReplicatedTableProps) {
				p.Layers = &[]awslambda.ILayerVersion{layer, layer, layer, layer, layer}
			},
			`Layers are 5: use at most 4; Lambda allows one more, which the mapping may need`,
		},
		"a nil layer": {
			func(p *ReplicatedTableProps) { p.Layers = &[]awslambda.ILayerVersion{layer, nil} },
			`Layers[1] is nil: leave it out`,
		},
		"unknown tracing": {
			func(p *ReplicatedTableProps) { p.Tracing = "ON" },
			`Tracing is "ON": use ACTIVE, PASS_THROUGH or DISABLED`,
		},
		"subnets without a VPC": {
			func(p *ReplicatedTableProps) { p.VpcSubnets = &awsec2.SubnetSelection{} },
			`VpcSubnets is set, and Vpc is not: set the Vpc that has the subnets, or leave it out`,
		},
		"security groups without a VPC": {
			func(p *ReplicatedTableProps) { p.SecurityGroups = &[]awsec2.ISecurityGroup{group} },
			`SecurityGroups are set, and Vpc is not: set the Vpc that has the groups, or leave them out`,
		},
		"no security groups": {
			func(p *ReplicatedTableProps) { p.Vpc, p.SecurityGroups = vpc, &[]awsec2.ISecurityGroup{} },
			`SecurityGroups are an empty list: name at least one, or leave them out for a new one`,
		},
		"a nil security group": {
			func(p *ReplicatedTableProps) { p.Vpc, p.SecurityGroups = vpc, &[]awsec2.ISecurityGroup{nil} },
			`SecurityGroups[0] is nil: leave it out`,
		},
		"public subnets": {
			func(p *ReplicatedTableProps) {
				p.Vpc, p.VpcSubnets = vpc, &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PUBLIC}
			},
			`VpcSubnets select public subnets, where a function has no access to the internet: ` +
				`select private ones, with a NAT gateway or with endpoints for DynamoDB and SQS`,
		},
		"negative concurrency": {
			func(p *ReplicatedTableProps) { p.ReservedConcurrentExecutions = jsii.Number(-1) },
			`ReservedConcurrentExecutions is -1 executions: set a whole number from 0`,
		},
		"infinite concurrency": {
			func(p *ReplicatedTableProps) { p.ReservedConcurrentExecutions = jsii.Number(math.Inf(1)) },
			`ReservedConcurrentExecutions is +Inf executions: set a whole number from 0`,
		},
		"a log level that the function does not have": {
			func(p *ReplicatedTableProps) { p.LogLevel = awslambda.ApplicationLogLevel_TRACE },
			`LogLevel is "TRACE": use DEBUG, INFO, WARN or ERROR`,
		},
		"unknown log format": {
			func(p *ReplicatedTableProps) { p.LoggingFormat = "XML" },
			`LoggingFormat is "XML": use TEXT or JSON`,
		},
		"unknown system log level": {
			func(p *ReplicatedTableProps) {
				p.LoggingFormat, p.SystemLogLevel = awslambda.LoggingFormat_JSON, "ERROR"
			},
			`SystemLogLevel is "ERROR": use DEBUG, INFO or WARN`,
		},
		"system log level of text": {
			func(p *ReplicatedTableProps) {
				p.SystemLogLevel, p.LoggingFormat = awslambda.SystemLogLevel_WARN, awslambda.LoggingFormat_TEXT
			},
			`SystemLogLevel is set, and LoggingFormat is TEXT: Lambda filters only JSON; leave one of them out`,
		},
		"unknown metrics": {
			func(p *ReplicatedTableProps) { p.Metrics = "ALL" },
			`Metrics is "ALL": use BASIC, PER_TARGET or NONE`,
		},
		"alarms on metrics that nobody reports": {
			func(p *ReplicatedTableProps) {
				p.Metrics, p.Alarms = MetricsLevel_NONE, &AlarmsProps{All: jsii.Bool(true)}
			},
			`Alarms.All is true, and Metrics NONE: the alarms of targets watch metrics of the function; ` +
				`set Metrics to BASIC, or leave one of them out`,
		},
		"metrics in a log group that CloudWatch does not read": {
			func(p *ReplicatedTableProps) {
				p.LogGroup = unread
			},
			`LogGroup is of the class INFREQUENT_ACCESS, in which CloudWatch reads no metrics: ` +
				`use one of the class STANDARD, or set Metrics to NONE`,
		},
		"an action of the composite alarm that is nil": {
			func(p *ReplicatedTableProps) {
				p.Alarms = &AlarmsProps{CompositeActions: &[]awscloudwatch.IAlarmAction{nil}}
			},
			`Alarms.CompositeActions[0] is nil: leave it out`,
		},
		"retention of an existing log group": {
			func(p *ReplicatedTableProps) { p.LogGroup, p.LogRetention = logs, awslogs.RetentionDays_ONE_DAY },
			`LogRetention is set, and LogGroup too: leave one of them out; ` +
				`the retention of an existing log group is where it is defined`,
		},
		"a window that is too long": {
			func(p *ReplicatedTableProps) { p.MaxBatchingWindow = seconds(301) },
			`MaxBatchingWindow is 301 s: set a whole number from 0 to 300`,
		},
		"a window of half a second": {
			func(p *ReplicatedTableProps) { p.MaxBatchingWindow = awscdk.Duration_Millis(jsii.Number(500)) },
			`MaxBatchingWindow is 0.5 s: set a whole number from 0 to 300`,
		},
		"no parallel batch": {
			func(p *ReplicatedTableProps) { p.ParallelizationFactor = jsii.Number(0) },
			`ParallelizationFactor is 0 batches: set a whole number from 1 to 10`,
		},
		"too many parallel batches": {
			func(p *ReplicatedTableProps) { p.ParallelizationFactor = jsii.Number(11) },
			`ParallelizationFactor is 11 batches: set a whole number from 1 to 10`,
		},
		"a position in time": {
			func(p *ReplicatedTableProps) { p.StartingPosition = awslambda.StartingPosition_AT_TIMESTAMP },
			`StartingPosition is "AT_TIMESTAMP": use TRIM_HORIZON or LATEST`,
		},
		"records given up on at once": {
			func(p *ReplicatedTableProps) { p.MaxRecordAge = seconds(59) },
			`MaxRecordAge is 59 s: set a whole number from 60 to 43200`,
		},
		"records given up on when they are almost gone": {
			func(p *ReplicatedTableProps) { p.MaxRecordAge = awscdk.Duration_Hours(jsii.Number(13)) },
			`MaxRecordAge is 46800 s: set a whole number from 60 to 43200`,
		},
		"a record age that is a token": {
			func(p *ReplicatedTableProps) { p.MaxRecordAge = token },
			`MaxRecordAge ` + isToken,
		},
		"targets set aside after their records": {
			func(p *ReplicatedTableProps) { p.MaxRecordAge, p.SetAsideAfter = seconds(1200), seconds(1800) },
			`SetAsideAfter is 1800 s, and MaxRecordAge 1200 s: the event source mapping would give up on the records ` +
				`before a target is set aside; set less than MaxRecordAge`,
		},
		"fewer than infinite retries": {
			func(p *ReplicatedTableProps) { p.RetryAttempts = jsii.Number(-2) },
			`RetryAttempts is -2 retries: set a whole number from -1 to 10000`,
		},
		"too many retries": {
			func(p *ReplicatedTableProps) { p.RetryAttempts = jsii.Number(10001) },
			`RetryAttempts is 10001 retries: set a whole number from -1 to 10000`,
		},
		"retries that are not a number": {
			func(p *ReplicatedTableProps) { p.RetryAttempts = jsii.Number(math.NaN()) },
			`RetryAttempts is NaN retries: set a whole number from -1 to 10000`,
		},
		"an alarm after the records": {
			func(p *ReplicatedTableProps) { p.MaxRecordAge = seconds(600) },
			`Alarms.MaxIteratorAge is 600 s, and MaxRecordAge 600 s: the event source mapping would give up on the ` +
				`records before the alarm goes off; set less than MaxRecordAge`,
		},
		"an alarm at every age": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{MaxIteratorAge: seconds(0)} },
			`Alarms.MaxIteratorAge is 0 s: set a whole number from 1 to 43200`,
		},
		"an age of an alarm that is a token": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{MaxIteratorAge: token} },
			`Alarms.MaxIteratorAge ` + isToken,
		},
		"a time that is not made of periods": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{UnreadAfter: seconds(400)} },
			`Alarms.UnreadAfter is 400 s: set a multiple of 300 from 300 to 43200`,
		},
		"no time at all": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{UnreadAfter: seconds(0)} },
			`Alarms.UnreadAfter is 0 s: set a multiple of 300 from 300 to 43200`,
		},
		"a time that is a token": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{UnreadAfter: token} },
			`Alarms.UnreadAfter ` + isToken,
		},
		"half a failure": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{MaxFailures: jsii.Number(0.5)} },
			`Alarms.MaxFailures is 0.5 messages: set a whole number from 0`,
		},
		"infinitely few failures": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{MaxFailures: jsii.Number(math.Inf(-1))} },
			`Alarms.MaxFailures is -Inf messages: set a whole number from 0`,
		},
		"a retention that is not one": {
			func(p *ReplicatedTableProps) { p.LogRetention = "30" },
			`LogRetention is "30": use one of the constants RetentionDays_ONE_DAY to RetentionDays_INFINITE of awslogs`,
		},
		"an instruction set that Lambda does not have": {
			func(p *ReplicatedTableProps) {
				p.Architecture = awslambda.Architecture_Custom(jsii.String("riscv64"), jsii.String("linux/riscv64"))
			},
			`Architecture is "riscv64": use Architecture_ARM_64 or Architecture_X86_64`,
		},
		"a joined key without a separator": {
			func(p *ReplicatedTableProps) {
				*p = *compositeProps()
				p.Target.KeySources = &map[string]*KeySource{"place": {Attributes: jsii.Strings("city", "email")}}
			},
			`Target.KeySources "place" has the separator "": use one character, and not the backslash, which escapes it`,
		},
		"a timeout in minutes that is a token": {
			func(p *ReplicatedTableProps) {
				p.Timeout = awscdk.Duration_Minutes(awscdk.Token_AsNumber(map[string]string{"Ref": "Minutes"}))
			},
			"the CDK refuses it: Duration must be specified as 'Duration.seconds()' here since its value " +
				"comes from a token and cannot be converted (got Duration.minutes)",
		},
		"a nil action": {
			func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{Actions: &[]awscloudwatch.IAlarmAction{nil}} },
			`Alarms.Actions[0] is nil: leave it out`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			props := uniqueProps()
			tt.set(props)
			got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
			if want := "App/Users: " + tt.want; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if after := len(*stack.Node().FindAll("")); after != before {
				t.Errorf("the stack has %d constructs, had %d", after, before)
			}
		})
	}
}

func TestTheSettingsMayReachTheirLimits(t *testing.T) {
	number := jsii.Number[float64]
	wantProblems(t, []propsCase{
		{
			name:  "smallest settings",
			why:   "limits are inclusive, and 0 executions are how to stop the function",
			props: func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{Enabled: jsii.Bool(false)} },
			sizes: sizes{
				reservedExecutions: number(0), windowSeconds: number(0), parallelization: number(1),
				recordAgeSeconds: number(60), retryAttempts: number(-1),
				iteratorAgeSeconds: number(1), unreadSeconds: number(300), failures: number(0),
			},
		},
		{
			name:  "largest settings",
			why:   "limits are inclusive, and an alarm that is not defined cannot be too late",
			props: func(p *ReplicatedTableProps) { p.Alarms = &AlarmsProps{Enabled: jsii.Bool(false)} },
			sizes: sizes{
				reservedExecutions: number(1e6), windowSeconds: number(300), parallelization: number(10),
				recordAgeSeconds: number(43200), retryAttempts: number(10000),
				iteratorAgeSeconds: number(43200), unreadSeconds: number(43200), failures: number(1e6),
			},
		},
		{
			name:  "several wrong settings",
			why:   "one synthesis names them all, in the order of the props",
			props: func(p *ReplicatedTableProps) { p.Tracing, p.StartingPosition = "ON", "NOW" },
			sizes: sizes{parallelization: number(11), failures: number(-1), setAsideSeconds: number(1)},
			want: []string{
				`Tracing is "ON": use ACTIVE, PASS_THROUGH or DISABLED`,
				`ParallelizationFactor is 11 batches: set a whole number from 1 to 10`,
				`StartingPosition is "NOW": use TRIM_HORIZON or LATEST`,
				`Alarms.MaxFailures is -1 messages: set a whole number from 0`,
				`SetAsideAfter is 1 s: set a whole number from 60 to 36000`,
			},
		},
	})
}

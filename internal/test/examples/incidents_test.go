package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/runbook"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// incidents are what happens while somebody goes through the runbook.
type incidents struct {
	t     *testing.T
	cloud *cdk.Cloud
	// endpoint is the cloud's, over TLS as far as it can tell.
	endpoint string
	shell    *runbook.Shell

	lambda  *lambda.Client
	queues  *sqs.Client
	streams *dynamodbstreams.Client

	orders *table
	views  *orderViews
	// all are the orders that the views should have.
	all []order
}

// connect makes clients for what happens and for what is checked.
func (i *incidents) connect() {
	endpoint, root := i.endpoint, credentials.NewStaticCredentialsProvider("test", "test", "")
	i.lambda = lambda.New(lambda.Options{BaseEndpoint: &endpoint, Region: cdk.Region, Credentials: root,
		APIOptions: awsconfig.APIOptions})
	i.queues = sqs.New(sqs.Options{BaseEndpoint: &endpoint, Region: cdk.Region, Credentials: root,
		APIOptions: awsconfig.APIOptions})
	i.streams = dynamodbstreams.New(dynamodbstreams.Options{BaseEndpoint: &endpoint, Region: cdk.Region, Credentials: root})
}

// happens returns what happens before the commands under a heading.
func (i *incidents) happens() map[string]func() {
	return map[string]func(){
		"Redrive":                     i.sendAPositionOfAnOlderStream,
		"Verify and repair":           i.spoilTheViews,
		"Undo a change by hand":       i.changeTheMappingAndTheFunction,
		"Enable a key":                i.disableAKey,
		"UnreadStreamAlarm":           i.disableTheMapping,
		"DroppedRecordsAlarm":         i.loseTheQueue,
		"GivenUpRecordsAlarm":         i.giveUpAnOrder,
		"IteratorAgeAlarm":            i.addAnIndex,
		"TargetFailureAlarm":          i.missAnOrder,
		"FailureRateAlarm":            i.missAnOrder,
		"FunctionThrottlesAlarm":      i.stopTheFunction,
		"TargetThrottleAlarm":         i.provisionTheTarget,
		"FailureDeadLetterQueueAlarm": i.missAnOrderTwice,
		"OldestFailureAlarm":          i.missAnOrder,
		"FailureQueueAlarm":           i.missAnOrder,
		"CompositeAlarm":              i.raiseAnAlarm,
	}
}

// effect checks what a command has done, and what it printed.
type effect func(c runbook.Command, output string, exitCode int)

// effects returns what commands have to do besides ending with a documented exit code, by a part
// of the command.
func (i *incidents) effects() map[string]effect {
	prints := func(text string) effect {
		return func(_ runbook.Command, output string, _ int) {
			if !strings.Contains(output, text) {
				i.t.Errorf("want output with %q", text)
			}
		}
	}

	return map[string]effect{
		`SOURCE=`: func(runbook.Command, string, int) { i.wantEqual("SOURCE", i.get("SOURCE"), i.orders.name) },
		`TARGET=`: func(runbook.Command, string, int) { i.wantEqual("TARGET", i.get("TARGET"), i.views.byCustomer.name) },

		` filter-log-events `:     i.readsTheLog,
		` get-metric-statistics `: prints("\t654321"),
		` --no-enabled`:           i.leavesTheMapping("Disabled"),
		` --enabled`:              i.leavesTheMapping("Enabled"),

		`replicatedtable redrive `:        i.redrives,
		` create-queue `:                  i.createsTheQueue,
		` set-queue-attributes `:          func(runbook.Command, string, int) { i.wantRetention("1209600") },
		` purge-queue `:                   func(runbook.Command, string, int) { i.wantMessages("QUEUE", 0) },
		`verify -function "$FUNCTION"`:    i.verifies,
		` describe-stack-resource-drifts`: i.findsTheDrift,
		` --destination-config `:          func(runbook.Command, string, int) { i.wantMapping(defaultMapping) },
		` --filter-criteria `:             func(runbook.Command, string, int) { i.wantFilters(0) },
		` describe-key `:                  prints("Disabled"),
		` put-role-policy `: func(runbook.Command, string, int) {
			policy := i.do(`aws iam get-role-policy --role-name "$ROLE" --policy-name OnCall --query PolicyDocument`)
			if !strings.Contains(policy, `"dynamodb:BatchWriteItem"`) || !strings.Contains(policy, i.get("TARGET")) {
				i.t.Errorf("the policy is %s", policy)
			}
		},
		` delete-role-policy `: func(runbook.Command, string, int) {
			if names := i.do(`aws iam list-role-policies --role-name "$ROLE"`); strings.Contains(names, "OnCall") {
				i.t.Errorf("the role has the policies %s", names)
			}
		},
		` enable-key `: func(runbook.Command, string, int) {
			i.wantEqual("the key", i.do(`aws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyState --output text`), "Enabled")
		},

		` --global-secondary-index-updates `: func(runbook.Command, string, int) {
			i.wantEqual("the number of indexes", len(i.target().GlobalSecondaryIndexes), 0)
		},
		` --billing-mode `: func(runbook.Command, string, int) {
			i.wantEqual("the billing mode", i.target().BillingModeSummary.BillingMode, types.BillingModePayPerRequest)
		},
		` delete-function-concurrency `: func(runbook.Command, string, int) {
			out, err := i.lambda.GetFunctionConcurrency(i.t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: i.function()})
			check(i.t, err)
			i.wantEqual("a reserved concurrency is there", out.ReservedConcurrentExecutions != nil, false)
		},

		` describe-execution `: prints("InputError"), // of the last execution before
		` start-execution `:    i.executes,
		` describe-alarms `:    prints("RUNBOOK.md#"),
	}
}

func (i *incidents) wantEqual(what string, got, want any) {
	i.t.Helper()
	if got != want {
		i.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func (i *incidents) function() *string { return aws.String(i.get("FUNCTION")) }

// target describes the table by customer.
func (i *incidents) target() *types.TableDescription {
	i.t.Helper()
	out, err := i.orders.client.DescribeTable(i.t.Context(), &dynamodb.DescribeTableInput{TableName: &i.views.byCustomer.name})
	check(i.t, err)
	return out.Table
}

// comparison is a part of a filter pattern.
var comparison = regexp.MustCompile(`\(\$\.([a-zA-Z.]+) = "([a-zA-Z]+)"\)`)

// readsTheLog checks that the line about a missing right is in the output. MiniStack takes every filter pattern for
// JSON for one that all lines meet, so the pattern is evaluated here.
func (i *incidents) readsTheLog(c runbook.Command, output string, _ int) {
	_, pattern, _ := strings.Cut(c.Line, "--filter-pattern '")
	pattern, _, _ = strings.Cut(pattern, "'")
	comparisons := comparison.FindAllStringSubmatch(pattern, -1)
	if rest := comparison.ReplaceAllString(pattern, ""); strings.Trim(rest, "{}| ") != "" || len(comparisons) == 0 {
		i.t.Fatalf("the test cannot read the filter pattern %s", pattern)
	}

	if c.Heading == "FunctionErrorsAlarm" {
		for _, status := range []string{"error", "failure", "timeout", "success"} {
			report := map[string]any{"type": "platform.report", "record": map[string]any{"status": status}}
			i.wantEqual("the filter finds an invocation that ended with "+status, meetsOne(report, comparisons), status != "success")
		}
	}
	for line := range strings.Lines(output) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && meetsOne(fields, comparisons) && fields["reason"] == "AccessDeniedException: dynamodb:BatchWriteItem" && fields["remedy"] != "" {
			return
		}
	}
	i.t.Error("want the line about the right that was missing")
}

// meetsOne reports whether a line of the log meets one of the comparisons. Those with a dot are about a member
// of an object, as in the lines of Lambda itself.
func meetsOne(line map[string]any, comparisons [][]string) bool {
	return slices.ContainsFunc(comparisons, func(m []string) bool {
		var value any = line
		for name := range strings.SplitSeq(m[1], ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		return value == m[2]
	})
}

// disableTheMapping disables the mapping, and places an order then.
func (i *incidents) disableTheMapping() {
	_, err := i.lambda.UpdateEventSourceMapping(i.t.Context(), &lambda.UpdateEventSourceMappingInput{
		UUID: aws.String(i.get("MAPPING")), Enabled: aws.Bool(false),
	})
	check(i.t, err)
	unread := newOrder("o-1009")
	i.orders.put(unread.item())
	i.all = append(i.all, unread)
}

func (i *incidents) mapping() *lambda.GetEventSourceMappingOutput {
	i.t.Helper()
	out, err := i.lambda.GetEventSourceMapping(i.t.Context(), &lambda.GetEventSourceMappingInput{UUID: aws.String(i.get("MAPPING"))})
	check(i.t, err)
	return out
}

// leavesTheMapping checks the mapping's state. When it is enabled, it delivers what was written before.
func (i *incidents) leavesTheMapping(state string) effect {
	return func(runbook.Command, string, int) {
		i.wantEqual("the mapping", aws.ToString(i.mapping().State), state)
		if state == "Enabled" {
			i.views.await(i.t, i.all...)
		}
	}
}

// defaultMapping is what the construct defines where nobody sets anything else. MiniStack keeps no MetricsConfig.
const defaultMapping = "Enabled 1000 0 1 39600 -1 true [ReportBatchItemFailures] true"

func (i *incidents) wantMapping(want string) {
	i.t.Helper()
	m := i.mapping()
	hasQueue := m.DestinationConfig != nil && m.DestinationConfig.OnFailure != nil &&
		strings.HasSuffix(aws.ToString(m.DestinationConfig.OnFailure.Destination), ":"+path.Base(i.get("QUEUE")))
	factor := max(1, aws.ToInt32(m.ParallelizationFactor)) // 1 is Lambda's default
	i.wantEqual("the mapping", fmt.Sprint(aws.ToString(m.State), " ", aws.ToInt32(m.BatchSize),
		aws.ToInt32(m.MaximumBatchingWindowInSeconds), factor, aws.ToInt32(m.MaximumRecordAgeInSeconds),
		aws.ToInt32(m.MaximumRetryAttempts), aws.ToBool(m.BisectBatchOnFunctionError), m.FunctionResponseTypes, hasQueue), want)
}

func (i *incidents) wantFilters(want int) {
	i.t.Helper()
	found := 0
	if f := i.mapping().FilterCriteria; f != nil {
		found = len(f.Filters)
	}
	i.wantEqual("the number of filters", found, want)
}

// changeTheMappingAndTheFunction is what a person does in the console.
func (i *incidents) changeTheMappingAndTheFunction() {
	i.wantMapping(defaultMapping)
	_, err := i.lambda.UpdateEventSourceMapping(i.t.Context(), &lambda.UpdateEventSourceMappingInput{
		UUID: aws.String(i.get("MAPPING")), Enabled: aws.Bool(false), BatchSize: aws.Int32(7),
		MaximumBatchingWindowInSeconds: aws.Int32(5), ParallelizationFactor: aws.Int32(10),
		MaximumRecordAgeInSeconds: aws.Int32(60), MaximumRetryAttempts: aws.Int32(0), BisectBatchOnFunctionError: aws.Bool(false),
		FunctionResponseTypes: []lambdatypes.FunctionResponseType{},
		DestinationConfig:     &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{}},
		FilterCriteria:        &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{{Pattern: aws.String(`{"eventName": ["INSERT"]}`)}}},
	})
	check(i.t, err)
	i.wantMapping("Disabled 7 5 10 60 0 false [] false")
	i.wantFilters(1)

	i.setMemory(512)
}

// memory is the function's, in MiB, as the template has it.
const memory = 256

func (i *incidents) setMemory(size int32) {
	i.t.Helper()
	_, err := i.lambda.UpdateFunctionConfiguration(i.t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: i.function(), MemorySize: &size,
	})
	check(i.t, err)
}

// findsTheDrift checks that the function is found to be changed, and changes it back, as a deployment
// would. MiniStack does not look at mappings, nor at the policies of roles.
func (i *incidents) findsTheDrift(_ runbook.Command, output string, _ int) {
	var drifts [][]any
	check(i.t, json.Unmarshal([]byte(output), &drifts))
	if !slices.ContainsFunc(drifts, func(d []any) bool { return d[0] == functionID && d[1] == "MODIFIED" }) {
		i.t.Error("want the function among what was modified")
	}
	i.setMemory(memory)
}

// spoilTheViews makes one item of a view missing, and one stale.
func (i *incidents) spoilTheViews() {
	stale := i.all[1]
	stale.total = "0.5"
	i.views.byStatus.put(stale.byStatus())
	i.forget(i.all[0])
}

// forget deletes an order from the view by customer.
func (i *incidents) forget(o order) {
	i.views.byCustomer.delete(item{"customerId": text(o.customer), "dayOrder": o.byCustomer()["dayOrder"]})
}

// verifies checks that the first verification finds what was spoilt. The exit code of the last one is
// always 0, which the document says.
func (i *incidents) verifies(c runbook.Command, _ string, exitCode int) {
	spoilt := c.Heading == "Verify and repair" || c.Heading == "DroppedRecordsAlarm"
	if spoilt && c.Allows(1) {
		i.wantEqual("the exit code", exitCode, 1)
	}
	if !c.Allows(1) {
		i.views.await(i.t, i.all...)
	}
}

// send sends a message to the queue that a variable of the terminal names.
func (i *incidents) send(queue string, message any) {
	i.t.Helper()
	body, err := json.Marshal(message)
	check(i.t, err)
	_, err = i.queues.SendMessage(i.t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(i.get(queue)), MessageBody: aws.String(string(body)),
	})
	check(i.t, err)
}

// missAnOrder takes an order from a view, and sends the message of a function that could not put it. The
// functions on MiniStack cannot send one (see engine.StartMiniStack).
func (i *incidents) missAnOrder() { i.missAnOrderIn("QUEUE") }

func (i *incidents) missAnOrderIn(queue string) {
	missed := i.all[0]
	i.forget(missed)
	i.send(queue, failurequeue.Message{
		Version: failurequeue.Version, Kind: failurequeue.KindKeys, TargetTable: i.views.byCustomer.name, Reason: "a test",
		Items: []failurequeue.Item{{SourceKey: json.RawMessage(`{"orderId": {"S": "` + missed.id + `"}}`)}},
	})
	i.wantMessages(queue, 1)
}

// loseTheQueue deletes the failure queue, and takes an order from a view: no message tells of it.
func (i *incidents) loseTheQueue() {
	i.do(`aws sqs delete-queue --queue-url "$QUEUE"`)
	i.forget(i.all[0])
}

func (i *incidents) createsTheQueue(_ runbook.Command, output string, _ int) {
	if name := path.Base(i.get("QUEUE")); !strings.Contains(output, "/"+name+`"`) {
		i.t.Errorf("want the URL of %s", name)
	}
}

func (i *incidents) wantRetention(seconds string) {
	i.t.Helper()
	i.wantEqual("the retention period", seconds,
		i.do(`aws sqs get-queue-attributes --queue-url "$QUEUE" --attribute-names All --query Attributes.MessageRetentionPeriod --output text`))
}

// missAnOrderTwice sends that message to the dead-letter queue. MiniStack drops the
// connection of both queues that the template has.
func (i *incidents) missAnOrderTwice() {
	const arn = "--attribute-names QueueArn --query Attributes.QueueArn --output text"
	dead := i.do(`aws cloudformation list-stack-resources --stack-name "$STACK" --output text --query %s`,
		`"StackResourceSummaries[?contains(LogicalResourceId, 'FailureDeadLetterQueue') && ResourceType=='AWS::SQS::Queue'].PhysicalResourceId"`)
	i.set("DEAD", dead)
	policy, err := json.Marshal(map[string]any{
		"deadLetterTargetArn": i.do(`aws sqs get-queue-attributes --queue-url "$DEAD" %s`, arn), "maxReceiveCount": 5,
	})
	check(i.t, err)
	_, err = i.queues.SetQueueAttributes(i.t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: aws.String(i.get("QUEUE")), Attributes: map[string]string{"RedrivePolicy": string(policy)},
	})
	check(i.t, err)
	i.missAnOrderIn("DEAD")
}

// sendAPositionOfAnOlderStream sends what the mapping sent of records that are gone by now.
func (i *incidents) sendAPositionOfAnOlderStream() {
	table, _, _ := strings.Cut(aws.ToString(i.mapping().EventSourceArn), "/stream/")
	const at = "100000000000000000001"
	i.send("QUEUE", position{"shardId-00000001", at, at, table + "/stream/2026-01-01T00:00:00.000"}.message())
}

// position is what the mapping's message says of records that it gave up on.
type position struct {
	ShardID   string `json:"shardId"`
	Start     string `json:"startSequenceNumber"`
	End       string `json:"endSequenceNumber"`
	StreamARN string `json:"streamArn"`
}

func (p position) message() any {
	return map[string]any{"version": "1.0", "DDBStreamBatchInfo": p}
}

// giveUpAnOrder takes an order from a view whose record the stream has, and sends the position of that record.
func (i *incidents) giveUpAnOrder() {
	given := i.all[len(i.all)-1]
	i.forget(given)
	stream := i.mapping().EventSourceArn
	description, err := i.streams.DescribeStream(i.t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: stream})
	check(i.t, err)
	for _, shard := range description.StreamDescription.Shards {
		iterator, err := i.streams.GetShardIterator(i.t.Context(), &dynamodbstreams.GetShardIteratorInput{
			StreamArn: stream, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		})
		check(i.t, err)
		page, err := i.streams.GetRecords(i.t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator.ShardIterator})
		check(i.t, err)
		for _, r := range page.Records {
			if id, ok := r.Dynamodb.Keys["orderId"].(*streamtypes.AttributeValueMemberS); ok && id.Value == given.id {
				at := aws.ToString(r.Dynamodb.SequenceNumber)
				i.send("QUEUE", position{*shard.ShardId, at, at, *stream}.message())
				return
			}
		}
	}
	i.t.Fatalf("the stream has no record of the order %s", given.id)
}

// wantMessages checks the number of messages in the queue that a variable of the terminal names.
func (i *incidents) wantMessages(queue string, want int) {
	i.t.Helper()
	out, err := i.queues.GetQueueAttributes(i.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(i.get(queue)), AttributeNames: []sqstypes.QueueAttributeName{"All"},
	})
	check(i.t, err)
	i.wantEqual("messages in "+queue, out.Attributes["ApproximateNumberOfMessages"]+"+"+
		out.Attributes["ApproximateNumberOfMessagesNotVisible"], fmt.Sprintf("%d+0", want))
}

// redrives checks that a dry run deletes nothing, and that a redrive empties the queue, except where it
// says that a message has to be deleted by hand.
func (i *incidents) redrives(c runbook.Command, output string, exitCode int) {
	queue := "QUEUE"
	if strings.Contains(c.Line, "-dead-letters") {
		queue = "DEAD"
	}
	expired := c.Heading == "Redrive"
	switch {
	case expired:
		i.wantEqual("the exit code", exitCode, 1)
		i.wantMessages(queue, 1)
		if !strings.Contains(output, "run repair, and delete the message then") {
			i.t.Error("want output that says when to delete the message")
		}
	case strings.Contains(c.Line, "-dry-run"):
		i.wantEqual("the exit code", exitCode, 0)
		i.wantMessages(queue, 1)
	case c.Heading == "DroppedRecordsAlarm":
		i.wantEqual("the exit code", exitCode, 0) // no message tells of the order
	default:
		i.wantEqual("the exit code", exitCode, 0)
		i.wantMessages(queue, 0)
		i.views.await(i.t, i.all...)
	}
}

// disableAKey disables a key. The example's tables have none of their own.
func (i *incidents) disableAKey() {
	i.set("KEY", i.do(`aws kms create-key --query KeyMetadata.Arn --output text`))
	i.do(`aws kms disable-key --key-id "$KEY"`)
}

// addAnIndex adds an index whose key attribute has another type than in the orders, and makes the stream wait.
func (i *incidents) addAnIndex() {
	i.missAnOrder()
	i.set("INDEX", "ByTotal")
	_, err := i.orders.client.UpdateTable(i.t.Context(), &dynamodb.UpdateTableInput{
		TableName: &i.views.byCustomer.name,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("total"), AttributeType: types.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("ByTotal"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("total"), KeyType: types.KeyTypeHash}},
		}}},
	})
	check(i.t, err)
	i.do(`aws cloudwatch put-metric-data --namespace AWS/Lambda --metric-name IteratorAge ` +
		`--dimensions FunctionName="$FUNCTION" --value 654321 --timestamp "$(($(date +%%s) - 60))"`)
}

func (i *incidents) stopTheFunction() {
	_, err := i.lambda.PutFunctionConcurrency(i.t.Context(), &lambda.PutFunctionConcurrencyInput{
		FunctionName: i.function(), ReservedConcurrentExecutions: aws.Int32(0),
	})
	check(i.t, err)
}

func (i *incidents) provisionTheTarget() {
	_, err := i.orders.client.UpdateTable(i.t.Context(), &dynamodb.UpdateTableInput{
		TableName: &i.views.byCustomer.name, BillingMode: types.BillingModeProvisioned,
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)},
	})
	check(i.t, err)
}

// executes waits for the end of the execution that was started.
func (i *incidents) executes(_ runbook.Command, output string, _ int) {
	var started struct {
		ARN string `json:"executionArn"`
	}
	check(i.t, json.Unmarshal([]byte(output), &started))
	ctx, cancel := context.WithTimeout(i.t.Context(), executionTimeout)
	defer cancel()
	execution, err := i.cloud.AwaitExecution(ctx, started.ARN)
	check(i.t, err)
	i.wantEqual("the execution", execution.Status, "SUCCEEDED")
}

// raiseAnAlarm sets an alarm's state. MiniStack does not evaluate alarms.
func (i *incidents) raiseAnAlarm() {
	name := i.do(`aws cloudwatch describe-alarms --query "MetricAlarms[?contains(AlarmName, 'IteratorAge')].AlarmName" --output text`)
	i.do(`aws cloudwatch set-alarm-state --alarm-name "%s" --state-value ALARM --state-reason test`, name)
}

package incidents

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

// How soon alarms go off: within one period of what they watch, after the time that it takes.
const (
	atOnce = 6 * time.Minute
	// onceLate is after the 10 minutes of IteratorAgeAlarm, onceUnread after the 15 of
	// UnreadStreamAlarm, onceAside after the 15 of SetAsideAfter.
	onceLate   = 10*time.Minute + 2*atOnce
	onceUnread = 15*time.Minute + atOnce
	onceAside  = 15*time.Minute + 2*atOnce
)

// lostRight (F3, T3): the function's role loses the right to write to one target.
var lostRight = story{
	name: "a policy loses the right to write to one target",
	tell: func(r *run) {
		r.begin()

		r.gateway.begin("policy", r.denied(byPlace))
		began := time.Now()
		r.pass(90 * time.Minute)
		r.wantAlarms(began,
			expected{"ByPlaceFailureAlarm", 0, atOnce},
			expected{"IteratorAgeAlarm", 10 * time.Minute, onceLate},
			// The batch is redelivered until the target is set aside, and nobody polls meanwhile.
			expected{"UnreadStreamAlarm", 15 * time.Minute, onceUnread},
			expected{"FailureQueueAlarm", 15 * time.Minute, onceAside})
		r.wantOn("ByPlaceFailureAlarm", "FailureQueueAlarm")
		r.wantExact(byState, byCity)
		r.wantInexact(byPlace)

		r.gateway.end("policy")
		r.pass(20 * time.Minute)
		r.wantOn("FailureQueueAlarm")
		r.wantInexact(byPlace)

		r.follow("TargetFailureAlarm")
		r.end()
	},
	teeth: []without{
		noAlarm("ByPlaceFailureAlarm"),
		noStep("replicatedtable redrive", "replicatedtable verify"),
	},
}

// weekend (F9): the mapping is disabled on Friday evening, and nobody looks before Monday.
var weekend = story{
	name: "the mapping is disabled over a weekend",
	tell: func(r *run) {
		r.begin()

		r.poller.Enable(false)
		began := time.Now()
		r.writeEvery = seldom
		r.pass(60 * time.Hour)
		r.wantAlarms(began, expected{"UnreadStreamAlarm", 15 * time.Minute, onceUnread})
		r.wantOn("UnreadStreamAlarm")

		monday := time.Now()
		r.follow("UnreadStreamAlarm")
		if lost := r.poller.Stats().Trimmed; lost == 0 {
			r.problem("the stream has lost nothing")
		}
		// Of what the stream still had, the mapping gave up what was older than MaxRecordAge.
		r.wantAlarms(monday,
			expected{"UnreadStreamAlarm", began.Sub(monday), 0},
			expected{"GivenUpRecordsAlarm", 0, atOnce}, expected{"FailureQueueAlarm", 0, atOnce})
		r.end()
	},
	teeth: []without{
		noAlarm("UnreadStreamAlarm"),
		noStep("replicatedtable redrive", "FailureQueueAlarm is ALARM"),
		noStep("replicatedtable repair", "replicatedtable verify"),
		noStep("aws lambda update-event-source-mapping", "UnreadStreamAlarm is ALARM"),
	},
}

// wrongIndex is an index whose key has another type than the attribute of the items.
const wrongIndex = "ByVisits"

// wrongIndexStory (F7): somebody adds such an index to a target.
var wrongIndexStory = story{
	name: "an index of the wrong type is put on a target",
	tell: func(r *run) {
		r.begin()
		r.createIndex(byPlace)
		began := time.Now()
		r.pass(4 * time.Hour)
		r.wantAlarms(began,
			// The first records are given up one by one, until there are too many in a row.
			expected{"FailureQueueAlarm", 0, atOnce},
			expected{"ByPlaceFailureAlarm", 30 * time.Minute, 2 * time.Hour},
			expected{"IteratorAgeAlarm", 40 * time.Minute, 2*time.Hour + onceLate},
			expected{"UnreadStreamAlarm", 40 * time.Minute, 2*time.Hour + onceUnread})
		r.wantOn("ByPlaceFailureAlarm", "FailureQueueAlarm")
		r.wantExact(byState, byCity)
		if n := r.total("Failed", byPlace); n == 0 || n > maxGivenUp {
			r.problem("%v records were given up, want 1 to %d", n, maxGivenUp)
		}

		r.follow("IteratorAgeAlarm")
		r.end()
	},
	teeth: []without{
		noBrake(byPlace, "ByPlaceFailureAlarm did not go off"),
		noAlarm("IteratorAgeAlarm"),
		noStep("aws dynamodb update-table", "ByPlaceFailureAlarm is ALARM"),
		noStep("replicatedtable redrive", "replicatedtable verify"),
	},
}

// maxGivenUp is how many records a process gives up before the brake is on.
const maxGivenUp = 25

// The faults of a key that is disabled: of the tables, and of the queue.
const (
	keyFault      = "key"
	queueKeyFault = "queue key"
)

// disabledKey (F3, F5): a message waits already, and then the targets' key is disabled for 12
// hours, an hour longer than MaxRecordAge.
var disabledKey = story{
	name: "the targets' key is disabled for twelve hours",
	tell: func(r *run) {
		r.begin()
		r.putUnmappable()
		r.pass(20 * time.Minute)
		r.wantCalm("FailureQueueAlarm")
		r.wantOn("FailureQueueAlarm")

		r.gateway.begin(keyFault, r.keyDisabled())
		began := time.Now()
		r.writeEvery = seldom / 2
		r.pass(12 * time.Hour)
		r.wantAlarms(began, append(outage(),
			expected{"FailureQueueAlarm", -time.Hour, 0},
			expected{"GivenUpRecordsAlarm", 11 * time.Hour, 11*time.Hour + 2*atOnce})...)
		r.wantInexact(byPlace)

		r.follow("Enable a key")
		r.correct()
		r.follow("GivenUpRecordsAlarm")
		r.end()
	},
	teeth: []without{
		noAlarm("GivenUpRecordsAlarm"),
		noStep("replicatedtable redrive", "FailureQueueAlarm is ALARM"),
		noStep("aws kms enable-key", "TargetFailureAlarm is ALARM"),
	},
}

// disabledKeys (F5): the key is that of the failure queue, too.
var disabledKeys = story{
	name: "the key of the targets and of the failure queue is disabled for twelve hours",
	tell: func(r *run) {
		r.begin()

		r.gateway.begin(keyFault, r.keyDisabled())
		r.gateway.begin(queueKeyFault, fault{of: []caller{byFunction, byMapping}, service: "AmazonSQS",
			code: "KMS.DisabledException", text: "the key is disabled"})
		began := time.Now()
		r.writeEvery = seldom / 2
		r.pass(12 * time.Hour)
		r.wantAlarms(began, append(outage(),
			expected{"DroppedRecordsAlarm", 11 * time.Hour, 11*time.Hour + 2*atOnce})...)
		r.wantInexact(byPlace)

		r.follow("Enable a key")
		r.wantInexact(byPlace)
		r.follow("DroppedRecordsAlarm")
		r.end()
	},
	teeth: []without{
		noAlarm("DroppedRecordsAlarm"),
		noStep("replicatedtable repair", "replicatedtable verify"),
	},
}

// outage is what goes off when all targets fail: the stream waits.
func outage() []expected {
	return []expected{
		{"TargetFailureAlarm", 0, seldom}, {"ByPlaceFailureAlarm", 0, seldom}, {"ByCityFailureAlarm", 0, seldom},
		{"IteratorAgeAlarm", 10 * time.Minute, seldom}, {"UnreadStreamAlarm", 15 * time.Minute, seldom},
	}
}

// lostDestination (F5): somebody edits the mapping, so that it gives up soon and tells nobody.
// Then a right is missing for half an hour.
var lostDestination = story{
	name: "the mapping loses its destination and gets a retry limit",
	tell: func(r *run) {
		r.begin()

		r.poller.Change(func(m *eventsource.Mapping) { m.OnFailure, m.MaxRetryAttempts = nil, 2 })
		began := time.Now()
		r.pass(20 * time.Minute)
		r.wantAlarms(began)
		r.wantExact()

		r.gateway.begin("policy", r.denied(byState, byPlace, byCity))
		began = time.Now()
		r.pass(30 * time.Minute)
		r.gateway.end("policy")
		r.pass(20 * time.Minute)
		r.wantAlarms(began,
			expected{"TargetFailureAlarm", 0, atOnce}, expected{"ByPlaceFailureAlarm", 0, atOnce},
			expected{"ByCityFailureAlarm", 0, atOnce},
			expected{"DroppedRecordsAlarm", 8 * time.Minute, 8*time.Minute + atOnce})
		r.wantOn()
		r.wantInexact(byPlace)

		r.changeEverything()
		r.follow("Undo a change by hand")
		r.wantMapping()
		r.follow("DroppedRecordsAlarm")
		r.end()
	},
	teeth: []without{
		noAlarm("DroppedRecordsAlarm"),
		noStep("replicatedtable repair", "replicatedtable verify"),
		noStep("aws lambda update-event-source-mapping", "the template says"),
	},
}

// ignoredAnswers (F3): somebody takes ReportBatchItemFailures away, so that what the function
// reports as failed counts as done.
var ignoredAnswers = story{
	name: "the mapping ignores the function's answers",
	tell: func(r *run) {
		r.begin()

		r.poller.Change(func(m *eventsource.Mapping) { m.PartialResponses = false })
		r.gateway.begin("policy", r.denied(byPlace))
		began := time.Now()
		r.pass(10 * time.Minute)
		r.gateway.end("policy")
		r.pass(20 * time.Minute)
		r.wantAlarms(began, expected{"ByPlaceFailureAlarm", 0, atOnce})
		r.wantOn()
		r.wantInexact(byPlace)

		r.follow("Undo a change by hand")
		r.wantMapping()
		r.follow("Verify and repair")
		r.end()
	},
	teeth: []without{
		noAlarm("ByPlaceFailureAlarm"),
		noStep("replicatedtable repair", "replicatedtable verify"),
	},
}

// begin lets all go well for an hour.
func (r *run) begin() {
	r.fill()
	r.pass(time.Hour)
	r.wantCalm()
	r.wantExact()
}

// end wants all to be well again.
func (r *run) end() {
	r.writeEvery = often
	r.pass(30 * time.Minute)
	r.wantOn()
	r.wantExact()
	if n := r.poller.Pending(); n > 0 {
		r.problem("%d records are still waiting", n)
	}
}

// denied is a policy that denies the function all writes to some targets.
func (r *run) denied(targets ...int) fault {
	f := fault{of: []caller{byFunction}, service: "DynamoDB",
		code: "AccessDeniedException", text: "not authorized to perform: dynamodb:BatchWriteItem"}
	for _, target := range targets {
		f.about = append(f.about, r.spec.Targets[target].TableName)
	}
	return f
}

// keyDisabled is what DynamoDB says of tables whose key is disabled. Source: Amazon DynamoDB
// API Reference, "Common errors" and DynamoDB Developer Guide, "Encryption at rest: How it
// works".
func (r *run) keyDisabled() fault {
	f := r.denied(byState, byPlace, byCity)
	f.code, f.text = "InaccessibleEncryptionCredentialsException", "the key is disabled"
	return f
}

// The item that no target can have: its key attribute is a number.
const unmappable = "nobody@example.com"

func (r *run) putUnmappable() {
	r.putItem(attributes{"email": text(unmappable), "state": &types.AttributeValueMemberN{Value: "1"}})
}

// correct is what the application's team does about it.
func (r *run) correct() { r.putItem(attributes{"email": text(unmappable)}) }

func (r *run) putItem(item attributes) {
	r.must(r.outside.run(func() error {
		_, err := r.db.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &r.spec.Source.TableName, Item: item})
		return err
	}))
	r.appendRecords()
}

func (r *run) createIndex(target int) {
	r.must(r.outside.run(func() error {
		return r.updateIndex(target, &dynamodb.UpdateTableInput{
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("visits"), AttributeType: types.ScalarAttributeTypeS}},
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName:  aws.String(wrongIndex),
				KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("visits"), KeyType: types.KeyTypeHash}},
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			}}},
		}, 1)
	}))
}

func (r *run) deleteIndex(target int) {
	r.must(r.outside.run(func() error {
		return r.updateIndex(target, &dynamodb.UpdateTableInput{
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{
				IndexName: aws.String(wrongIndex)}}},
		}, 0)
	}))
}

// updateIndex updates a table, and waits until it has so many indexes, all of them active.
func (r *run) updateIndex(target int, in *dynamodb.UpdateTableInput, want int) error {
	table := r.spec.Targets[target].TableName
	in.TableName = &table
	in.AttributeDefinitions = append(in.AttributeDefinitions, r.keyDefinitions(target)...)
	if _, err := r.db.UpdateTable(context.Background(), in); err != nil {
		return err
	}
	const timeout = time.Minute
	found := 0
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		out, err := r.db.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: &table})
		if err != nil {
			return err
		}
		found = 0
		for _, index := range out.Table.GlobalSecondaryIndexes {
			if index.IndexStatus == types.IndexStatusActive {
				found++
			}
		}
		if found == want && len(out.Table.GlobalSecondaryIndexes) == want {
			return nil
		}
	}
	return fmt.Errorf("the table %s has %d active indexes after %s, want %d and no other", table, found, timeout, want)
}

func (r *run) keyDefinitions(target int) []types.AttributeDefinition {
	var definitions []types.AttributeDefinition
	for _, a := range r.spec.Targets[target].Attributes() {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
	}
	return definitions
}

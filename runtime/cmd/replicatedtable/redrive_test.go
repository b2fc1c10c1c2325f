package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// redriveRig has the tables of usersSpec in DynamoDB Local, with a stream, and a failure queue with
// its dead-letter queue in MiniStack.
type redriveRig struct {
	*rig
	spec                  spec.Spec
	file                  string
	queue                 *sqs.Client
	failures, deadLetters string
	cloud                 aws.Config
}

// maxReceives is the limit that the construct sets.
const maxReceives = 5

func newRedriveRig(t *testing.T, prefix string, change func(*spec.Spec)) *redriveRig {
	t.Helper()
	r := &redriveRig{rig: newRig(t), spec: usersSpec(prefix)}
	prefix = unique(prefix)
	r.cloud = r.besideCloud()
	r.queue = sqs.NewFromConfig(r.cloud)
	r.deadLetters = r.createQueue(prefix+"-dead", nil)
	arn, err := r.queue.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &r.deadLetters, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	check(t, err)
	r.failures = r.createQueue(prefix+"-failures", map[string]string{"RedrivePolicy": fmt.Sprintf(
		`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn.Attributes["QueueArn"], maxReceives)})
	r.spec.FailureQueueURL = r.failures
	if change != nil {
		change(&r.spec)
	}
	r.create(r.spec)
	r.file = r.rig.file("spec.json", r.spec.Encode())

	return r
}

func (r *redriveRig) createQueue(name string, attributes map[string]string) string {
	r.t.Helper()
	out, err := r.queue.CreateQueue(r.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	check(r.t, err)
	return *out.QueueUrl
}

// send sends a message to the failure queue.
func (r *redriveRig) send(message any) {
	r.t.Helper()
	body, isText := message.(string)
	if !isText {
		content, err := json.Marshal(message)
		check(r.t, err)
		body = string(content)
	}
	_, err := r.queue.SendMessage(r.t.Context(), &sqs.SendMessageInput{QueueUrl: &r.failures, MessageBody: &body})
	check(r.t, err)
}

// wantQueued checks how many messages can be received from a queue.
func (r *redriveRig) wantQueued(url string, want string) {
	r.t.Helper()
	out, err := r.queue.GetQueueAttributes(r.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages"}})
	check(r.t, err)
	if found := out.Attributes["ApproximateNumberOfMessages"]; found != want {
		r.t.Errorf("%s has %s messages that can be received, want %s", url, found, want)
	}
}

func (r *redriveRig) put(table string, item attributes) {
	r.t.Helper()
	_, err := r.db.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
	check(r.t, err)
}

func (r *redriveRig) delete(table string, key attributes) {
	r.t.Helper()
	_, err := r.db.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key})
	check(r.t, err)
}

// wantTarget checks which cities the target has, with the IDs of their users.
func (r *redriveRig) wantTarget(want ...string) {
	r.t.Helper()
	var found []string
	for _, item := range r.scan(r.spec.Targets[0].TableName) {
		found = append(found, strings.TrimSpace(keyOf(item, "city", "id")))
	}
	slices.Sort(found)
	slices.Sort(want)
	if !slices.Equal(found, want) {
		r.t.Errorf("the target has %q, want %q", found, want)
	}
}

// redrive runs the command.
func (r *redriveRig) redrive(code int, text string, more ...string) ended {
	r.t.Helper()
	return r.want(code, text, append([]string{"redrive", "-spec", r.file}, more...)...)
}

func resident(id, city string) attributes { return attributes{"id": text(id), "city": text(city)} }

// image is an item in DynamoDB's JSON, with string attributes.
func image(pairs ...string) json.RawMessage {
	values := map[string]map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = map[string]string{"S": pairs[i+1]}
	}
	content, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	return content
}

func TestRedriveMakesTheItemOfARecordRight(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "record", nil)
	source, target := r.spec.Source.TableName, r.spec.Targets[0].TableName
	message := failurequeue.Message{Version: 1, Kind: failurequeue.KindRecord, Reason: "refused", TargetTable: target,
		EventName: "MODIFY", SequenceNumber: "100", SourceKey: image("id", "1"),
		OldImage: image("id", "1", "city", "old-town"), NewImage: image("id", "1", "city", "in-between")}

	// The item has moved on. What its images left under earlier keys goes; the keys of others stay.
	r.put(source, resident("1", "new-town"))
	r.put(target, resident("1", "old-town"))
	r.put(target, resident("1", "in-between"))
	r.put(target, resident("2", "old-town"))
	r.send(message)
	r.redrive(exitDone, "1 messages, 1 deleted, 0 left, 1 items")
	r.wantTarget("new-town 1", "old-town 2")
	r.wantQueued(r.failures, "0")

	// A message of 0.2.x has no kind, and none names all targets. Its item is gone.
	message.Kind, message.TargetTable = "", ""
	r.delete(source, attributes{"id": text("1")})
	message.NewImage = image("id", "1", "city", "new-town")
	r.send(message)
	e := r.redrive(exitDone, "1 messages, 1 deleted, 0 left, 1 items")
	r.wantTarget("old-town 2")
	if strings.Contains(e.String(), "town") {
		t.Errorf("a value was printed: %s", e)
	}
}

func TestRedriveMakesItemsThatWereSetAsideRight(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "aside", nil)
	source, target := r.spec.Source.TableName, r.spec.Targets[0].TableName
	r.put(source, resident("1", "here"))
	r.put(target, resident("1", "there"))
	r.put(target, resident("2", "there"))
	key := func(id, city string, last bool) failurequeue.TargetKey {
		return failurequeue.TargetKey{Key: image("id", id, "city", city), Last: last}
	}
	r.send(failurequeue.Message{Version: 1, Kind: failurequeue.KindKeys, Reason: "denied", TargetTable: target,
		Items: []failurequeue.Item{
			{SourceKey: image("id", "1"), TargetKeys: []failurequeue.TargetKey{
				key("1", "there", false), key("1", "here", true)}},
			{SourceKey: image("id", "2"), TargetKeys: []failurequeue.TargetKey{key("2", "there", false)}},
			{SourceKey: image("id", "3")},
			// A key of another schema: it cannot be one of this table.
			{SourceKey: image("id", "4"), TargetKeys: []failurequeue.TargetKey{{Key: image("id", "4", "state", "x")}}},
		}})
	r.redrive(exitDone, olderKeys, "-dry-run")
	r.wantTarget("there 1", "there 2")
	r.redrive(exitDone, "1 messages, 1 deleted, 0 left, 4 items")
	r.wantTarget("here 1")
	r.wantQueued(r.failures, "0")
}

const olderKeys = "the message has target keys of another key schema"

// Where expired items are kept, the last key of an item that is gone stays.
func TestRedriveKeepsExpiredItems(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "expired", func(s *spec.Spec) { s.Targets[0].ExpiredItems = spec.KeepExpired })
	target := r.spec.Targets[0].TableName
	r.put(target, resident("1", "last"))
	r.put(target, resident("1", "before"))
	r.send(failurequeue.Message{Version: 1, Kind: failurequeue.KindKeys, Reason: "denied", TargetTable: target,
		Items: []failurequeue.Item{{SourceKey: image("id", "1"), TargetKeys: []failurequeue.TargetKey{
			{Key: image("id", "1", "city", "before")}, {Key: image("id", "1", "city", "last"), Last: true}}}}})
	r.redrive(exitDone, "1 items are gone from the source table and may have expired")
	r.wantTarget("last 1")
}

// position is the message of the event source mapping about some records of a shard.
func position(streamARN, shard, first, last string) string {
	return fmt.Sprintf(`{"requestContext":{"requestId":"1","functionArn":"arn","condition":"RetryAttemptsExhausted",
		"approximateInvokeCount":4},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",
		"functionError":"Unhandled"},
		"version":"1.0","timestamp":"2026-11-26T05:00:00.000Z","DDBStreamBatchInfo":{"shardId":%q,"startSequenceNumber":%q,
		"endSequenceNumber":%q,"approximateArrivalOfFirstRecord":"2026-11-26T05:00:00Z",
		"approximateArrivalOfLastRecord":"2026-11-26T05:00:00Z","batchSize":2,"streamArn":%q}}`,
		shard, first, last, streamARN)
}

func TestRedriveFetchesTheRecordsOfAPosition(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "position", nil)
	source, target := r.spec.Source.TableName, r.spec.Targets[0].TableName
	r.put(source, resident("0", "before"))
	for i := range 30 {
		r.put(source, resident(fmt.Sprint(10+i%10), fmt.Sprintf("city-%d", i)))
	}
	r.delete(source, attributes{"id": text("19")})
	r.put(source, resident("50", "after"))

	streamARN := r.streamARN(source)
	shards, err := eventsource.Open(r.config, streamARN).Shards(t.Context())
	check(t, err)
	shard := shards[0]
	records := shard.Records[1 : len(shard.Records)-1]
	r.put(target, resident("10", "city-0")) // an earlier key, which a killed invocation has left
	r.put(target, resident("19", "city-9"))
	r.send(position(streamARN, shard.ID, records[0].SequenceNumber, records[len(records)-1].SequenceNumber))
	r.redrive(exitDone, "1 messages, 1 deleted, 0 left, 10 items")
	var want []string
	for i := range 9 {
		want = append(want, fmt.Sprintf("city-%d %d", 20+i, 10+i))
	}
	r.wantTarget(want...)

	// A message that lacks its images, as they did not fit: its record is found by its number alone.
	r.put(target, resident("50", "before-after"))
	last := shard.Records[len(shard.Records)-1].SequenceNumber
	r.send(failurequeue.Message{Version: 1, Kind: failurequeue.KindRecord, Reason: "too long", TargetTable: target,
		StreamARN: streamARN, EventName: "INSERT", SequenceNumber: last, SourceKey: image("id", "50"), LeftOut: true})
	r.redrive(exitDone, "1 messages, 1 deleted, 0 left, 1 items")
	r.wantTarget(append(want, "after 50", "before-after 50")...)
}

// What cannot be worked off is left, with its reason, as often as the operator tries.
func TestRedriveLeavesWhatItCannotWorkOff(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "left", nil)
	source, target := r.spec.Source.TableName, r.spec.Targets[0].TableName
	r.put(source, attributes{"id": text("1"), "city": text(strings.Repeat("x", 2049))})
	r.put(source, resident("2", "fine"))
	record := failurequeue.Message{Version: 1, Kind: failurequeue.KindRecord, Reason: "too long", TargetTable: target,
		EventName: "INSERT", SequenceNumber: "100", SourceKey: image("id", "1"), NewImage: image("id", "1", "city", "x")}
	r.send(record)
	other := record
	other.TargetTable = "withdrawn"
	r.send(other)
	later := record
	later.Version = 2
	r.send(later)
	lost := record
	lost.SourceKey, lost.NewImage, lost.Record = nil, nil, json.RawMessage(`{"a":1}`)
	r.send(lost)
	r.send("hello")
	gone := strings.Replace(r.streamARN(source), "stream/2", "stream/1", 1)
	r.send(position(gone, "shardId-00000000000000000000-00000000", strings.Repeat("1", 21), strings.Repeat("2", 21)))
	r.send(position(gone, "?", "1", "2"))
	leftOut := record
	leftOut.SourceKey, leftOut.StreamARN, leftOut.NewImage, leftOut.LeftOut = image("id", "2"), gone, nil, true
	r.send(leftOut)
	r.send(failurequeue.Message{Version: 1, Kind: failurequeue.KindKeys, Reason: "denied", TargetTable: target,
		Items: []failurequeue.Item{{SourceKey: image("id", "2")}}})

	r.redrive(exitDifferences, "9 messages, 1 deleted, 8 left", "-dry-run")
	r.wantTarget()
	e := r.redrive(exitDifferences, "9 messages, 1 deleted, 8 left")
	r.wantTarget("fine 2")
	for _, why := range []string{
		`key attribute "city" has 2049 bytes`, `"withdrawn" is not a target table`, "this release knows version 1",
		"does not name a source item", "not one of a ReplicatedTable", "no longer has the records", "has no images",
	} {
		if !strings.Contains(e.stdout, why) {
			t.Errorf("nothing says %q\n%s", why, e)
		}
	}

	for i := range maxReceives + 2 {
		args := [][]string{nil, {"-dry-run"}}[i%2]
		r.redrive(exitDifferences, "8 messages, 0 deleted, 8 left", args...)
	}
	r.wantQueued(r.failures, "8")
	r.wantQueued(r.deadLetters, "0")

	// With the cause gone, the message goes too.
	r.put(source, resident("1", "short"))
	r.redrive(exitDifferences, "8 messages, 1 deleted, 7 left")
	r.wantTarget("fine 2", "short 1")
}

func TestRedriveReadsTheDeadLetters(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "dead", nil)
	source, target := r.spec.Source.TableName, r.spec.Targets[0].TableName
	r.put(source, resident("1", "here"))
	r.send(failurequeue.Message{Version: 1, Kind: failurequeue.KindRecord, Reason: "refused", TargetTable: target,
		EventName: "INSERT", SequenceNumber: "100", SourceKey: image("id", "1"), NewImage: image("id", "1", "city", "here")})
	// Another reader moves it away.
	for range maxReceives + 1 {
		out, err := r.queue.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &r.failures})
		check(t, err)
		if len(out.Messages) > 0 {
			r.redrive(exitDone, "about 1 more are hidden", "-dry-run")
		}
		for _, m := range out.Messages {
			_, err := r.queue.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{
				QueueUrl: &r.failures, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
			check(t, err)
		}
	}
	r.wantQueued(r.deadLetters, "1")
	r.redrive(exitDone, "0 messages")
	r.redrive(exitDone, "1 messages, 1 deleted, 0 left", "-dead-letters")
	r.wantTarget("here 1")
	r.wantQueued(r.deadLetters, "0")
}

// A record that is older than the function's last update may have had other target keys.
func TestRedriveSaysThatARecordIsOlderThanTheMapping(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "older", nil)
	function := createFunction(t, r.cloud, r.spec.Environment(0))
	message := failurequeue.Message{Version: 1, Kind: failurequeue.KindRecord, Reason: "refused", EventName: "INSERT",
		SequenceNumber: "100", SourceKey: image("id", "1"), NewImage: image("id", "1", "city", "x")}
	message.CreatedAt = json.RawMessage(fmt.Sprint(time.Now().Add(time.Hour).Unix()))
	r.send(message)
	if e := r.want(exitDone, "1 deleted", "redrive", "-function", function); strings.Contains(e.stdout, "run repair") {
		t.Error(e)
	}
	message.CreatedAt = json.RawMessage(fmt.Sprint(time.Now().Add(-time.Hour).Unix()))
	r.send(message)
	r.want(exitDone, "older than the last update of the function", "redrive", "-function", function)
}

// A target that is missing keeps only the messages about it, and is the error at the end.
func TestRedriveGoesOnWithoutATarget(t *testing.T) {
	t.Parallel()
	r := newRedriveRig(t, "missing", func(s *spec.Spec) {
		missing := s.Targets[0]
		missing.TableName += "-missing"
		s.Targets = append(s.Targets, missing)
	})
	source, target, missing := r.spec.Source.TableName, r.spec.Targets[0].TableName, r.spec.Targets[1].TableName
	_, err := r.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &missing})
	check(t, err)
	message := failurequeue.Message{Version: 1, Kind: failurequeue.KindKeys, Reason: "denied"}
	for i := range 12 {
		id := fmt.Sprint(i)
		r.put(source, resident(id, "here"))
		message.TargetTable = []string{target, missing}[i%2]
		message.Items = []failurequeue.Item{{SourceKey: image("id", id)}}
		r.send(message)
	}

	e := r.redrive(exitUsage, "not finished: 12 messages, 6 deleted, 6 left")
	for _, want := range []string{
		"6 times, left in the queue, about " + missing + ": a target cannot be made right: ResourceNotFoundException",
		"something that the mapping names is not there",
	} {
		if !strings.Contains(e.String(), want) {
			t.Errorf("nothing says %q\n%s", want, e)
		}
	}
	r.wantTarget("here 0", "here 10", "here 2", "here 4", "here 6", "here 8")
	r.wantQueued(r.failures, "6")
}

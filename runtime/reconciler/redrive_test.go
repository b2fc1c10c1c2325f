package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// memoryQueue is a queue as SQS has it: a message that was received limit times is moved away instead
// of being received once more.
type memoryQueue struct {
	t     *testing.T
	limit int

	mu       sync.Mutex
	messages []*queued
	sent     int
	lose     bool     // the next answer with messages
	moved    []string // the bodies of those that were moved away
}

type queued struct {
	id, body string
	receives int
	visible  time.Time
}

func newMemoryQueue(t *testing.T, limit int, bodies ...any) *memoryQueue {
	t.Helper()
	q := &memoryQueue{t: t, limit: limit}
	for _, body := range bodies {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		q.send(string(text))
	}
	return q
}

func (q *memoryQueue) send(body string) (id string) {
	q.sent++
	id = fmt.Sprint("m", q.sent)
	q.messages = append(q.messages, &queued{id: id, body: body})
	return id
}

// client is a client of the queue. A receipt handle is the message's ID.
func (q *memoryQueue) client() *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: q, DisableMessageChecksumValidation: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	})
}

func (q *memoryQueue) Do(r *http.Request) (*http.Response, error) {
	var in struct {
		ReceiptHandle, MessageBody string
		VisibilityTimeout          int
		Entries                    []struct {
			ReceiptHandle     string
			VisibilityTimeout int
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	out := map[string]any{}
	switch operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS."); operation {
	case "GetQueueAttributes":
		out["Attributes"] = map[string]string{"RedrivePolicy": fmt.Sprintf(`{"maxReceiveCount":%d}`, q.limit)}
	case "ReceiveMessage":
		out["Messages"] = q.receive(in.VisibilityTimeout)
	case "SendMessage":
		out["MessageId"] = q.send(in.MessageBody)
	case "DeleteMessage":
		q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool { return m.id == in.ReceiptHandle })
	case "ChangeMessageVisibilityBatch":
		for _, e := range in.Entries {
			for _, m := range q.messages {
				if m.id == e.ReceiptHandle {
					m.hide(e.VisibilityTimeout)
				}
			}
		}
	default:
		q.t.Errorf("sent %s", operation)
	}
	text, err := json.Marshal(out)
	if out["Messages"] != nil && q.lose {
		q.lose, err = false, io.ErrUnexpectedEOF
	}

	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(string(text))),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, err
}

func (q *memoryQueue) receive(hold int) []any {
	var received []any
	q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool {
		if time.Now().Before(m.visible) || len(received) == batchMessages {
			return false
		}
		if m.receives == q.limit {
			q.moved = append(q.moved, m.body)
			return true
		}
		m.receives++
		m.hide(hold)
		received = append(received, map[string]any{
			"MessageId": m.id, "Body": m.body, "ReceiptHandle": m.id,
			"Attributes": map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.receives)},
		})
		return false
	})
	return received
}

func (m *queued) hide(seconds int) {
	m.visible = time.Now().Add(time.Duration(seconds) * time.Second)
}

// want checks which messages are in the queue. All of them can be received.
func (q *memoryQueue) want(bodies ...string) {
	q.t.Helper()
	var found []string
	for _, m := range q.messages {
		if found = append(found, m.body); time.Now().Before(m.visible) {
			q.t.Errorf("%s is hidden until %s", m.body, m.visible)
		}
	}
	slices.Sort(found)
	slices.Sort(bodies)
	if !slices.Equal(found, bodies) {
		q.t.Errorf("the queue has %q, want %q", found, bodies)
	}
	if len(q.moved) > 0 {
		q.t.Errorf("moved to the dead-letter queue: %q", q.moved)
	}
}

// givenUp is a message of the event source mapping.
func givenUp(stream string) any {
	return map[string]any{"DDBStreamBatchInfo": batchInfo{
		ShardID: "shard", StartSequenceNumber: "1", EndSequenceNumber: "1", StreamARN: stream,
	}}
}

// A message that is left is received again after 15 minutes, and by later runs. No number of receipts
// by redrive moves it away.
func TestALongRedriveMovesNoMessageAway(t *testing.T) {
	for _, limit := range []int{2, 3, 5} {
		synctest.Test(t, func(t *testing.T) {
			h := start(t, unique(), Options{})
			q := newMemoryQueue(t, limit, "foreign")
			for range 3 {
				for range 200 {
					text, _ := json.Marshal(givenUp("stream"))
					q.send(string(text))
				}
				began := time.Now()
				counts, err := h.r.Redrive(t.Context(), RedriveOptions{
					SQS: q.client(), QueueURL: "https://queue",
					Records: func(context.Context, Position, func(json.RawMessage) error) error {
						time.Sleep(6 * time.Minute) // as many items, at a low rate
						return nil
					},
				})
				if err != nil || counts.Deleted != 200 || counts.Left != 1 || counts.Renewed == 0 ||
					time.Since(began) < 2*time.Hour {
					t.Errorf("limit %d: %+v after %s, %v", limit, counts, time.Since(began), err)
				}
				q.want(`"foreign"`)
			}
		})
	}
}

// A run that ends without error says that the queue is empty.
func TestARedriveThatLostAnAnswerSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		q := newMemoryQueue(t, 5, givenUp("stream"))
		redrive := func() (RedriveCounts, error) {
			return h.r.Redrive(t.Context(), RedriveOptions{SQS: q.client(), QueueURL: "https://queue",
				Records: func(context.Context, Position, func(json.RawMessage) error) error { return nil }})
		}
		q.lose = true
		if counts, err := redrive(); !errors.Is(err, errAnswerLost) || counts.Messages != 0 {
			t.Errorf("got %+v, %v, want %v", counts, err, errAnswerLost)
		}
		time.Sleep(holdSeconds * time.Second)
		if counts, err := redrive(); err != nil || counts.Deleted != 1 {
			t.Errorf("after it is visible again: %+v, %v", counts, err)
		}
		q.want()
	})
}

// What concerns some messages does not keep others from being worked off, and is the error at the end.
func TestRedriveGoesOnAfterAMessageThatFails(t *testing.T) {
	s := unique()
	broken := s.Targets[0]
	broken.TableName = "broken"
	s.Targets = append(s.Targets, broken)
	about := func(table, id string) failurequeue.Message {
		return failurequeue.Message{Version: failurequeue.Version, Kind: failurequeue.KindKeys, TargetTable: table,
			Items: []failurequeue.Item{{SourceKey: json.RawMessage(item("id=" + id))}}}
	}
	ofAll := failurequeue.Message{Version: failurequeue.Version, Kind: failurequeue.KindRecord,
		SourceKey: json.RawMessage(item("id=all"))}

	synctest.Test(t, func(t *testing.T) {
		h := start(t, s, Options{})
		for _, id := range []string{"1", "2", "all"} {
			h.put("source", "id="+id, "city=x")
		}
		h.faults.Use(faults.Rule{Kind: faults.AccessDenied, Probability: 1,
			Select: func(w faults.Write) bool { return w.Table == "broken" }})
		q := newMemoryQueue(t, 5, givenUp("earlier"), about("broken", "1"), ofAll)
		var left []string
		for _, m := range q.messages {
			left = append(left, m.body)
		}
		for range 10 { // not all are received at once
			text, _ := json.Marshal(about("target", "2"))
			q.send(string(text))
		}

		found := map[string]int{}
		denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not that stream"}
		counts, err := h.r.Redrive(t.Context(), RedriveOptions{
			SQS: q.client(), QueueURL: "https://queue",
			Records: func(context.Context, Position, func(json.RawMessage) error) error { return denied },
			Report: func(f MessageFinding) {
				if !f.Left {
					t.Errorf("%+v", f)
				}
				h.mu.Lock()
				defer h.mu.Unlock()
				found[f.TargetTable+": "+f.Reason]++
			},
		})
		if api := smithy.APIError(nil); !errors.As(err, &api) || !strings.Contains(api.ErrorCode(), "AccessDenied") {
			t.Errorf("the error is %v", err)
		}
		if counts.Messages != 13 || counts.Deleted != 10 || counts.Left != 3 || counts.Items != 12 {
			t.Errorf("%+v", counts)
		}
		q.want(left...)
		h.want("target", item("id=2", "city=x"), item("id=all", "city=x"))
		h.want("broken")
		var reasons []string
		for reason, count := range found {
			about, _, _ := strings.Cut(reason, "AccessDenied")
			reasons = append(reasons, fmt.Sprint(count, " ", about))
		}
		slices.Sort(reasons)
		want := []string{"1 : the records at its position cannot be read: ", "2 broken: a target cannot be made right: "}
		if !slices.Equal(reasons, want) {
			t.Errorf("%q, want %q\n%v", reasons, want, found)
		}
	})
}

// Without the source table no message can be worked off.
func TestRedriveEndsWithoutTheSourceTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		h.faults.Use(faults.Rule{Kind: faults.AccessDenied, Probability: 1})
		q := newMemoryQueue(t, 5)
		var left []string
		for range 2 * batchMessages {
			text, _ := json.Marshal(failurequeue.Message{Version: failurequeue.Version, Kind: failurequeue.KindKeys,
				TargetTable: "target", Items: []failurequeue.Item{{SourceKey: json.RawMessage(item("id=1"))}}})
			q.send(string(text))
			left = append(left, string(text))
		}
		counts, err := h.r.Redrive(t.Context(), RedriveOptions{SQS: q.client(), QueueURL: "https://queue"})
		if err == nil || counts.Messages != batchMessages || counts.Deleted != 0 {
			t.Errorf("%+v, %v", counts, err)
		}
		q.want(left...)
	})
}

// A message that names no item says nothing about what is wrong, so it is not right.
func TestRedriveLeavesASetAsideMessageWithoutItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		message := failurequeue.Message{Version: failurequeue.Version, Kind: failurequeue.KindKeys, TargetTable: "target"}
		q := newMemoryQueue(t, 5, message)
		body := q.messages[0].body
		var reason string
		counts, err := h.r.Redrive(t.Context(), RedriveOptions{
			SQS: q.client(), QueueURL: "https://queue", Report: func(f MessageFinding) { reason = f.Reason },
		})
		if err != nil || counts.Left != 1 || reason != noSourceItem {
			t.Errorf("%+v, %v, %q", counts, err, reason)
		}
		q.want(body)
	})
}

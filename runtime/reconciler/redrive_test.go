package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
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
	moved    []string // the bodies of those that were moved away

	roundTrip time.Duration
	// lose takes the answer of a request to receive messages, if it is not nil.
	lose func() (*http.Response, error)
	// hidesOnce refuses to hide messages again.
	hidesOnce bool
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
		Entries                    []visibility
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}

	time.Sleep(q.roundTrip)
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if operation == "ReceiveMessage" {
		q.poll()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	out := map[string]any{}
	switch operation {
	case "GetQueueAttributes":
		out["Attributes"] = map[string]string{"RedrivePolicy": fmt.Sprintf(`{"maxReceiveCount":%d}`, q.limit)}
	case "ReceiveMessage":
		out["Messages"] = q.receive(in.VisibilityTimeout)
		if lose := q.lose; lose != nil {
			q.lose = nil
			return lose()
		}
	case "SendMessage":
		out["MessageId"] = q.send(in.MessageBody)
	case "DeleteMessage":
		q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool { return m.id == in.ReceiptHandle })
	case "ChangeMessageVisibilityBatch":
		out["Successful"], out["Failed"] = q.hide(in.Entries)
	default:
		q.t.Errorf("sent %s", operation)
	}
	text, err := json.Marshal(out)

	return queueAnswer(http.StatusOK, string(text)), err
}

func queueAnswer(status int, text string) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}
}

// poll waits for a message, as long as redrive asks for.
func (q *memoryQueue) poll() {
	for end := time.Now().Add(waitSeconds * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		q.mu.Lock()
		isThere := slices.ContainsFunc(q.messages, func(m *queued) bool { return !time.Now().Before(m.visible) })
		q.mu.Unlock()
		if isThere {
			return
		}
	}
}

// visibility is an entry of ChangeMessageVisibilityBatch.
type visibility struct {
	Id, ReceiptHandle string //nolint:revive // the API's name
	VisibilityTimeout int
}

func (q *memoryQueue) hide(entries []visibility) (successful, failed []any) {
	for _, e := range entries {
		i := slices.IndexFunc(q.messages, func(m *queued) bool { return m.id == e.ReceiptHandle })
		if i < 0 || q.hidesOnce && e.VisibilityTimeout > 0 {
			failed = append(failed, map[string]any{"Id": e.Id, "Code": "MessageNotInflight", "SenderFault": true})
			continue
		}
		q.messages[i].hide(e.VisibilityTimeout)
		successful = append(successful, map[string]any{"Id": e.Id})
	}
	return successful, failed
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

// No number of runs moves a message away that is left, nor does a long run: not even where messages
// cannot be hidden for longer, as after 12 hours, so that it receives it again and again.
func TestALongRedriveMovesNoMessageAway(t *testing.T) {
	for _, limit := range []int{2, 3, 5} {
		for _, hidesOnce := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := start(t, unique(), Options{})
				q := newMemoryQueue(t, limit, "foreign")
				q.hidesOnce = hidesOnce
				for range 3 {
					q.fill(200, "there")
					began := time.Now()
					counts, err := h.redrive(q, 6*time.Minute) // as many items, at a low rate
					if err != nil || counts.Deleted != 200 || counts.Left != 1 || time.Since(began) < 2*time.Hour {
						t.Errorf("limit %d: %+v after %s, %v", limit, counts, time.Since(began), err)
					}
					if counts.Renewed == 0 && hidesOnce || counts.Renewed > 1 && !hidesOnce {
						t.Errorf("limit %d, can be hidden once %t: %d renewed", limit, hidesOnce, counts.Renewed)
					}
					q.want(`"foreign"`)
				}
			})
		}
	}
}

// fill sends positions of a stream.
func (q *memoryQueue) fill(n int, stream string) {
	text, err := json.Marshal(givenUp(stream))
	if err != nil {
		q.t.Fatal(err)
	}
	for range n {
		q.send(string(text))
	}
}

// redrive works through a queue. The stream "gone" has no records.
func (h *harness) redrive(q *memoryQueue, work time.Duration) (RedriveCounts, error) {
	return h.r.Redrive(h.t.Context(), RedriveOptions{
		SQS: q.client(), QueueURL: "https://queue",
		Records: func(_ context.Context, p Position, _ func(json.RawMessage) error) error {
			time.Sleep(work)
			if p.StreamARN == "gone" {
				return ErrRecordsGone
			}
			return nil
		},
	})
}

// Messages that are left do not keep a long run from its end.
func TestARedriveThatLeavesManyMessagesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		q := newMemoryQueue(t, 5)
		q.roundTrip = 50 * time.Millisecond
		for range 300 {
			q.fill(4, "there")
			q.fill(1, "gone")
		}
		began := time.Now()
		counts, err := h.redrive(q, 10*time.Second) // 25 minutes
		if err != nil || counts.Messages != 1500 || counts.Left != 300 || counts.Renewed != 0 ||
			time.Since(began) > time.Hour {
			t.Errorf("%+v after %s, %v", counts, time.Since(began), err)
		}
	})
}

// A dry run shows all messages again at its end, so that the next run sees them, or says that it could not.
func TestADryRunOfManyMessagesHidesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newMemoryQueue(t, 5)
		q.roundTrip = 100 * time.Millisecond
		q.fill(5000, "there")
		counts, err := start(t, unique(), Options{DryRun: true}).redrive(q, 0)
		if err != nil || counts.Messages != 5000 {
			t.Errorf("dry run: %+v, %v", counts, err)
		}
		counts, err = start(t, unique(), Options{}).redrive(q, 0)
		if err != nil || counts.Deleted != 5000 {
			t.Errorf("%+v, %v", counts, err)
		}

		q.fill(4000, "there")
		q.roundTrip = time.Second
		if _, err = start(t, unique(), Options{DryRun: true}).redrive(q, 0); err == nil ||
			!strings.Contains(err.Error(), "stay hidden for 15 minutes") {
			t.Errorf("got %v, want that some stay hidden", err)
		}
	})
}

// A run that ends without error says that the queue is empty.
func TestARedriveThatMayHaveLostAnAnswerSaysSo(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		status int
		err    error
		isLost bool
	}{
		"no answer":       {err: io.ErrUnexpectedEOF, isLost: true},
		"reset":           {err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, isLost: true},
		"an error of SQS": {status: http.StatusInternalServerError, isLost: true},
		"throttled":       {status: http.StatusBadRequest},
		"not sent":        {err: dial},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := start(t, unique(), Options{})
			q := newMemoryQueue(t, 5, givenUp("there"))
			q.lose = func() (*http.Response, error) {
				if !c.isLost {
					q.messages[0].hide(0)
				}
				return queueAnswer(c.status, `{"__type":"com.amazonaws.sqs#RequestThrottled"}`), c.err
			}
			counts, err := h.redrive(q, 0)
			if c.isLost {
				if !errors.Is(err, errAnswerLost) || counts.Messages != 0 {
					t.Errorf("%s: got %+v, %v, want %v", name, counts, err, errAnswerLost)
				}
				time.Sleep(holdSeconds * time.Second)
				counts, err = h.redrive(q, 0)
			}
			if err != nil || counts.Deleted != 1 {
				t.Errorf("%s: got %+v, %v", name, counts, err)
			}

			// What was hidden 15 minutes ago was seen since then.
			q.fill(20, "there")
			q.lose = func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
			if counts, err = h.redrive(q, 20*time.Minute); err != nil || counts.Deleted != 20 {
				t.Errorf("%s, long ago: got %+v, %v", name, counts, err)
			}
			q.want()
		})
	}
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

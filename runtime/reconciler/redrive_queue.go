package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// holdSeconds is how long a received message is hidden, and after a crash how long there is to
	// wait for it. A run hides its messages again long before.
	holdSeconds = 900

	// waitSeconds makes SQS ask all of its servers, so that no answer is empty while there are
	// messages. Source: Amazon SQS Developer Guide, "Amazon SQS short and long polling".
	waitSeconds = 1

	// batchMessages is the highest number of messages of one call. Source: Amazon SQS API Reference,
	// ReceiveMessage and ChangeMessageVisibilityBatch.
	batchMessages = 10

	// spareReceives is how many receipts a message that is left has before the one that moves it to
	// the dead-letter queue: the next run's, and that of a person who looks at it.
	spareReceives = 2

	// releaseTimeout is the most that the end of a run waits for the queue.
	releaseTimeout = 30 * time.Second

	// maxHeld is how many messages a run may hold and still take an empty answer for an empty queue.
	// SQS hands out about 120,000 at a time, and then answers as if there were no more. Source: Amazon
	// SQS Developer Guide, "Amazon SQS message quotas".
	maxHeld = 100_000
)

// redriveQueue is the queue that is worked through.
type redriveQueue struct {
	client *sqs.Client
	url    string
	// limit is how often SQS lets a message be received before it moves it away. 0 is without end.
	limit int
	// renewed is called when a message was replaced by a copy.
	renewed func()
	// lostUntil is when the messages of an answer that was lost are no longer hidden.
	lostUntil time.Time

	mu sync.Mutex
	// held are the receipts of the messages that this run hides from all readers, by ID: of all that it
	// has received and not deleted. That of a copy which was not received yet is empty: it is visible.
	held map[string]string
}

func newRedriveQueue(client *sqs.Client, url string) *redriveQueue {
	return &redriveQueue{client: client, url: url, held: map[string]string{}}
}

// readLimit reads how often the queue lets a message be received.
func (q *redriveQueue) readLimit(ctx context.Context) error {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return err
	}
	policy := out.Attributes[string(types.QueueAttributeNameRedrivePolicy)]
	if policy == "" {
		return nil
	}

	// The number is written as one by the construct, and as a text by others.
	var p struct{ MaxReceiveCount any }
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return fmt.Errorf("the redrive policy of the queue: %w", err)
	}
	if q.limit, err = strconv.Atoi(fmt.Sprint(p.MaxReceiveCount)); err != nil {
		return fmt.Errorf("the maxReceiveCount of the queue's redrive policy: %w", err)
	}

	return nil
}

var (
	errAnswerLost = errors.New("an answer of the queue was lost: the messages in it are hidden for 15 minutes, " +
		"run the same command again then")
	errTooManyHeld = errors.New("not all messages were looked at: SQS hands out about 120,000 at a time, and a dry run " +
		"keeps all of them; mend what those that are left have in common, and redrive them")
)

// unseen returns why an empty answer does not mean that the queue has no other messages than those that
// this run has left, or nil if it does.
func (q *redriveQueue) unseen() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case time.Now().Before(q.lostUntil):
		return errAnswerLost
	case len(q.held) > maxHeld:
		return errTooManyHeld
	default:
		return nil
	}
}

// receive receives messages, and returns those that this run has not received before. There may be
// none of them although some were received.
func (q *redriveQueue) receive(ctx context.Context) (fresh []types.Message, received int, err error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: batchMessages, WaitTimeSeconds: waitSeconds, VisibilityTimeout: holdSeconds,
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil {
		return nil, 0, err
	}
	if attempts, _ := retry.GetAttemptResults(out.ResultMetadata); slices.ContainsFunc(attempts.Results, mayHaveReceived) {
		q.lostUntil = time.Now().Add(holdSeconds * time.Second)
	}

	var again []*types.Message
	q.mu.Lock()
	for i := range out.Messages {
		m := &out.Messages[i]
		receipt, isHeld := q.held[*m.MessageId]
		q.held[*m.MessageId] = *m.ReceiptHandle
		switch {
		case !isHeld:
			fresh = append(fresh, *m)
		case receipt != "":
			again = append(again, m)
		default: // a copy: it stays whatever the limit, copies of copies would not end
		}
	}
	q.mu.Unlock()
	// It was not hidden again in time. Each receipt counts.
	for _, m := range again {
		if err := q.leave(ctx, m); err != nil {
			return nil, 0, err
		}
	}

	return fresh, len(out.Messages), nil
}

// mayHaveReceived reports whether an attempt to receive messages failed in such a way that some may
// be hidden now.
func mayHaveReceived(attempt retry.AttemptResult) bool {
	var answer *smithyhttp.ResponseError
	var connection *net.OpError
	switch err := attempt.Err; {
	case err == nil:
		return false
	case errors.As(err, &answer) && errors.As(err, new(smithy.APIError)):
		return answer.HTTPStatusCode() >= http.StatusInternalServerError
	case errors.As(err, &connection):
		return connection.Op != "dial"
	default:
		return true
	}
}

// keepHidden hides the messages that are held again and again, until ctx ends. A run may be longer
// than holdSeconds, as may the work on one message at a low rate.
func (q *redriveQueue) keepHidden(ctx context.Context) {
	ticker := time.NewTicker(holdSeconds / 3 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			q.hide(ctx, holdSeconds)
		}
	}
}

// hide hides the messages that are held for some seconds from now on, or shows them when there are
// none. It returns for how many that failed.
func (q *redriveQueue) hide(ctx context.Context, seconds int32) int {
	var entries []types.ChangeMessageVisibilityBatchRequestEntry
	q.mu.Lock()
	for _, receipt := range q.held {
		if receipt != "" {
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(len(entries))), ReceiptHandle: &receipt, VisibilityTimeout: seconds,
			})
		}
	}
	q.mu.Unlock()

	var failed atomic.Int64
	batches := slices.Collect(slices.Chunk(entries, batchMessages))
	_ = parallel(DefaultInFlight, batches, func(batch []types.ChangeMessageVisibilityBatchRequestEntry) error {
		out, err := q.client.ChangeMessageVisibilityBatch(ctx,
			&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: batch})
		switch {
		case err != nil:
			failed.Add(int64(len(batch)))
		default:
			for _, f := range out.Failed {
				if !f.SenderFault { // otherwise it is visible or gone
					failed.Add(1)
				}
			}
		}
		return nil // the other batches can still succeed
	})

	return int(failed.Load())
}

// leave leaves a message in the queue, so that SQS will not move it away when it is received again.
// Nothing lowers the number of receipts of a message, so one that has too few left is replaced by a
// copy. A crash between both requests leaves two, which is harmless.
func (q *redriveQueue) leave(ctx context.Context, m *types.Message) error {
	receives, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		return fmt.Errorf("the number of receipts of message %s: %w", *m.MessageId, err)
	}
	if q.limit == 0 || receives+spareReceives <= q.limit {
		return nil
	}

	sent, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: m.Body, MessageAttributes: m.MessageAttributes,
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	q.held[*sent.MessageId] = "" // until it is received
	q.mu.Unlock()
	q.renewed()

	return q.delete(ctx, m)
}

func (q *redriveQueue) delete(ctx context.Context, m *types.Message) error {
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	if err == nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.held, *m.MessageId)
	}
	return err
}

// release lets the messages that were left be received again. It returns how many stay hidden, for
// holdSeconds at most.
func (q *redriveQueue) release(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()

	return q.hide(ctx, 0)
}

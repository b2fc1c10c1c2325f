package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

const (
	// holdSeconds is how long a received message is hidden. It is longer than it takes to work off
	// the largest message, of some ten thousand items, and short enough to wait for after a crash.
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
)

// redriveQueue is the queue that is worked through.
type redriveQueue struct {
	client *sqs.Client
	url    string
	// limit is how often SQS lets a message be received before it moves it away. 0 is without end.
	limit int
	// renewed is called when a message was replaced by a copy.
	renewed func()
	// answerLost says that a request to receive messages may have hidden some without an answer.
	answerLost bool

	mu sync.Mutex
	// held are the receipts of the messages that are left, by the message's ID.
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

// errAnswerLost is the end of a run that cannot say that the queue is empty.
var errAnswerLost = errors.New("an answer of the queue was lost: the messages in it are hidden for 15 minutes, " +
	"run the same command again then")

// receive receives messages, and returns those that this run has not left before. There may be none
// of them although the queue is not empty. It sets answerLost.
func (q *redriveQueue) receive(ctx context.Context) (fresh []types.Message, isEmpty bool, err error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: batchMessages, WaitTimeSeconds: waitSeconds, VisibilityTimeout: holdSeconds,
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil {
		return nil, false, err
	}

	attempts, _ := retry.GetAttemptResults(out.ResultMetadata)
	q.answerLost = q.answerLost || slices.ContainsFunc(attempts.Results, func(r retry.AttemptResult) bool {
		return r.Err != nil && !errors.As(r.Err, new(smithy.APIError))
	})

	for _, m := range out.Messages {
		isHeld, err := q.holdAgain(ctx, &m)
		if err != nil {
			return nil, false, err
		}
		if !isHeld {
			fresh = append(fresh, m)
		}
	}

	return fresh, len(out.Messages) == 0, nil
}

// holdAgain reports whether a message was left by this run before, and leaves it again then. A copy
// that replaced a message is visible at once. Any other is received again after each holdSeconds of a
// long run: each time is one more receipt, so it may have to be replaced by a copy.
func (q *redriveQueue) holdAgain(ctx context.Context, m *types.Message) (isHeld bool, err error) {
	q.mu.Lock()
	receipt, isHeld := q.held[*m.MessageId]
	q.mu.Unlock()
	switch {
	case !isHeld:
		return false, nil
	case receipt == "":
		q.keep(m) // whatever the limit: copies of copies would not end
		return true, nil
	default:
		return true, q.leave(ctx, m)
	}
}

// keep leaves a message in the queue, hidden until the end of the run.
func (q *redriveQueue) keep(m *types.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[*m.MessageId] = *m.ReceiptHandle
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
		q.keep(m)
		return nil
	}

	sent, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: m.Body, MessageAttributes: m.MessageAttributes,
	})
	if err != nil {
		q.keep(m)
		return err
	}
	q.mu.Lock()
	delete(q.held, *m.MessageId)
	q.held[*sent.MessageId] = "" // until it is received
	q.mu.Unlock()
	q.renewed()

	return q.delete(ctx, m)
}

func (q *redriveQueue) delete(ctx context.Context, m *types.Message) error {
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	return err
}

// release lets the messages that were left be received again. Those that it cannot release show up
// by themselves after holdSeconds.
func (q *redriveQueue) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()

	var entries []types.ChangeMessageVisibilityBatchRequestEntry
	for _, receipt := range q.held {
		if receipt == "" {
			continue
		}
		entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(len(entries))), ReceiptHandle: &receipt, VisibilityTimeout: 0,
		})
	}
	for batch := range slices.Chunk(entries, batchMessages) {
		_, err := q.client.ChangeMessageVisibilityBatch(ctx,
			&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: batch})
		if errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}

package replicator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// FailureMessageVersion is the Version of a [FailureMessage]. It changes when a
// field changes its meaning, not when one is added.
const FailureMessageVersion = 1

// FailureMessage is the body of a message in the failure queue, as JSON: one
// record that can never be applied to a target table, and why. Delivery is at
// least once; SequenceNumber and TargetTable together tell copies apart.
//
// A message is at most 1 MiB. What does not fit is left out and flagged: the
// record is then to be fetched from the stream, within 24 hours of CreatedAt.
type FailureMessage struct {
	Version int `json:"version"`
	// Reason says why, for a person. It may quote the item.
	Reason string `json:"reason"`
	// TargetTable is empty when the record failed for every target.
	TargetTable string `json:"targetTable,omitempty"`
	StreamARN   string `json:"streamArn,omitempty"`
	EventName   string `json:"eventName,omitempty"`
	// SequenceNumber is the position of the record in the stream.
	SequenceNumber string `json:"sequenceNumber,omitempty"`
	// CreatedAt is the approximate creation time, in seconds since 1970.
	CreatedAt json.RawMessage `json:"createdAt,omitempty"`
	// SourceKey, OldImage and NewImage are items in DynamoDB's JSON.
	SourceKey json.RawMessage `json:"sourceKey,omitempty"`
	OldImage  json.RawMessage `json:"oldImage,omitempty"`
	NewImage  json.RawMessage `json:"newImage,omitempty"`
	// Record is the whole record, of one that could not be decoded.
	Record json.RawMessage `json:"record,omitempty"`
	// LeftOut says that OldImage and NewImage, or Record, did not fit.
	LeftOut bool `json:"leftOut,omitempty"`
}

// Limits of one SendMessageBatch call. Source: Amazon SQS Developer Guide,
// "Amazon SQS message quotas": one message, and all messages of a call together.
const (
	maxQueueBatchMessages = 10
	maxQueueBytes         = 1 << 20
)

// queue sends messages, at most maxQueueBatchMessages of at most maxQueueBytes
// together. It returns an error for each message that was not taken, by index.
type queue interface {
	send(ctx context.Context, bodies []string) map[int]error
}

// failureQueue is where records go that can never be applied.
type failureQueue struct {
	queue    queue
	mappings []mapping
}

// give sends the permanent failures to the queue. What the queue took is done.
// It returns what must come again, the other failures and what the queue did not
// take, and what it took, in the order of the records.
//
// A record that comes again anyway, because one before it does, is not sent now:
// it will fail then as well, and one message is enough.
func (q *failureQueue) give(ctx context.Context, e *event, failures []failure) (again, given []failure) {
	// Lowest first: if the time is up before the last one, the shard has moved on.
	slices.SortStableFunc(failures, func(a, b failure) int { return cmp.Compare(a.change, b.change) })
	resume := len(e.changes)
	for _, f := range failures {
		if f.class != permanent {
			resume = min(resume, f.change)
		}
	}
	var bodies []string
	var sending []failure
	size := 0
	send := func() {
		if len(bodies) == 0 {
			return
		}
		errs := q.queue.send(ctx, bodies)
		for i, f := range sending {
			err, refused := errs[i]
			if !refused {
				given = append(given, f)
				continue
			}
			resume = min(resume, f.change)
			again = append(again, failure{f.change, f.mapping, transient, fmt.Errorf("the failure queue did not take a record (%s): %w", loggable(f.err), err)})
		}
		bodies, sending, size = bodies[:0], sending[:0], 0
	}
	for _, f := range failures {
		if f.class != permanent || f.change >= resume {
			again = append(again, f)
			continue
		}
		body := q.message(e, f)
		if len(bodies) == maxQueueBatchMessages || size+len(body) > maxQueueBytes {
			send()
		}
		bodies, sending, size = append(bodies, body), append(sending, f), size+len(body)
	}
	send()
	return again, given
}

// message returns the body for one failure, at most maxQueueBytes of it.
func (q *failureQueue) message(e *event, f failure) string {
	c := &e.changes[f.change]
	m := FailureMessage{
		Version:        FailureMessageVersion,
		Reason:         f.err.Error(),
		StreamARN:      string(e.text(c.streamARN)),
		EventName:      string(e.text(c.eventName)),
		SequenceNumber: string(e.text(c.sequenceNumber)),
		CreatedAt:      e.text(c.createdAt),
		SourceKey:      e.text(c.keys.raw),
		OldImage:       e.text(c.oldImage.raw),
		NewImage:       e.text(c.newImage.raw),
	}
	if f.mapping != everyMapping {
		m.TargetTable = q.mappings[f.mapping].tableName
	}
	if c.err != nil {
		m.Record, m.OldImage, m.NewImage = e.text(c.raw), nil, nil
	}
	body := m.encode()
	if len(body) > maxQueueBytes {
		m.OldImage, m.NewImage, m.Record, m.LeftOut = nil, nil, nil, true
		body = m.encode()
	}
	return body
}

// encode returns the message as JSON that SQS takes.
func (m FailureMessage) encode() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		// Its parts are slices of a payload that was read as JSON.
		panic(fmt.Sprintf("replicator: a failure message cannot be encoded: %v", err))
	}
	body := bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\ufffd"))
	// The two characters that JSON allows and SQS does not. Source: Amazon SQS API
	// Reference, SendMessageBatch. They can only stand inside strings.
	body = bytes.ReplaceAll(body, []byte("\ufffe"), []byte(`\ufffe`))
	return string(bytes.ReplaceAll(body, []byte("\uffff"), []byte(`\uffff`)))
}

// sqsQueue is a queue of Amazon SQS.
type sqsQueue struct {
	// client makes the client on first use, which most functions never come to.
	client func() *sqs.Client
	url    string
}

func (q *sqsQueue) send(ctx context.Context, bodies []string) map[int]error {
	entries := make([]types.SendMessageBatchRequestEntry, len(bodies))
	for i := range bodies {
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &bodies[i]}
	}
	out, err := q.client().SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	errs := map[int]error{}
	for i := range bodies {
		errs[i] = err
	}
	if err != nil {
		return errs
	}
	for i, entry := range entries {
		errs[i] = errors.New("the queue's answer does not mention the message")
		for _, taken := range out.Successful {
			if aws.ToString(taken.Id) == *entry.Id {
				delete(errs, i)
			}
		}
		for _, refused := range out.Failed {
			if aws.ToString(refused.Id) == *entry.Id {
				errs[i] = fmt.Errorf("%s: %s", aws.ToString(refused.Code), aws.ToString(refused.Message))
			}
		}
	}
	return errs
}

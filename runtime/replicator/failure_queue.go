package replicator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// Limits of one SendMessageBatch call. Source: Amazon SQS Developer Guide, "Amazon SQS
// message quotas": one message, and all messages of a call together.
const (
	maxQueueBatchMessages = 10
	maxQueueBytes         = 1 << 20
)

// queue sends messages, at most maxQueueBatchMessages of at most maxQueueBytes together.
// It returns an error for each message that was not accepted, by index.
type queue interface {
	send(ctx context.Context, bodies []string) map[int]error
}

// failureQueue is where records go that can never be applied.
type failureQueue struct {
	queue    queue
	mappings []mapping.Mapping
}

// send sends the permanent failures to the queue. What the queue accepts is done. It
// returns what must be redelivered, the other failures and what the queue did not accept,
// and what it accepted, in the order of the records.
//
// A record that is redelivered anyway, because one before it is, is not sent now: it will
// fail then as well, and one message is enough.
func (q *failureQueue) send(ctx context.Context, e *event, failures []failure) (remaining, sent []failure) {
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
	flush := func() {
		if len(bodies) == 0 {
			return
		}
		errs := q.queue.send(ctx, bodies)
		for i, f := range sending {
			err, failed := errs[i]
			if !failed {
				sent = append(sent, f)
				continue
			}
			resume = min(resume, f.change)
			err = fmt.Errorf("the failure queue did not accept a record (%s): %w", loggable(f.err), err)
			remaining = append(remaining, failure{f.change, f.mapping, transient, err})
		}
		bodies, sending, size = bodies[:0], sending[:0], 0
	}
	for _, f := range failures {
		if f.class != permanent || f.change >= resume {
			remaining = append(remaining, f)
			continue
		}
		body := q.message(e, f)
		if len(bodies) == maxQueueBatchMessages || size+len(body) > maxQueueBytes {
			flush()
		}
		bodies, sending, size = append(bodies, body), append(sending, f), size+len(body)
	}
	flush()

	return remaining, sent
}

// message returns the body for one failure, at most maxQueueBytes of it.
func (q *failureQueue) message(e *event, f failure) string {
	c := &e.changes[f.change]
	m := failurequeue.Message{
		Version:        failurequeue.Version,
		Reason:         f.err.Error(),
		StreamARN:      string(c.streamARN),
		EventName:      string(c.eventName),
		SequenceNumber: string(c.sequenceNumber),
		CreatedAt:      c.createdAt,
		SourceKey:      c.keys.Raw,
		OldImage:       c.oldImage.Raw,
		NewImage:       c.newImage.Raw,
	}
	if f.mapping != everyMapping {
		m.TargetTable = q.mappings[f.mapping].TableName
	}
	if c.err != nil {
		m.Record, m.OldImage, m.NewImage = c.raw, nil, nil
	}
	body := encodeMessage(m)
	if len(body) > maxQueueBytes {
		m.OldImage, m.NewImage, m.Record, m.LeftOut = nil, nil, nil, true
		body = encodeMessage(m)
	}

	return body
}

// encodeMessage returns the message as JSON that SQS accepts.
func encodeMessage(m failurequeue.Message) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		// Its parts are slices of a payload that was read as JSON.
		panic(fmt.Sprintf("replicator: a failure message cannot be encoded: %v", err))
	}
	body := bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\ufffd"))
	// The two characters that JSON allows and SQS does not. Source: Amazon SQS API
	// Reference, SendMessageBatch. They can only appear inside strings.
	body = bytes.ReplaceAll(body, []byte("\ufffe"), []byte(`\ufffe`))

	return string(bytes.ReplaceAll(body, []byte("\uffff"), []byte(`\uffff`)))
}

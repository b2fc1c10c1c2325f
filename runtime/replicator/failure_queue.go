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

// queue is a queue of messages.
type queue interface {
	// send sends at most maxQueueBatchMessages of at most maxQueueBytes together. It
	// returns an error for each message that was not accepted, by index.
	send(ctx context.Context, bodies []string) map[int]error
}

// failureQueue receives the records that can never be applied.
type failureQueue struct {
	queue    queue
	mappings []mapping.Mapping
}

// send sends the permanent failures to the queue. It returns the failures that remain, and
// the sent ones, in the order of the records. The sent ones are done. The remaining ones
// must be redelivered: they are the failures of other classes, and those that the queue
// did not accept.
//
// A permanent failure behind a record that is redelivered remains too: Lambda redelivers
// it anyway, it fails again, and one message is enough.
func (q *failureQueue) send(ctx context.Context, e *event, failures []failure) (remaining, sent []failure) {
	// Lowest first: if the time is up before the last one, the shard still advances.
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

// message returns the body for one failure, of at most maxQueueBytes.
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
		// Its JSON is parts of a payload that was read as JSON.
		panic(fmt.Sprintf("replicator: a failure message cannot be encoded: %v", err))
	}

	body := bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\ufffd"))
	// JSON allows these two characters and SQS does not. Source: Amazon SQS API Reference,
	// SendMessageBatch. They can appear only inside strings.
	body = bytes.ReplaceAll(body, []byte("\ufffe"), []byte(`\ufffe`))

	return string(bytes.ReplaceAll(body, []byte("\uffff"), []byte(`\uffff`)))
}

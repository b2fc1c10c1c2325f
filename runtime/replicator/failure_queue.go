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

// send sends the permanent failures to the queue, and the keys of what was set aside. What
// the queue accepts is done. It returns what must be redelivered, the other failures and
// what the queue did not accept, and what it accepted.
//
// A permanent failure behind a record that is redelivered remains too: Lambda redelivers
// it anyway, it fails again, and one message is enough.
func (q *failureQueue) send(ctx context.Context, e *event, failures []failure) (remaining, sent []failure) {
	// Lowest first: if the time is up before the last one, the shard still advances.
	slices.SortStableFunc(failures, func(a, b failure) int { return cmp.Compare(a.change, b.change) })
	s := sending{ctx: ctx, queue: q.queue, resume: len(e.changes)}
	for _, f := range failures {
		if f.class != permanent && f.class != setAside {
			s.resume = min(s.resume, f.change)
		}
	}

	var aside []failure
	for _, f := range failures {
		switch {
		case f.change >= s.resume || f.class != permanent && f.class != setAside:
			s.remaining = append(s.remaining, f)
		case f.class == setAside:
			aside = append(aside, f)
		default:
			s.add(message{q.message(e, f), []failure{f}})
		}
	}
	for _, m := range q.keysMessages(e, aside) {
		s.add(m)
	}
	s.flush()

	return s.remaining, s.sent
}

// message is the body of a message, and the failures that it is about.
type message struct {
	body     string
	failures []failure
}

// sending is the messages of one invocation on their way to the queue.
type sending struct {
	ctx   context.Context
	queue queue
	// resume is the first record that is redelivered.
	resume int

	messages        []message
	size            int
	remaining, sent []failure
}

// add adds a message, and sends those before it when a call is full.
func (s *sending) add(m message) {
	if len(s.messages) == maxQueueBatchMessages || s.size+len(m.body) > maxQueueBytes {
		s.flush()
	}
	if m.failures[0].change >= s.resume {
		s.remaining = append(s.remaining, m.failures...)
		return
	}
	s.messages, s.size = append(s.messages, m), s.size+len(m.body)
}

// flush sends the messages.
func (s *sending) flush() {
	if len(s.messages) == 0 {
		return
	}
	bodies := make([]string, len(s.messages))
	for i := range s.messages {
		bodies[i] = s.messages[i].body
	}
	errs := s.queue.send(s.ctx, bodies)
	for i, m := range s.messages {
		err, failed := errs[i]
		if !failed {
			s.sent = append(s.sent, m.failures...)
			continue
		}
		for _, f := range m.failures {
			s.resume = min(s.resume, f.change)
			why := fmt.Errorf("the failure queue did not accept a message (%s): %w", loggable(f.err), err)
			s.remaining = append(s.remaining, failure{change: f.change, mapping: f.mapping, class: transient, err: why})
		}
	}
	s.messages, s.size = s.messages[:0], 0
}

// message returns the body for one failure, of at most maxQueueBytes.
func (q *failureQueue) message(e *event, f failure) string {
	c := &e.changes[f.change]
	m := failurequeue.Message{
		Version:        failurequeue.Version,
		Kind:           failurequeue.KindRecord,
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

// maxItemOverhead is more than a message needs for an item besides its keys, and more
// than one needs besides its items.
const maxItemOverhead = 4 << 10

// keysMessages returns messages with the keys of what was set aside, as many items as fit
// in each. The failures are in the order of the records.
func (q *failureQueue) keysMessages(e *event, failures []failure) []message {
	var messages []message
	for i := range q.mappings {
		var m failurequeue.Message
		var of []failure
		size := 0
		flush := func() {
			if len(of) > 0 {
				messages = append(messages, message{encodeMessage(m), of})
			}
			m, of, size = failurequeue.Message{}, nil, maxItemOverhead
		}
		for _, f := range failures {
			if f.mapping != i {
				continue
			}
			item := q.item(e, f)
			bytes := len(item.SourceKey)
			for _, k := range item.TargetKeys {
				bytes += len(k.Key) + len(`{"key":,"last":true},`)
			}
			if len(of) == 0 || size+bytes > maxQueueBytes {
				flush()
				m = q.keysMessage(e, f)
			}
			last := &e.changes[f.chain.last.change]
			m.Items, m.LastSequenceNumber = append(m.Items, item), string(last.sequenceNumber)
			of, size = append(of, f), size+bytes+len(`{"sourceKey":,"targetKeys":[]},`)
		}
		flush()
	}
	return messages
}

// keysMessage returns a message for what was set aside from f on, without items.
func (q *failureQueue) keysMessage(e *event, f failure) failurequeue.Message {
	c := &e.changes[f.change]
	return failurequeue.Message{
		Version:        failurequeue.Version,
		Kind:           failurequeue.KindKeys,
		Reason:         f.err.Error(),
		TargetTable:    q.mappings[f.mapping].TableName,
		StreamARN:      string(c.streamARN),
		SequenceNumber: string(c.sequenceNumber),
		CreatedAt:      c.createdAt,
	}
}

// item returns the keys of a chain that was set aside.
func (q *failureQueue) item(e *event, f failure) failurequeue.Item {
	c := f.chain
	item := failurequeue.Item{SourceKey: e.changes[c.first].keys.Raw}
	for i, k := range c.keys { // sorted, by the planner
		if i > 0 && bytes.Equal(k.Key, c.keys[i-1].Key) {
			continue
		}
		key := append(q.mappings[f.mapping].AppendKey([]byte("{"), k), '}')
		last := c.after.Exists() && bytes.Equal(k.Key, c.after.Key)
		item.TargetKeys = append(item.TargetKeys, failurequeue.TargetKey{Key: key, Last: last})
	}
	return item
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

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

// failureQueue receives what was not applied and counts as done: the records that can never
// be applied, and the keys of the items of a target that was set aside.
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
	slices.SortStableFunc(failures, func(a, b failure) int { return cmp.Compare(a.change, b.change) })

	resume := len(e.changes)
	for _, f := range failures {
		if f.class != permanent && f.class != setAside {
			resume = min(resume, f.change)
		}
	}

	s := newSending(ctx, q.queue, failures, resume)
	messages := q.messages(e, failures, resume)
	s.expect(messages)
	for _, m := range messages {
		s.add(m)
	}
	s.flush()

	return s.result()
}

// messages returns the messages about the failures before resume, all of which are
// permanent or set aside. The failures are in the order of their changes, and so are the
// messages: if the time is up before the last one, the shard still advances.
func (q *failureQueue) messages(e *event, failures []failure, resume int) []message {
	var messages []message
	aside := make([][]int, len(q.mappings))
	for i, f := range failures {
		switch {
		case f.change >= resume:
		case f.class == setAside:
			aside[f.mapping] = append(aside[f.mapping], i)
		default:
			messages = append(messages, message{q.recordMessage(e, f), []int{i}})
		}
	}
	for _, of := range aside {
		messages = append(messages, q.keysMessages(e, failures, of)...)
	}
	slices.SortStableFunc(messages, func(a, b message) int {
		return cmp.Compare(failures[a.of[0]].change, failures[b.of[0]].change)
	})

	return messages
}

// message is a message, and the indices of the failures that it is about, lowest first.
type message struct {
	failurequeue.Message
	of []int
}

// sending is the messages of one invocation on their way to the queue.
type sending struct {
	ctx      context.Context
	queue    queue
	failures []failure
	// resume is the first record that is redelivered.
	resume int

	messages []message
	bodies   []string
	size     int
	// unsent counts the messages about a failure that the queue has not accepted yet, by
	// failure. A failure that has none at all is not there.
	unsent map[int]int
	// refused holds why the queue did not accept a message, by failure.
	refused map[int]error
}

func newSending(ctx context.Context, q queue, failures []failure, resume int) *sending {
	return &sending{
		ctx: ctx, queue: q, failures: failures, resume: resume, unsent: map[int]int{}, refused: map[int]error{},
	}
}

// expect counts the messages about each failure.
func (s *sending) expect(messages []message) {
	for _, m := range messages {
		for _, i := range m.of {
			s.unsent[i]++
		}
	}
}

// add adds a message, and sends those before it when a call is full.
func (s *sending) add(m message) {
	first := s.failures[m.of[0]].change
	if first >= s.resume {
		return
	}

	body := encodeFitting(m.Message)
	if len(s.messages) == maxQueueBatchMessages || s.size+len(body) > maxQueueBytes {
		s.flush()
	}
	if first >= s.resume {
		return
	}
	s.messages, s.bodies, s.size = append(s.messages, m), append(s.bodies, body), s.size+len(body)
	if m.Kind == failurequeue.KindKeys {
		s.flush() // one message is about many records: what is behind it waits for the answer
	}
}

// flush sends the messages.
func (s *sending) flush() {
	if len(s.messages) == 0 {
		return
	}

	errs := s.queue.send(s.ctx, s.bodies)
	for n, m := range s.messages {
		err, refused := errs[n]
		for _, i := range m.of {
			if refused {
				s.resume = min(s.resume, s.failures[i].change)
				s.refused[i] = err
			} else {
				s.unsent[i]--
			}
		}
	}
	s.messages, s.bodies, s.size = s.messages[:0], s.bodies[:0], 0
}

// result returns the failures that must be redelivered, and those that were sent: the queue
// has accepted all messages about them.
func (s *sending) result() (remaining, sent []failure) {
	for i, f := range s.failures {
		unsent, expected := s.unsent[i]
		switch err := s.refused[i]; {
		case err != nil:
			why := &queueError{loggable(f.err), err}
			remaining = append(remaining, failure{change: f.change, mapping: f.mapping, class: transient, err: why})
		case expected && unsent == 0:
			sent = append(sent, f)
		default:
			remaining = append(remaining, f)
		}
	}

	return remaining, sent
}

// recordMessage returns the message about one record.
func (q *failureQueue) recordMessage(e *event, f failure) failurequeue.Message {
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

	return m
}

// encodeFitting returns the body of a message, of at most maxQueueBytes: that of a record
// without what does not fit, that of keys as it is, because keysMessages made it fit.
func encodeFitting(m failurequeue.Message) string {
	body := encodeMessage(m)
	if m.Kind == failurequeue.KindRecord && len(body) > maxQueueBytes {
		m.OldImage, m.NewImage, m.Record, m.LeftOut = nil, nil, nil, true
		body = encodeMessage(m)
	}
	return body
}

// encodeMessage returns a message, or a part of one, as JSON that SQS accepts. A part has the
// same length alone as within a message.
func encodeMessage(part any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(part); err != nil {
		// Its JSON is parts of a payload that was read as JSON.
		panic(fmt.Sprintf("replicator: a failure message cannot be encoded: %v", err))
	}

	body := bytes.ToValidUTF8(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\ufffd"))
	// JSON allows these two characters and SQS does not. Source: Amazon SQS API Reference,
	// SendMessageBatch. They can appear only inside strings.
	body = bytes.ReplaceAll(body, []byte("\ufffe"), []byte(`\ufffe`))

	return string(bytes.ReplaceAll(body, []byte("\uffff"), []byte(`\uffff`)))
}

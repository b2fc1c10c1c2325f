package reconciler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// RedriveOptions are what Redrive reads, and whom it tells.
type RedriveOptions struct {
	// SQS is the client of the queue at QueueURL: the failure queue, or its dead-letter queue.
	SQS      *sqs.Client
	QueueURL string
	// Records calls yield with the records of a stream at a position, oldest first, each as the JSON
	// of DynamoDB Streams. Its error is ErrRecordsGone when the stream no longer has them all.
	Records func(ctx context.Context, p Position, yield func(record json.RawMessage) error) error
	// MappedSince is when the present mapping came into force at the latest. Records that are older
	// are reported: their target items may have had other keys. Zero reports none.
	MappedSince time.Time
	// Stop ends the run when it is closed, after the messages that were received. Nil never does.
	Stop <-chan struct{}
	// Report is called with what an operator should know about a message. Nil reports nothing. From
	// any goroutine.
	Report func(MessageFinding)
	// Progress is called with the counts so far after every ten messages. Nil is not called.
	Progress func(RedriveCounts)
}

// Position is a range of records in a stream.
type Position struct {
	StreamARN string
	// ShardID is empty when it is not known.
	ShardID string
	// First and Last are sequence numbers. Both records belong to the range.
	First, Last string
}

// ErrRecordsGone says that a stream no longer has the records of a position: it keeps them for 24
// hours.
var ErrRecordsGone = errors.New("the stream no longer has the records")

// MessageFinding is what an operator should know about one message.
type MessageFinding struct {
	MessageID string
	// Left says that the message is still in the queue.
	Left        bool
	TargetTable string          `json:",omitempty"`
	SourceKey   json.RawMessage `json:",omitempty"`
	// Reason names attributes, types and sizes, never a value.
	Reason string
}

// RedriveCounts count what happened to messages, and to the items that they are about.
type RedriveCounts struct {
	// Messages are all that were received: Deleted ones were worked off, Left ones are still in the
	// queue. On a dry run, Deleted counts those that would be.
	Messages, Deleted, Left int64
	// Renewed counts those that were replaced by a copy, because receipts could soon have moved them
	// to the dead-letter queue.
	Renewed int64
	// Items counts source items, once for each message.
	Items int64
	// What was found or done, once for each item and target.
	Right, Written, Collisions, Unmappable, Kept int64
	// Gone counts the items without a source item in targets that keep expired items. If one expired
	// after it was set aside, its target item is missing and cannot be derived any more.
	Gone int64
}

// Redrive works through the messages of a queue until it is empty: it makes right in the targets
// what each message is about, as Reconcile does, and then deletes the message. No image is
// replayed. Left in the queue are messages about an item that still has no target item, about a
// table that is no target, about records that the stream no longer has, and those that cannot be
// read.
//
// A queue can be worked through any number of times: a message that is left is received once by
// each run, and replaced by a copy before receipts could move it to the dead-letter queue. A run
// hides what it has received; at its end, or 15 minutes after it was killed, the messages can be
// received again.
//
// An error of ctx, of the queue, or of the source table ends the run. A message that fails for another
// reason is left, such as one about a target table that cannot be used, or about records that may
// not be read. The run goes on with the others, and returns the first such error at its end.
//
// It also returns an error where it cannot say that no others are in the queue: messages in an answer
// that was lost are hidden for 15 minutes, and SQS hands out about 120,000 messages at a time. Messages
// that are left and cannot be shown again in 30 seconds stay hidden for as long, which is an error too.
func (r *Reconciler) Redrive(ctx context.Context, o RedriveOptions) (RedriveCounts, error) {
	d := &redrive{
		Reconciler: r, options: o, queue: newRedriveQueue(o.SQS, o.QueueURL),
		inFlight: make(chan struct{}, r.options.InFlight),
	}
	d.queue.renewed = func() { d.count(func(c *RedriveCounts) { c.Renewed++ }) }
	if err := d.queue.readLimit(ctx); err != nil {
		return d.counts, err
	}

	hiding, stopHiding := context.WithCancel(ctx)
	var hider sync.WaitGroup
	hider.Go(func() { d.queue.keepHidden(hiding) })
	err := d.all(ctx)
	stopHiding()
	hider.Wait()
	if hidden := d.queue.release(ctx); hidden > 0 && err == nil {
		err = fmt.Errorf("about %d messages that are left stay hidden for 15 minutes: run the same command again then", hidden)
	}

	return d.counts, err
}

// redrive is one run of Redrive.
type redrive struct {
	*Reconciler
	options  RedriveOptions
	queue    *redriveQueue
	inFlight chan struct{}

	mu     sync.Mutex
	counts RedriveCounts
	// failed is the first error that was about one message only.
	failed error
}

// all works off messages until there are no others than those that are left.
func (d *redrive) all(ctx context.Context) error {
	for {
		messages, received, err := d.queue.receive(ctx)
		if err != nil {
			return err
		}
		if received == 0 {
			return cmp.Or(d.failed, d.queue.unseen())
		}
		if err := d.messages(ctx, messages); err != nil {
			return err
		}
		if d.options.Progress != nil {
			d.options.Progress(d.counts)
		}
		select {
		case <-d.options.Stop:
			return d.failed
		default:
		}
	}
}

// messages works off messages at the same time.
func (d *redrive) messages(ctx context.Context, messages []types.Message) error {
	errs := make([]error, len(messages))
	var all sync.WaitGroup
	for i := range messages {
		all.Go(func() { errs[i] = d.message(ctx, &messages[i]) })
	}
	all.Wait()

	return errors.Join(errs...)
}

// message works off one message.
func (d *redrive) message(ctx context.Context, m *types.Message) error {
	d.count(func(c *RedriveCounts) { c.Messages++ })
	right := false
	w, err := d.read(ctx, *m.Body)
	switch {
	case err == nil:
		right, err = d.work(ctx, *m.MessageId, w)
	case !d.endsRun(ctx, err):
		d.fail(*m.MessageId, err, recordsUnread)
		err = nil
	}
	if err != nil {
		// Attempts that fail must not move the message away either.
		leaveErr := d.queue.leave(context.WithoutCancel(ctx), m)
		return errors.Join(fmt.Errorf("message %s: %w", *m.MessageId, err), leaveErr)
	}

	if right && !d.Reconciler.options.DryRun {
		err = d.queue.delete(ctx, m)
	} else {
		err = d.queue.leave(ctx, m)
	}
	d.count(func(c *RedriveCounts) {
		switch {
		case err != nil:
		case right:
			c.Deleted++
		default:
			c.Left++
		}
	})

	return err
}

// work makes the items of a message right, and reports whether the message is worked off.
func (d *redrive) work(ctx context.Context, id string, w *work) (bool, error) {
	right := w.left == ""
	if !right {
		d.tell(MessageFinding{MessageID: id, Left: true, TargetTable: w.table, Reason: w.left})
	}

	errs := d.reconcileAll(ctx, w)
	for _, err := range errs {
		if d.endsRun(ctx, err) {
			return false, err
		}
		right = false
		d.fail(id, err, targetFailed)
	}

	for _, item := range w.items {
		for _, result := range item.results {
			for _, t := range result.Targets {
				d.countResult(result.Gone, t)
				if t.Outcome == Unmappable || t.Outcome == Refused {
					right = false
					d.tell(MessageFinding{
						MessageID: id, Left: true, TargetTable: t.TargetTable, SourceKey: item.sourceKey, Reason: t.Reason,
					})
				}
			}
		}
	}
	for _, note := range w.notes {
		d.tell(MessageFinding{MessageID: id, Left: !right, TargetTable: w.table, Reason: note})
	}
	d.count(func(c *RedriveCounts) { c.Items += int64(len(w.items)) })

	return right, nil
}

// reconcileAll makes the items of a message right in its targets, and returns at most one error for
// each target.
func (d *redrive) reconcileAll(ctx context.Context, w *work) []error {
	tables, items := w.tables(), make([]*itemWork, len(w.items))
	for i := range w.items {
		items[i] = &w.items[i]
	}
	err := d.reconcileItems(ctx, items, tables)
	if err == nil {
		return nil
	}
	if len(tables) == 1 || d.endsRun(ctx, err) {
		return []error{err}
	}

	// A target that cannot be used must not keep the others from their items.
	var errs []error
	items = slices.DeleteFunc(items, func(i *itemWork) bool { return len(i.results) > 0 })
	for _, table := range tables {
		if err := d.reconcileItems(ctx, items, []string{table}); err != nil {
			errs = append(errs, err)
		}
	}

	return errs
}

// reconcileItems makes items right in some targets. After an error it starts no more: that is hardly
// ever about one item, and there may be thousands.
func (d *redrive) reconcileItems(ctx context.Context, items []*itemWork, tables []string) error {
	return parallel(d.Reconciler.options.InFlight, items, func(item *itemWork) error {
		d.inFlight <- struct{}{}
		defer func() { <-d.inFlight }()
		result, err := d.Reconcile(ctx, item.sourceKey, tables, item.also)
		if err == nil {
			item.results = append(item.results, result)
		}
		return err
	})
}

// endsRun reports whether an error is about more than a message: no message can be worked off without
// the source table.
func (d *redrive) endsRun(ctx context.Context, err error) bool {
	var of *tableError
	return ctx.Err() != nil || errors.As(err, &of) && of.table == d.source.name
}

// fail reports that a message is left because of an error, whose text goes into reason.
func (d *redrive) fail(id string, err error, reason string) {
	f := MessageFinding{MessageID: id, Left: true, Reason: fmt.Sprintf(reason, describe(err))}
	if of := (*tableError)(nil); errors.As(err, &of) {
		f.TargetTable = of.table
	}
	d.tell(f)

	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed == nil {
		d.failed = fmt.Errorf("message %s: %w", id, err)
	}
}

// describe returns the text of an error without the ID of its request, so that the same reason has
// the same text.
func describe(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || dynamodberror.IsRefusal(api.ErrorCode()) {
		return dynamodberror.Describe(err)
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

func (d *redrive) countResult(gone bool, t TargetResult) {
	keepsExpired := false
	if found, err := d.target(t.TargetTable); err == nil {
		keepsExpired = found.mapping.KeepExpired
	}
	d.count(func(c *RedriveCounts) {
		switch t.Outcome {
		case Right:
			c.Right++
		case Written:
			c.Written++
		case Collision:
			c.Collisions++
		case Unmappable, Refused:
			c.Unmappable++
		case Kept:
			c.Kept++
		default:
			panic(fmt.Sprintf("the outcome %d of Reconcile", t.Outcome))
		}
		if gone && keepsExpired {
			c.Gone++
		}
	})
}

func (d *redrive) count(add func(c *RedriveCounts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	add(&d.counts)
}

func (d *redrive) tell(f MessageFinding) {
	if d.options.Report != nil {
		d.options.Report(f)
	}
}

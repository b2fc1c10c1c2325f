package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// work is what a message is about.
type work struct {
	// table is the target table that the message names, empty for all.
	table string
	// on are the targets that the message is about.
	on    []*target
	items []itemWork
	// left says why the message is left even when all its items are right, empty when it is not.
	left string
	// notes are what an operator should know besides.
	notes []string
}

// itemWork is one source item, with the target keys that may hold something of it.
type itemWork struct {
	sourceKey json.RawMessage
	also      []Key
	// results are what Reconcile has done: for all targets at once, or for one after the other.
	results []Result
}

// Why a message is left, or may not be all. What they name is done by the operator.
const (
	notReadable   = "the message cannot be read"
	noSourceItem  = notReadable + ": it does not name a source item: run repair, and delete the message then"
	recordsAreOld = "the stream no longer has the records: run repair, and delete the message then"
	imagesLeftOut = "the message has no images, so a target item under an earlier key may remain: " +
		"run repair, and delete the message then"
	olderMapping = "the record is older than the last update of the function: if a target key was derived otherwise " +
		"before, items under earlier keys may remain: run repair"
	olderKeys = "the message has target keys of another key schema than the table's: run repair if that table has " +
		"been filled under both"
	targetFailed  = "a target cannot be made right: %s"
	recordsUnread = "the records at its position cannot be read: %s: if they are of an earlier stream of the table, " +
		"run repair, and delete the message then"
)

// read finds out what a message is about. An error is that of the stream, not of the message.
func (d *redrive) read(ctx context.Context, body string) (*work, error) {
	var batch struct{ DDBStreamBatchInfo *batchInfo }
	if json.Unmarshal([]byte(body), &batch) == nil && batch.DDBStreamBatchInfo != nil {
		return d.readPosition(ctx, batch.DDBStreamBatchInfo)
	}

	var m failurequeue.Message
	if isMessage := json.Unmarshal([]byte(body), &m) == nil; !isMessage {
		return &work{left: notReadable + ": it is not one of a ReplicatedTable"}, nil
	}
	if m.Version != failurequeue.Version {
		return &work{left: fmt.Sprintf("%s: it has version %d, and this release knows version %d",
			notReadable, m.Version, failurequeue.Version)}, nil
	}

	w := &work{table: m.TargetTable}
	if w.on, w.left = d.targetsOf(m.TargetTable); w.left != "" {
		return w, nil
	}

	switch m.Kind {
	case "", failurequeue.KindRecord:
		return w, d.readRecord(ctx, w, &m)
	case failurequeue.KindKeys:
		if w.table == "" {
			w.left = notReadable + ": it names no target table"
			return w, nil
		}
		d.readKeys(w, &m)
		return w, nil
	default:
		w.left = fmt.Sprintf("%s: it is of the kind %q", notReadable, m.Kind)
		return w, nil
	}
}

// targetsOf returns the targets of a message about a table, empty for all, or why there is none.
func (d *redrive) targetsOf(table string) (targets []*target, problem string) {
	if table == "" {
		return d.targets, ""
	}
	t, err := d.target(table)
	if err != nil {
		return nil, err.Error()
	}
	return []*target{t}, ""
}

// readRecord reads a message about one record.
func (d *redrive) readRecord(ctx context.Context, w *work, m *failurequeue.Message) error {
	keys := d.newKeys(w.on)
	switch {
	case m.LeftOut && m.StreamARN != "" && m.SequenceNumber != "":
		p := Position{StreamARN: m.StreamARN, First: m.SequenceNumber, Last: m.SequenceNumber}
		err := d.options.Records(ctx, p, keys.addJSON)
		if errors.Is(err, ErrRecordsGone) || errors.Is(err, errNotReadable) {
			w.left = imagesLeftOut
		} else if err != nil {
			return err
		}
	case m.LeftOut:
		w.left = imagesLeftOut
	case m.Record != nil:
		if keys.addJSON(m.Record) != nil {
			w.left = imagesLeftOut
		}
	}

	if m.OldImage != nil || m.NewImage != nil || len(keys.items) == 0 {
		record := streamRecord{EventName: m.EventName}
		record.DynamoDB.Keys, record.DynamoDB.OldImage, record.DynamoDB.NewImage = m.SourceKey, m.OldImage, m.NewImage
		record.DynamoDB.ApproximateCreationDateTime = m.CreatedAt
		if keys.add(&record) != nil {
			w.left = imagesLeftOut
		}
	}
	if len(keys.items) == 0 {
		w.left = noSourceItem
	}
	d.take(w, keys)

	return nil
}

// readKeys reads a message with the keys of items that were set aside.
func (d *redrive) readKeys(w *work, m *failurequeue.Message) {
	older, t := false, w.on[0]
	if len(m.Items) == 0 {
		w.left = noSourceItem
	}
	for _, item := range m.Items {
		if _, err := d.source.parseKey(item.SourceKey); err != nil {
			w.left = noSourceItem
			continue
		}

		i := itemWork{sourceKey: item.SourceKey}
		for _, k := range item.TargetKeys {
			if _, err := t.parseKey(k.Key); err != nil {
				older = true
				continue
			}
			i.also = append(i.also, Key{TargetTable: t.name, Key: k.Key, Last: k.Last})
		}
		w.items = append(w.items, i)
	}
	if older {
		w.notes = append(w.notes, olderKeys)
	}
}

// batchInfo is the part of a message of Lambda's event source mapping that says which records it
// has given up on. Source: AWS Lambda Developer Guide, "Retaining discarded batches from DynamoDB
// Streams".
type batchInfo struct {
	ShardID             string
	StartSequenceNumber string
	EndSequenceNumber   string
	StreamARN           string
}

// readPosition reads the records that the event source mapping has given up on.
func (d *redrive) readPosition(ctx context.Context, b *batchInfo) (*work, error) {
	w, keys := &work{on: d.targets}, d.newKeys(d.targets)
	p := Position{StreamARN: b.StreamARN, ShardID: b.ShardID, First: b.StartSequenceNumber, Last: b.EndSequenceNumber}
	err := d.options.Records(ctx, p, keys.addJSON)
	switch {
	case errors.Is(err, ErrRecordsGone):
		w.left = recordsAreOld
	case errors.Is(err, errNotReadable):
		w.left = notReadable + ": a record at its position is not one of the source table"
	case err != nil:
		return nil, err
	}
	d.take(w, keys)

	return w, nil
}

// tables returns the names of the targets of w.
func (w *work) tables() []string {
	var names []string
	for _, t := range w.on {
		names = append(names, t.name)
	}
	return names
}

// take makes the items of keys those of w.
func (d *redrive) take(w *work, keys *recordKeys) {
	w.items = keys.work()
	if since := d.options.MappedSince; !since.IsZero() && !keys.oldest.IsZero() && keys.oldest.Before(since) {
		w.notes = append(w.notes, olderMapping)
	}
}

// createdAt returns the time of a number of seconds since 1970, zero if it is not one.
func createdAt(seconds json.RawMessage) time.Time {
	var s float64
	if json.Unmarshal(seconds, &s) != nil || s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

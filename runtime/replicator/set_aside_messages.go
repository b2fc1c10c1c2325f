package replicator

import (
	"bytes"

	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// keysMessages returns messages with the keys of what was set aside from one mapping, as
// many items as fit in each. An item that does not fit in a message by itself is split over
// several. of holds the indices of the failures, lowest first.
func (q *failureQueue) keysMessages(e *event, failures []failure, of []int) []message {
	var messages []message
	size, last := 0, 0 // the bytes of the items in the last message, and their last change
	for _, i := range of {
		f := failures[i]
		for _, part := range split(q.item(e, f), maxQueueBytes-sizeWithoutItems(q.keysMessage(e, f))) {
			partSize := len(encodeMessage(part)) + len(",")
			end := max(last, f.chain.last.change)
			if len(messages) == 0 || size+partSize > roomUntil(e, messages[len(messages)-1], end) {
				messages = append(messages, message{Message: q.keysMessage(e, f)})
				size, end = 0, f.chain.last.change
			}

			m := &messages[len(messages)-1]
			m.LastSequenceNumber = string(e.changes[end].sequenceNumber)
			m.Items, m.of = append(m.Items, part), append(m.of, i)
			size, last = size+partSize, end
		}
	}

	return messages
}

// keysMessage returns a message for what was set aside, without its item.
func (q *failureQueue) keysMessage(e *event, f failure) failurequeue.Message {
	c := &e.changes[f.change]
	return failurequeue.Message{
		Version:            failurequeue.Version,
		Kind:               failurequeue.KindKeys,
		Reason:             f.err.Error(),
		TargetTable:        q.mappings[f.mapping].TableName,
		StreamARN:          string(c.streamARN),
		SequenceNumber:     string(c.sequenceNumber),
		CreatedAt:          c.createdAt,
		LastSequenceNumber: string(e.changes[f.chain.last.change].sequenceNumber),
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

// split splits an item into parts of at most room bytes with a comma. Usually there is one.
// Each part has the source key, and each target key is in one part.
func split(item failurequeue.Item, room int) []failurequeue.Item {
	if len(encodeMessage(item))+len(",") <= room {
		return []failurequeue.Item{item}
	}

	var parts []failurequeue.Item
	empty := len(encodeMessage(failurequeue.Item{SourceKey: item.SourceKey})) + len(`"targetKeys":[],,`)
	size, from := empty, 0
	for i, key := range item.TargetKeys {
		keySize := len(encodeMessage(key)) + len(",")
		if size+keySize > room && i > from {
			parts = append(parts, failurequeue.Item{SourceKey: item.SourceKey, TargetKeys: item.TargetKeys[from:i]})
			size, from = empty, i
		}
		size += keySize
	}

	return append(parts, failurequeue.Item{SourceKey: item.SourceKey, TargetKeys: item.TargetKeys[from:]})
}

// roomUntil returns the bytes that a message has for its items when end is their last
// change.
func roomUntil(e *event, m message, end int) int {
	m.LastSequenceNumber = string(e.changes[end].sequenceNumber)
	return maxQueueBytes - sizeWithoutItems(m.Message)
}

// sizeWithoutItems returns the bytes of a message besides its items.
func sizeWithoutItems(m failurequeue.Message) int {
	m.Items = nil
	return len(encodeMessage(m)) + len(`"items":[],`)
}

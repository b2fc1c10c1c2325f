// Package failurequeue defines the message that a reader of a ReplicatedTable's failure
// queue decodes. It imports nothing outside the standard library.
//
// Three kinds of messages arrive in the queue: a [Message] of KindRecord for each record
// that can never be applied, one of KindKeys for items of a target that was set aside, and
// from Lambda's event source mapping the stream position of records that it gave up on, which
// has a member "DDBStreamBatchInfo", and a "version" that is a text.
package failurequeue

import "encoding/json"

// Version is the Version of a [Message]. It changes when a field changes its meaning,
// not when one is added.
const Version = 1

// Kind is what a message is about.
type Kind string

const (
	// KindRecord is one record that can never be applied. Messages of releases before
	// 0.3.0 have no kind, and are of this one.
	KindRecord Kind = "record"
	// KindKeys is the keys of items whose changes were not applied to one target table,
	// because that failed as a whole for longer than its grace time while others did not.
	KindKeys Kind = "keys"
)

// Message is the body of a message in the failure queue, as JSON: what was not applied to
// a target table, and why. Delivery is at least once.
//
// Copies of a message of KindRecord have the same SequenceNumber and TargetTable. That is
// not so for KindKeys: several messages can be about the same changes, each with other
// keys, and after a redelivery the items can be distributed among other messages. Process
// every one: to process one twice is harmless, because it only names keys to look up.
//
// A message has at most 1 MiB. Of KindRecord, parts that do not fit are omitted, and LeftOut
// says so: fetch the record from the stream then, within 24 hours of CreatedAt. Of KindKeys,
// nothing is omitted: what does not fit is in another message.
type Message struct {
	Version int  `json:"version"`
	Kind    Kind `json:"kind,omitempty"`
	// Reason says why, for a person. It may quote the item.
	Reason string `json:"reason"`
	// TargetTable is empty when the record failed for every target.
	TargetTable string `json:"targetTable,omitempty"`
	StreamARN   string `json:"streamArn,omitempty"`
	EventName   string `json:"eventName,omitempty"`
	// SequenceNumber is the position of the record in the stream; of KindKeys, that of the
	// first change of the items.
	SequenceNumber string `json:"sequenceNumber,omitempty"`
	// CreatedAt is the approximate creation time, in seconds since 1970.
	CreatedAt json.RawMessage `json:"createdAt,omitempty"`
	// SourceKey, OldImage and NewImage are items in DynamoDB's JSON.
	SourceKey json.RawMessage `json:"sourceKey,omitempty"`
	OldImage  json.RawMessage `json:"oldImage,omitempty"`
	NewImage  json.RawMessage `json:"newImage,omitempty"`
	// Record is the whole record, when it could not be decoded.
	Record json.RawMessage `json:"record,omitempty"`
	// LeftOut says that OldImage and NewImage, or Record, did not fit. KindKeys never has it.
	LeftOut bool `json:"leftOut,omitempty"`

	// Items are those of KindKeys, and LastSequenceNumber is the position of the last change
	// of any of them.
	Items              []Item `json:"items,omitempty"`
	LastSequenceNumber string `json:"lastSequenceNumber,omitempty"`
}

// Item is one source item of KindKeys: which target items may be wrong because of it.
// Nothing of its images is there, as they may be old: read the source item.
//
// An item with more target keys than fit in a message is in several, with the same
// SourceKey and each with a part of the keys. Each part can be processed by itself. So is
// an item that expired, whose target item was kept, and that came back: once for each life.
type Item struct {
	// SourceKey is the source item's key in DynamoDB's JSON.
	SourceKey json.RawMessage `json:"sourceKey"`
	// TargetKeys are the target keys that the item had before, between and after its
	// changes, or a part of them. There is none when no image had one.
	TargetKeys []TargetKey `json:"targetKeys,omitempty"`
}

// TargetKey is one target key of an item, in DynamoDB's JSON.
type TargetKey struct {
	Key json.RawMessage `json:"key"`
	// Last marks the key of the item's last image. No key is marked when the item was
	// deleted, or had none at last, or when the key is in another part of the item.
	Last bool `json:"last,omitempty"`
}

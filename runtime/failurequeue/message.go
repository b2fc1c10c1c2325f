// Package failurequeue defines the message that a reader of a ReplicatedTable's failure
// queue decodes. It imports nothing outside the standard library.
//
// Two kinds of messages arrive in the queue. A [Message] is about one record that can never
// be applied. A message of Lambda's event source mapping has the stream position of records
// that the mapping has discarded; it has no member "version".
package failurequeue

import "encoding/json"

// Version is the Version of a [Message]. It changes when a field changes its meaning,
// not when one is added.
const Version = 1

// Message is the body of a message in the failure queue, as JSON: one record that can
// never be applied to a target table, and why. Delivery is at least once: copies of a
// message have the same SequenceNumber and TargetTable.
//
// A message has at most 1 MiB. Parts that do not fit are omitted, and LeftOut says so: fetch
// the record from the stream then, within 24 hours of CreatedAt.
type Message struct {
	Version int `json:"version"`
	// Reason says why, in words for a person. It may quote the item.
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
	// Record is the whole record, when it could not be decoded.
	Record json.RawMessage `json:"record,omitempty"`
	// LeftOut says that OldImage and NewImage, or Record, did not fit.
	LeftOut bool `json:"leftOut,omitempty"`
}

package replicator

import "github.com/replicatedtable/cdk-go/internal/dynamodbjson"

// event is the payload of one invocation, decoded. It is valid until the decoder's next
// payload.
type event struct {
	payload dynamodbjson.Payload
	changes []change
}

// What happened to the source item: the event names of a DynamoDB stream.
const (
	insert = "INSERT"
	modify = "MODIFY"
	remove = "REMOVE"
)

// change is one decoded stream record. What it holds are parts of the payload, but for
// the identity of its source item.
type change struct {
	// raw is the whole record as JSON.
	raw []byte
	// sequenceNumber is empty when the record has none.
	sequenceNumber []byte
	eventName      []byte
	// createdAt is the record's creation time in seconds, as JSON.
	createdAt []byte
	// streamARN names the stream that the record came from, viewType what it holds.
	streamARN, viewType []byte
	keys                dynamodbjson.Item
	oldImage            dynamodbjson.Item
	newImage            dynamodbjson.Item
	// source identifies the source item among the changes of a batch. Nil when it is not
	// known.
	source []byte
	// expired says that DynamoDB itself deleted the item, by its time to live.
	expired bool
	// err is why the record could not be decoded. The fields that could be are set.
	err error
}

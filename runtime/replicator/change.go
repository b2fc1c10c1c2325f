package replicator

import (
	"strconv"
	"time"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// event is the payload of one invocation, decoded. It is valid until the decoder's next
// payload.
type event struct {
	payload dynamodbjson.Payload
	changes []change
}

// The event names of a DynamoDB stream.
const (
	insert = "INSERT"
	modify = "MODIFY"
	remove = "REMOVE"
)

// change is one decoded stream record. Its byte slices are parts of the payload, except
// the identity of its source item.
type change struct {
	// raw is the whole record as JSON.
	raw []byte
	// sequenceNumber is empty when the record has none.
	sequenceNumber []byte
	eventName      []byte
	// createdAt is the record's creation time in seconds, as JSON.
	createdAt []byte
	// streamARN names the stream of the record, viewType the images that the stream holds.
	streamARN, viewType []byte
	keys                dynamodbjson.Item
	oldImage            dynamodbjson.Item
	newImage            dynamodbjson.Item
	// source identifies the source item among the changes of a batch. It is nil when the
	// item is not known.
	source []byte
	// expired says that DynamoDB itself deleted the item, by its time to live.
	expired bool
	// versionErr is why no version can be derived from the record.
	versionErr error
	// err is why the record could not be decoded. The fields before the fault are set, and
	// so are those after it that could be read.
	err error
}

// oldest returns the age of the first record, or 0 when it does not say.
func (e *event) oldest() time.Duration {
	seconds, err := strconv.ParseFloat(string(e.changes[0].createdAt), 64)
	if err != nil {
		return 0
	}
	return time.Since(time.UnixMilli(int64(seconds * 1000)))
}

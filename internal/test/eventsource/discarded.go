package eventsource

import (
	"encoding/json"
	"time"
)

// Condition is why records were discarded, in Lambda's words.
type Condition string

// The conditions. The documentation shows the first. Of the second it has no example: its
// name is the one that Lambda uses for asynchronous events.
const (
	RetryAttemptsExhausted Condition = "RetryAttemptsExhausted"
	EventAgeExceeded       Condition = "EventAgeExceeded"
)

// Discarded is the message to the on-failure destination about records that the
// mapping has given up on.
type Discarded struct {
	Condition           Condition
	ShardID             string
	StartSequenceNumber string
	EndSequenceNumber   string
	// First and Last are when the first and the last record were created.
	First, Last time.Time
	// BatchSize is the number of records.
	BatchSize int
	// Payload is the event with the records. Only an S3 bucket gets it: a test
	// whose destination is a queue or a topic must not look at it.
	Payload []byte
}

// Message is the body of the message that a queue gets. Source: AWS Lambda Developer
// Guide, "Retain discarded records for a DynamoDB event source in Lambda".
func (d Discarded) Message(functionARN, streamARN string, now time.Time) []byte {
	type object = map[string]any
	message, err := json.Marshal(object{
		"requestContext": object{
			"requestId": d.StartSequenceNumber, "functionArn": functionARN,
			"condition": d.Condition, "approximateInvokeCount": 1,
		},
		"responseContext": object{"statusCode": 200, "executedVersion": "$LATEST"},
		"version":         "1.0",
		"timestamp":       now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"DDBStreamBatchInfo": object{
			"shardId": d.ShardID, "startSequenceNumber": d.StartSequenceNumber,
			"endSequenceNumber":               d.EndSequenceNumber,
			"approximateArrivalOfFirstRecord": d.First.UTC().Format(time.RFC3339),
			"approximateArrivalOfLastRecord":  d.Last.UTC().Format(time.RFC3339),
			"batchSize":                       d.BatchSize, "streamArn": streamARN,
		},
	})
	if err != nil {
		panic(err) // there are only texts and numbers
	}
	return message
}

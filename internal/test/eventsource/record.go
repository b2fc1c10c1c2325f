package eventsource

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Record is one stream record, with the members that a [Mapping] looks at. A
// test that makes its own records fills them in itself, which spares the parsing.
type Record struct {
	// JSON is the record as Lambda hands it to a function: one element of the
	// event's Records. It is never changed.
	JSON []byte
	// SequenceNumber is what a partial answer names the record by. It need not be
	// a number, but two records of a batch should not share it: the first of them
	// is then the one that is named.
	SequenceNumber string
	// Item tells the source items of a shard apart. Any text will do that is the
	// same for all records of one item: their order is kept.
	Item string
	// Created is when the change was made. A Mapping does not look at it.
	Created time.Time
}

// ParseRecord finds the members of a record in its JSON. A member that is missing
// is left zero, since handlers meet such records too. The error says that the
// JSON is not an object or that a member has the wrong type.
func ParseRecord(record []byte) (Record, error) {
	var body struct {
		DynamoDB struct {
			// ApproximateCreationDateTime is in seconds since 1970.
			ApproximateCreationDateTime float64
			Keys                        map[string]json.RawMessage
			SequenceNumber              string
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(record, &body); err != nil {
		return Record{}, fmt.Errorf("read a stream record: %w", err)
	}
	r := Record{JSON: record, SequenceNumber: body.DynamoDB.SequenceNumber}
	if len(body.DynamoDB.Keys) > 0 {
		// Encoding a map sorts it: the order in which a record lists the key
		// attributes does not matter.
		item, err := json.Marshal(body.DynamoDB.Keys)
		if err != nil {
			return Record{}, fmt.Errorf("read the keys of a stream record: %w", err)
		}
		r.Item = string(item)
	}
	if seconds := body.DynamoDB.ApproximateCreationDateTime; seconds != 0 {
		r.Created = time.UnixMilli(int64(math.Round(seconds * 1000)))
	}
	return r, nil
}

const (
	eventStart = `{"Records":[`
	eventEnd   = `]}`
)

// Event is the payload of one invocation: an event with records, each of them
// JSON as Lambda hands it to a function.
func Event(records ...[]byte) []byte {
	size := len(eventStart) + len(eventEnd)
	for _, r := range records {
		size += len(r) + len(",")
	}
	event := append(make([]byte, 0, size), eventStart...)
	for i, r := range records {
		if i > 0 {
			event = append(event, ',')
		}
		event = append(event, r...)
	}
	return append(event, eventEnd...)
}

// eventOf is the event with the JSON of records.
func eventOf(records []Record) []byte {
	bodies := make([][]byte, len(records))
	for i, r := range records {
		bodies[i] = r.JSON
	}
	return Event(bodies...)
}

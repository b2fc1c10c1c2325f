package eventsource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// records makes one record for each sequence number, each of an item of its own.
func records(sequenceNumbers ...string) []Record {
	made := make([]Record, len(sequenceNumbers))
	for i, n := range sequenceNumbers {
		made[i] = record(n, n)
	}
	return made
}

func record(sequenceNumber, item string) Record {
	return Record{
		JSON:           fmt.Appendf(nil, `{"dynamodb":{"SequenceNumber":%q}}`, sequenceNumber),
		SequenceNumber: sequenceNumber,
		Item:           item,
		Created:        time.Now(),
	}
}

// delivered returns the sequence numbers in an event with records of record. It is
// much faster than a JSON decoder, and the property test calls it for a million of
// them.
func delivered(t *testing.T, event []byte) []string {
	t.Helper()
	const start = `{"dynamodb":{"SequenceNumber":"`
	parts := strings.Split(string(event), start)
	if parts[0] != eventStart {
		t.Fatalf("the event %s", event)
	}
	for i := 1; i < len(parts); i++ {
		number, end, _ := strings.Cut(parts[i], `"}}`)
		if end != "," && (end != eventEnd || i < len(parts)-1) {
			t.Fatalf("record %d of the event %s", i, event)
		}
		parts[i] = number
	}

	return parts[1:]
}

// failed is the answer that reports records.
func failed(sequenceNumbers ...string) string {
	var items []string
	for _, n := range sequenceNumbers {
		items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, n))
	}
	return `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`
}

const throw = "throw"

// script is a handler that gives its answers in turn, then answers that all is
// done. It notes the batches that it gets.
type script struct {
	t       *testing.T
	answers []string
	batches []string
}

func (s *script) handle(_ context.Context, event []byte) ([]byte, error) {
	s.batches = append(s.batches, strings.Join(delivered(s.t, event), " "))
	if len(s.answers) == 0 {
		return nil, nil
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if answer == throw {
		return nil, errors.New("thrown")
	}
	return []byte(answer), nil
}

// oneShard is the shard of the tests that need only one.
func oneShard(records []Record) []Shard { return []Shard{{ID: "shard", Records: records}} }

package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// checkpoint reads an answer as ReportBatchItemFailures has it. It returns the
// index of the first record to redeliver, len(batch) when all are done. An error
// means that the whole batch counts as failed.
func checkpoint(answer []byte, batch []Record) (int, error) {
	switch string(bytes.TrimSpace(answer)) {
	case "", "null", "{}", `""`, "[]":
		return len(batch), nil
	}

	// Maps, because encoding/json matches the names of a struct's fields in any case.
	var response map[string]json.RawMessage
	if err := json.Unmarshal(answer, &response); err != nil {
		return 0, fmt.Errorf("the answer is not a response to a batch: %w", err)
	}
	list, ok := response["batchItemFailures"]
	if !ok {
		return len(batch), nil
	}
	var failures []map[string]json.RawMessage
	if err := json.Unmarshal(list, &failures); err != nil {
		return 0, fmt.Errorf("batchItemFailures is not a list of objects: %w", err)
	}

	named := make(map[string]bool, len(failures))
	for _, f := range failures {
		var identifier string
		if raw, ok := f["itemIdentifier"]; !ok {
			return 0, errors.New("a batch item failure has no itemIdentifier")
		} else if err := json.Unmarshal(raw, &identifier); err != nil {
			return 0, fmt.Errorf("an itemIdentifier is not a string: %w", err)
		}
		if identifier == "" {
			return 0, errors.New("an itemIdentifier is empty")
		}
		named[identifier] = true
	}

	// The records of a batch are in order, so the first that is named has the
	// lowest sequence number.
	lowest := len(batch)
	for i := len(batch) - 1; i >= 0; i-- {
		if named[batch[i].SequenceNumber] {
			lowest = i
		}
	}
	for _, r := range batch[lowest:] {
		delete(named, r.SequenceNumber)
	}
	for identifier := range named {
		return 0, fmt.Errorf("the itemIdentifier %q is not in the batch", identifier)
	}

	return lowest, nil
}

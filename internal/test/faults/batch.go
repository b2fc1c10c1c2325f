package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// tableWrites are the writes of a BatchWriteItem by table.
type tableWrites map[string][]json.RawMessage

// tableWrite is one write of a BatchWriteItem.
type tableWrite struct {
	table string
	write json.RawMessage
}

// list returns the writes in the same order every time.
func (w tableWrites) list() []tableWrite {
	var list []tableWrite
	for _, table := range slices.Sorted(maps.Keys(w)) {
		for _, write := range w[table] {
			list = append(list, tableWrite{table, write})
		}
	}

	return list
}

// writes returns what the writes put and delete, in the order of list.
func (w tableWrites) writes() ([]Write, error) {
	var writes []Write
	for _, w := range w.list() {
		var one struct {
			PutRequest    *struct{ Item json.RawMessage }
			DeleteRequest struct{ Key json.RawMessage }
		}
		if err := json.Unmarshal(w.write, &one); err != nil {
			return nil, fmt.Errorf("faults: a write of BatchWriteItem: %w", err)
		}
		if one.PutRequest != nil {
			writes = append(writes, Write{w.table, true, one.PutRequest.Item})
		} else {
			writes = append(writes, Write{w.table, false, one.DeleteRequest.Key})
		}
	}

	return writes, nil
}

// addTo adds the writes to the unprocessed ones of a BatchWriteItem's answer.
func (w tableWrites) addTo(answer []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	var present struct{ UnprocessedItems tableWrites }
	if err := errors.Join(json.Unmarshal(answer, &members), json.Unmarshal(answer, &present)); err != nil {
		return nil, fmt.Errorf("faults: the answer of BatchWriteItem: %w", err)
	}
	for table, writes := range present.UnprocessedItems {
		w[table] = append(w[table], writes...)
	}
	members["UnprocessedItems"] = mustJSON(w)

	return json.Marshal(members)
}

// split returns the body of a BatchWriteItem without the chosen writes, nil when
// none is left, and the chosen writes. chosen is in the order of writes.
func (q *request) split(chosen []bool) (kept []byte, left tableWrites, err error) {
	var members map[string]json.RawMessage
	var input struct{ RequestItems tableWrites }
	if err := errors.Join(json.Unmarshal(q.body, &members), json.Unmarshal(q.body, &input)); err != nil {
		return nil, nil, fmt.Errorf("faults: the body of BatchWriteItem: %w", err)
	}

	keep, left := tableWrites{}, tableWrites{}
	for n, w := range input.RequestItems.list() {
		to := keep
		if chosen[n] {
			to = left
		}
		to[w.table] = append(to[w.table], w.write)
	}
	if len(keep) == 0 {
		return nil, left, nil
	}

	members["RequestItems"] = mustJSON(keep)
	kept, err = json.Marshal(members)

	return kept, left, err
}

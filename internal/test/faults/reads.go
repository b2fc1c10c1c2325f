package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// tableReads are the tables of a BatchGetItem, with the members of each.
type tableReads map[string]map[string]json.RawMessage

// keys returns the keys of a BatchGetItem, in the same order every time.
func (q *request) keys() ([]Write, error) {
	_, reads, err := q.readReads()
	if err != nil {
		return nil, err
	}
	var keys []Write
	for _, table := range slices.Sorted(maps.Keys(reads)) {
		var of []json.RawMessage
		if err := json.Unmarshal(reads[table]["Keys"], &of); err != nil {
			return nil, fmt.Errorf("faults: the keys of BatchGetItem: %w", err)
		}
		for _, key := range of {
			keys = append(keys, Write{table, false, key})
		}
	}

	return keys, nil
}

func (q *request) readReads() (members map[string]json.RawMessage, reads tableReads, err error) {
	var input struct{ RequestItems tableReads }
	if err := errors.Join(json.Unmarshal(q.body, &members), json.Unmarshal(q.body, &input)); err != nil {
		return nil, nil, fmt.Errorf("faults: the body of BatchGetItem: %w", err)
	}

	return members, input.RequestItems, nil
}

// with returns the tables with only those of their keys whose choice is this one.
func (r tableReads) with(keys []Write, chosen []bool, choice bool) tableReads {
	kept := map[string][]json.RawMessage{}
	for n, key := range keys {
		if chosen[n] == choice {
			kept[key.Table] = append(kept[key.Table], key.Attributes)
		}
	}
	reads := tableReads{}
	for table, keys := range kept {
		reads[table] = maps.Clone(r[table])
		reads[table]["Keys"] = mustJSON(keys)
	}

	return reads
}

// readWithout executes a BatchGetItem without the chosen keys and adds these to the unprocessed
// ones of the answer.
func (i *Injector) readWithout(q *request, chosen []bool) (*http.Response, error) {
	members, reads, err := q.readReads()
	if err != nil {
		return nil, err
	}
	keys, err := q.keys()
	if err != nil {
		return nil, err
	}
	kept, left := reads.with(keys, chosen, false), reads.with(keys, chosen, true)
	if len(kept) == 0 {
		return q.respond(http.StatusOK, fmt.Appendf(nil, `{"Responses":{},"UnprocessedKeys":%s}`, mustJSON(left))), nil
	}

	members["RequestItems"] = mustJSON(kept)
	response, err := i.execute(q, mustJSON(members))
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	var answer map[string]json.RawMessage
	var present struct{ UnprocessedKeys tableReads }
	text, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close(), json.Unmarshal(text, &answer), json.Unmarshal(text, &present))
	if err != nil {
		return nil, fmt.Errorf("faults: the answer of BatchGetItem: %w", err)
	}
	if len(present.UnprocessedKeys) > 0 {
		return nil, errors.New("faults: the engine has left keys of BatchGetItem, and so has the injector")
	}
	answer["UnprocessedKeys"] = mustJSON(left)

	return q.respond(http.StatusOK, mustJSON(answer)), nil
}

// mustJSON returns the JSON of what was read from JSON.
func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("faults: what was JSON: %v", err))
	}

	return text
}

package memorydb

import (
	"fmt"
	"strings"
)

// maxBatchKeys is the highest number of keys of a BatchGetItem call. Source: DynamoDB API
// Reference, BatchGetItem.
const maxBatchKeys = 100

// keysRequest is the keys to read of one table.
type keysRequest struct {
	keys       []attributes
	consistent bool
	projection string
	names      conditional // for its names
}

// batchGetItem reads items of one or more tables. It knows projections of whole attributes
// by placeholders.
func (db *DB) batchGetItem(request []byte) ([]byte, error) {
	var requests object
	err := decode(request, members{"RequestItems": func(v any) error {
		var ok bool
		if requests, ok = v.(object); !ok {
			return malformed("RequestItems is not an object")
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	if len(requests) == 0 {
		return nil, invalid("The batch get request list for a table cannot be null or empty")
	}

	answers, keys := make([]string, len(requests)), 0
	for i, m := range requests {
		q, err := readKeysRequest(m.value)
		if err != nil {
			return nil, err
		}
		keys += len(q.keys)
		items, err := db.getKeys(m.name, q)
		if err != nil {
			return nil, err
		}
		answers[i] = fmt.Sprintf("%s:[%s]", appendQuoted(nil, m.name), strings.Join(items, ","))
	}
	if keys > maxBatchKeys {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}

	return fmt.Appendf(nil, `{"Responses":{%s},"UnprocessedKeys":{}}`, strings.Join(answers, ",")), nil
}

func readKeysRequest(v any) (keysRequest, error) {
	var q keysRequest
	err := members{
		"Keys": func(v any) error {
			list, ok := v.([]any)
			if !ok {
				return malformed("Keys is not a list")
			}
			q.keys = make([]attributes, len(list))
			for i, v := range list {
				var err error
				if q.keys[i], err = readAttributes(v, 1); err != nil {
					return err
				}
			}
			return nil
		},
		"ConsistentRead":           &q.consistent,
		"ProjectionExpression":     &q.projection,
		"ExpressionAttributeNames": func(v any) error { return q.names.readNames(v) },
	}.read(v)

	return q, err
}

// getKeys returns the items of one table that exist, as JSON.
func (db *DB) getKeys(name string, q keysRequest) ([]string, error) {
	if len(q.keys) == 0 || len(q.keys) > maxBatchKeys {
		return nil, invalid("The list of keys of %s has %d keys, not 1 to %d", name, len(q.keys), maxBatchKeys)
	}
	t, err := db.table(name)
	if err != nil {
		return nil, err
	}

	var items []string
	identities := map[string]bool{}
	for _, key := range q.keys {
		identity, err := t.checkKey(key)
		if err != nil {
			return nil, err
		}
		if identities[identity] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		identities[identity] = true
		if found, ok := t.items[identity]; ok {
			projected, err := q.project(found.attributes)
			if err != nil {
				return nil, err
			}
			items = append(items, string(projected.append(nil)))
		}
	}

	return items, nil
}

// project returns the attributes that the projection names, all without one.
func (q keysRequest) project(item attributes) (attributes, error) {
	if q.projection == "" {
		return item, nil
	}
	projected := attributes{}
	for placeholder := range strings.SplitSeq(q.projection, ",") {
		name, defined := q.names.names[placeholder]
		if !defined {
			return nil, invalid("Invalid ProjectionExpression: %s is not defined", placeholder)
		}
		if v, found := item.find(name); found {
			projected = projected.with(name, *v)
		}
	}

	return projected, nil
}

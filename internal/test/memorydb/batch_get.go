package memorydb

import (
	"fmt"
	"strings"
)

// Limits of one BatchGetItem call. Source: DynamoDB API Reference, BatchGetItem.
const (
	maxBatchKeys      = 100
	maxBatchReadBytes = 16 << 20 // what it does not read for that is unprocessed
)

// keysRequest is the keys to read of one table.
type keysRequest struct {
	table      string
	keys       []attributes
	consistent bool
	projection projection

	// What follows is set by the checks.

	of         *table
	identities []string
	names      []string
}

// batchGetItem reads items of one or more tables.
func (db *DB) batchGetItem(request []byte) ([]byte, error) {
	var (
		requests object
		c        consumption
	)
	err := decode(request, c.with(members{"RequestItems": func(v any) error {
		var ok bool
		if requests, ok = v.(object); !ok {
			return malformed("RequestItems is not an object")
		}
		return nil
	}}))
	if err != nil {
		return nil, err
	}
	if len(requests) == 0 {
		return nil, invalid("The batch get request list for a table cannot be null or empty")
	}

	reads, keys := make([]*keysRequest, len(requests)), 0
	for i, m := range requests {
		if reads[i], err = db.checkKeys(m.name, m.value); err != nil {
			return nil, err
		}
		keys += len(reads[i].keys)
	}
	if keys > maxBatchKeys {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}

	var answers, unprocessed []string
	var used []consumed
	size := 0
	for _, q := range reads {
		items, units, left := q.read(&size)
		answers = append(answers, fmt.Sprintf("%s:[%s]", appendQuoted(nil, q.table), strings.Join(items, ",")))
		used = append(used, consumed{table: q.table, units: units})
		if len(left) > 0 {
			unprocessed = append(unprocessed, q.without(left))
		}
	}

	return answer(fmt.Sprintf(`"Responses":{%s},"UnprocessedKeys":{%s}`, strings.Join(answers, ","),
		strings.Join(unprocessed, ",")), c.list(used)), nil
}

// checkKeys reads and checks the keys of one table.
func (db *DB) checkKeys(name string, v any) (*keysRequest, error) {
	q := &keysRequest{table: name}
	err := q.projection.with(members{
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
		"ConsistentRead": &q.consistent,
	}).read(v)
	if err != nil {
		return nil, err
	}
	if q.names, err = q.projection.attributes(); err != nil {
		return nil, err
	}
	if len(q.keys) == 0 || len(q.keys) > maxBatchKeys {
		return nil, invalid("The list of keys of %s has %d keys, not 1 to %d", name, len(q.keys), maxBatchKeys)
	}
	if q.of, err = db.table(name); err != nil {
		return nil, err
	}

	found := map[string]bool{}
	for _, key := range q.keys {
		identity, err := q.of.checkKey(key)
		if err != nil {
			return nil, err
		}
		if found[identity] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		found[identity] = true
		q.identities = append(q.identities, identity)
	}

	return q, nil
}

// read returns the items that exist, as JSON, their read units, and the keys for which the
// answer is full; size is that of the items in the answer. The order is not that of the keys, because
// DynamoDB promises none.
func (q *keysRequest) read(size *int) (items []string, units float64, left []attributes) {
	for i := len(q.keys) - 1; i >= 0; i-- {
		found, exists := q.of.items[q.identities[i]]
		if *size+found.size > maxBatchReadBytes {
			left = append(left, q.keys[i])
			continue
		}
		*size += found.size
		units += readUnits(found.size, q.consistent)
		if exists {
			items = append(items, found.project(q.names))
		}
	}

	return items, units, left
}

// without returns the member of UnprocessedKeys with the keys that are left.
func (q *keysRequest) without(left []attributes) string {
	keys := make([]string, len(left))
	for i := range left {
		keys[i] = string(left[i].append(nil))
	}
	text := fmt.Sprintf(`%s:{"ConsistentRead":%t,"Keys":[%s]`, appendQuoted(nil, q.table), q.consistent,
		strings.Join(keys, ","))
	if q.projection.expression != nil {
		var names []string
		for placeholder, name := range q.projection.names {
			names = append(names, fmt.Sprintf("%s:%s", appendQuoted(nil, placeholder), appendQuoted(nil, name)))
		}
		text += fmt.Sprintf(`,"ProjectionExpression":%s,"ExpressionAttributeNames":{%s}`,
			appendQuoted(nil, *q.projection.expression), strings.Join(names, ","))
	}

	return text + "}"
}

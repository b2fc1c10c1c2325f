package memorydb

import (
	"encoding/binary"
	"slices"
)

// Limits of items and keys, in bytes. Source: DynamoDB Developer Guide, "Quotas".
const (
	maxItem         = 400 << 10 // attribute names included
	maxPartitionKey = 2048
	maxSortKey      = 1024
)

// writeUnit is how much of an item one write unit covers, in bytes. Source: DynamoDB
// Developer Guide, "DynamoDB read and write operations".
const writeUnit = 1 << 10

// table is the items under one key schema.
type table struct {
	keys  []keyAttribute // the partition key, then the sort key if there is one
	items map[string]item
	units int // written so far
}

type keyAttribute struct {
	name string
	typ  string // "S", "N" or "B"
	max  int    // bytes
}

// item is one stored item.
type item struct {
	attributes attributes
	size       int
	json       string // canonical
}

// write is one put or delete after all checks.
type write struct {
	table    *table
	identity string
	put      attributes // nil: delete
	size     int        // of put
}

func (w write) apply() {
	w.table.units += max(1, units(w.size), units(w.table.items[w.identity].size))
	if w.put == nil {
		delete(w.table.items, w.identity)
		return
	}
	w.table.items[w.identity] = item{w.put, w.size, string(w.put.append(nil))}
}

func units(size int) int { return (size + writeUnit - 1) / writeUnit }

// applyIf applies the write when the item, as it is, meets the condition.
func (w write) applyIf(condition func(attributes) bool) error {
	if !condition(w.table.items[w.identity].attributes) {
		return refuse(conditionalCheckFailedException, "The conditional request failed")
	}
	w.apply()

	return nil
}

// checkPut returns the write that puts an item, nil when the request has none.
func (t *table) checkPut(put attributes) (write, error) {
	if put == nil {
		return write{}, missing("item")
	}
	for _, key := range t.keys {
		v, found := put.find(key.name)
		if !found {
			return write{}, invalid("One or more parameter values were invalid: "+
				"Missing the key %s in the item", key.name)
		}
		if v.typ != key.typ {
			return write{}, invalid("One or more parameter values were invalid: "+
				"Type mismatch for key %s expected: %s actual: %s", key.name, key.typ, v.typ)
		}
	}
	identity, err := t.identity(put)
	if err != nil {
		return write{}, err
	}
	size := put.size()
	if size > maxItem {
		return write{}, invalid("Item size has exceeded the maximum allowed size")
	}

	return write{t, identity, put, size}, nil
}

// checkDelete returns the write that deletes the item with a key.
func (t *table) checkDelete(key attributes) (write, error) {
	identity, err := t.checkKey(key)
	return write{table: t, identity: identity}, err
}

// checkKey returns the identity of the item with a key, nil when the request has
// none.
func (t *table) checkKey(key attributes) (string, error) {
	if key == nil {
		return "", missing("key")
	}
	matches := len(key) == len(t.keys)
	for _, k := range t.keys {
		v, found := key.find(k.name)
		matches = matches && found && v.typ == k.typ
	}
	if !matches {
		return "", invalid("The provided key element does not match the schema")
	}

	return t.identity(key)
}

// identity tells items apart: equal keys have equal identities. The attributes
// contain all key attributes, with the right types.
func (t *table) identity(of attributes) (string, error) {
	var identity []byte
	for _, key := range t.keys {
		v, _ := of.find(key.name)
		if v.text == "" {
			return "", invalid("One or more parameter values are not valid. The AttributeValue for a key attribute "+
				"cannot contain an empty string or binary value. Key: %s", key.name)
		}
		if v.typ != "N" && len(v.text) > key.max {
			return "", invalid("One or more parameter values were invalid: "+
				"Size of key %s has exceeded the maximum size limit of %d bytes", key.name, key.max)
		}
		identity = binary.AppendUvarint(identity, uint64(len(v.text)))
		identity = append(identity, v.text...)
	}

	return string(identity), nil
}

// list returns the canonical JSON of all items, sorted as text.
func (t *table) list() []string {
	list := make([]string, 0, len(t.items))
	for _, item := range t.items {
		list = append(list, item.json)
	}
	slices.Sort(list)

	return list
}

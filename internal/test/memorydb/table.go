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

// table is the items under one key schema.
type table struct {
	keys  []keyAttribute // the partition key, then the sort key if there is one
	items map[string]item
	units int // written so far
	// order holds the positions of the items as they were at the last scan, added those of
	// the ones that were added since.
	order, added []position
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

// stored returns the item as it is, an empty one when there is none.
func (w write) stored() item { return w.table.items[w.identity] }

// units returns the write units: those of the old or the new item, of the larger one.
func (w write) units() int { return units(max(w.size, w.stored().size), writeUnit) }

// apply applies the write and returns its write units.
func (w write) apply() int {
	t, used := w.table, w.units()
	t.units += used
	if w.put == nil {
		delete(t.items, w.identity)
		return used
	}
	if _, exists := t.items[w.identity]; !exists {
		t.added = append(t.added, t.position(w.put, w.identity))
	}
	t.items[w.identity] = item{w.put, w.size, string(w.put.append(nil))}

	return used
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
			return write{}, mismatch("One or more parameter values were invalid: "+
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
	const differs = "The provided key element does not match the schema"
	for _, k := range t.keys {
		v, found := key.find(k.name)
		switch {
		case !found || len(key) != len(t.keys):
			return "", invalid(differs)
		case v.typ != k.typ:
			return "", mismatch(differs)
		}
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

// keyOf returns the key of an item.
func (t *table) keyOf(item attributes) attributes {
	var key attributes
	for _, k := range t.keys {
		v, _ := item.find(k.name)
		key = key.with(k.name, *v)
	}

	return key
}

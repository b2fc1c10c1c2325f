package reconciler

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// key is the key of an item.
type key struct {
	// identity is the same for equal keys of one table.
	identity string
	// json is the key as a JSON object.
	json []byte
}

// keyOf returns the key of an item of t, or of another item with t's key attributes.
func (t *table) keyOf(p *dynamodbjson.Payload, item dynamodbjson.Item) (key, error) {
	identity, err := mapping.Identify(nil, t.key, p, item)
	if err != nil {
		return key{}, err
	}

	return key{string(identity), append(mapping.AppendKeyOf([]byte{'{'}, t.key, p, item), '}')}, nil
}

// keyFor returns the key of a target item that exists.
func (t *target) keyFor(item *mapping.TargetItem) key {
	return key{string(item.Key), append(t.mapping.AppendKey([]byte{'{'}, item), '}')}
}

// parseKey reads a key of t.
func (t *table) parseKey(text json.RawMessage) (key, error) {
	var p dynamodbjson.Payload
	var r dynamodbjson.Reader
	p.Reset(bytes.Clone(text))
	r.Reset(&p)
	item, err := r.Item()
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return key{}, fmt.Errorf("a key of table %s cannot be read: %w", t.name, err)
	}
	k, err := t.keyOf(&p, item)
	if err != nil {
		return key{}, fmt.Errorf("it is not a key of table %s: %w", t.name, err)
	}

	return k, nil
}

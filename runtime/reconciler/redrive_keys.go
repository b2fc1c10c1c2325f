package reconciler

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// errNotReadable says that something is not a record of the source table.
var errNotReadable = errors.New("it is not a record of the source table")

// streamRecord is what redrive reads of a stream record.
type streamRecord struct {
	EventName    string
	UserIdentity struct{ PrincipalID string }
	DynamoDB     struct {
		Keys, OldImage, NewImage    json.RawMessage
		ApproximateCreationDateTime json.RawMessage
	}
}

// recordKeys collects the target keys that the images of records had, by source item. It keeps no
// image.
type recordKeys struct {
	source  *table
	on      []*target
	mapper  mapping.Mapper
	payload dynamodbjson.Payload
	reader  dynamodbjson.Reader

	items map[string]*recordItem // by the identity of the source key
	order []string
	// oldest is the earliest time of a record.
	oldest time.Time
}

// recordItem is one source item.
type recordItem struct {
	sourceKey json.RawMessage
	targets   []imageKeys // in the order of recordKeys.on
}

// imageKeys are the target keys that the images of one item had in one target.
type imageKeys struct {
	list []key
	// last is the identity of the last image's, empty if that had none.
	last string
}

// newKeys collects keys for some targets.
func (d *redrive) newKeys(targets []*target) *recordKeys {
	return &recordKeys{source: d.source, on: targets, items: map[string]*recordItem{}}
}

// addJSON adds a record as DynamoDB Streams writes it.
func (k *recordKeys) addJSON(text json.RawMessage) error {
	var r streamRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return errNotReadable
	}
	return k.add(&r)
}

// add adds a record. Records of one item are added in their order.
func (k *recordKeys) add(r *streamRecord) error {
	source, err := k.source.parseKey(r.DynamoDB.Keys)
	if err != nil {
		return errNotReadable
	}
	item := k.items[source.identity]
	if item == nil {
		item = &recordItem{sourceKey: source.json, targets: make([]imageKeys, len(k.on))}
		k.items[source.identity], k.order = item, append(k.order, source.identity)
	}
	if at := createdAt(r.DynamoDB.ApproximateCreationDateTime); k.oldest.IsZero() || at.Before(k.oldest) {
		k.oldest = at
	}

	for i, t := range k.on {
		old, oldErr := k.targetKey(t, r.DynamoDB.OldImage)
		last, lastErr := k.targetKey(t, r.DynamoDB.NewImage)
		if oldErr != nil || lastErr != nil {
			return errNotReadable
		}
		expired := r.EventName == "REMOVE" && r.UserIdentity.PrincipalID == mapping.TimeToLive
		item.targets[i].see(old, last, expired && t.mapping.KeepExpired)
	}

	return nil
}

// see adds the keys of an old and a new image, nil if they have none. The key of an item that expired
// and is kept is no longer one that may be wrong.
func (t *imageKeys) see(old, last *key, kept bool) {
	t.last = ""
	if old != nil && kept {
		t.list = slices.DeleteFunc(t.list, func(k key) bool { return k.identity == old.identity })
		return
	}

	for _, k := range []*key{old, last} {
		if k != nil && !slices.ContainsFunc(t.list, func(known key) bool { return known.identity == k.identity }) {
			t.list = append(t.list, *k)
		}
	}
	if last != nil {
		t.last = last.identity
	}
}

// work returns the items with their keys.
func (k *recordKeys) work() []itemWork {
	var all []itemWork
	for _, id := range k.order {
		item := k.items[id]
		w := itemWork{sourceKey: item.sourceKey}
		for i, t := range item.targets {
			for _, found := range t.list {
				w.also = append(w.also, Key{
					TargetTable: k.on[i].name, Key: found.json, Last: found.identity == t.last,
				})
			}
		}
		all = append(all, w)
	}

	return all
}

// targetKey returns the target key of an image, nil when it has none.
func (k *recordKeys) targetKey(t *target, image json.RawMessage) (*key, error) {
	if len(image) == 0 {
		return nil, nil
	}
	k.payload.Reset(image)
	k.reader.Reset(&k.payload)
	item, err := k.reader.OptionalItem()
	if err := errors.Join(err, k.reader.End()); err != nil {
		return nil, err
	}

	var mapped mapping.TargetItem
	k.mapper.Reset()
	k.mapper.Map(&mapped, &t.mapping, &k.payload, &item)
	if !mapped.Exists() {
		return nil, nil // also an image that cannot be mapped: it had no target item
	}
	found := t.keyFor(&mapped)

	return &found, nil
}

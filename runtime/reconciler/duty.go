package reconciler

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// duty is what an effort has to do in one target. A source item has a set of target items there: one or
// none.
type duty struct {
	target *target
	also   []alsoKey

	// outcome is the worst that was found in this attempt; wrote says that an earlier one has written.
	outcome Outcome
	wrote   bool
	reason  string
	// refused is why the table refuses the target item; nil when it does not.
	refused *refusal

	want []mapping.TargetItem
}

// refusal is why a table refuses an item.
type refusal struct {
	text string
	// of is the digest of the source item whose target item it was.
	of uint64
	// isTable says that the table may be wrong, and not the item.
	isTable bool
}

// maxRefusedInRow is how many items a table may refuse in a row for a reason that is not known, until
// the table counts as wrong: as many as for the function that applies the stream.
const maxRefusedInRow = 25

// refuse notes that the table has refused a state of the item.
func (d *duty) refuse(why dynamodberror.Reason, text string, digest uint64) {
	isTable := why == dynamodberror.AboutIndexKeyType || why == dynamodberror.AboutIndexKeySize
	if why == dynamodberror.AboutUnknown {
		isTable = d.target.refusedInRow.Add(1) > maxRefusedInRow
	}
	d.refused = &refusal{text, digest, isTable}
}

var digestSeed = maphash.MakeSeed()

// digest is the same for the same item, in whatever order its attributes are.
func (s stored) digest() (sum uint64) {
	if !s.exists() {
		return 0
	}
	members := s.in.Members(s.item)
	for i := range members {
		sum += maphash.Bytes(digestSeed, s.in.Raw(&members[i]))
	}
	return sum
}

// derive derives what the target should have of a source item.
func (d *duty) derive(mapper *mapping.Mapper, source stored) {
	d.want, d.outcome, d.reason = nil, Right, ""
	if d.refused != nil && d.refused.of != source.digest() {
		d.refused = nil // it was another state of the item
	}
	item := mapping.TargetItem{}
	if source.exists() {
		mapper.Map(&item, &d.target.mapping, source.in, &source.item)
	}
	switch {
	case item.Err != nil:
		d.outcome, d.reason = Unmappable, item.Err.Error()
	case item.Exists() && d.refused != nil && d.refused.isTable:
		// A secondary index of another type refuses all items: each would be deleted.
		d.outcome, d.reason = Refused, d.refused.text
	case item.Exists() && d.refused != nil:
		d.outcome, d.reason = Unmappable, d.refused.text
		// When the item changes, is put by the stream, and expires, before the next attempt, it is kept.
		d.also = appendKey(d.also, alsoKey{target: d.target, key: d.target.keyFor(&item), last: true})
	case item.Exists():
		d.want = append(d.want, item)
	}
}

// appendKey appends a key that is not among keys.
func appendKey(keys []alsoKey, k alsoKey) []alsoKey {
	for i := range keys {
		if keys[i].identity == k.identity {
			keys[i].last, keys[i].put = keys[i].last || k.last, keys[i].put || k.put
			return keys
		}
	}
	return append(keys, k)
}

// decide reads the target items, and returns what to write.
func (d *duty) decide(ctx context.Context, e *effort, source stored) (actions []*action, err error) {
	var keys []key
	for i := range d.want {
		keys = append(keys, d.target.keyFor(&d.want[i]))
	}
	for _, a := range d.also {
		keys = append(keys, a.key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := e.lookup(ctx, &d.target.table, keys...)
	if err != nil {
		return nil, err
	}

	for i := range d.want {
		a, err := d.put(ctx, e, source, &d.want[i], found[string(d.want[i].Key)])
		if err != nil {
			return nil, err
		}
		if a != nil {
			actions = append(actions, a)
		}
	}
	for _, a := range d.also {
		wanted := slices.ContainsFunc(d.want, func(w mapping.TargetItem) bool { return string(w.Key) == a.identity })
		have := found[a.identity]
		if wanted || !have.exists() || !e.owns(have) || d.outcome == Refused && !a.put {
			continue
		}
		if a.last && d.target.mapping.KeepExpired && !source.exists() {
			d.outcome = Kept
			continue
		}
		actions = append(actions, d.remove(e, a.key, have))
	}

	return actions, nil
}

// put returns the action that puts a target item where have is, or nil when that is not needed, or
// not allowed.
func (d *duty) put(
	ctx context.Context, e *effort, source stored, item *mapping.TargetItem, have stored,
) (*action, error) {
	t := d.target
	version := mapping.LowestVersion()
	var other *foreign
	switch {
	case !have.exists():
	case e.owns(have):
		if t.mapping.Equal(source.in, item, have.in, have.item) {
			return nil, nil
		}
		if found, ok := t.mapping.ReadVersion(t.mapping.StoredVersion(have.in, have.item)); ok {
			version = found
		}
	default:
		var err error
		if other, err = d.foreign(ctx, e, item, have); err != nil {
			return nil, err
		}
		// An owner that does not map there may have expired, and its item is kept.
		if other != nil && (other.mapsThere || t.mapping.KeepExpired) {
			d.outcome = Collision
			return nil, nil
		}
		version = replacing(t.mapping.ReadVersion(t.mapping.StoredVersion(have.in, have.item)))
	}

	shape := t.shapeOf(source.in, item)
	body := append([]byte(nil), `{"Put":{"TableName":`...)
	body = dynamodbjson.AppendQuoted(body, t.name)
	body = append(body, `,"Item":`...)
	body = t.appendItem(body, source.in, item, version, shape)
	body = t.asRead(have, e.r.source.key).append(body)
	body = append(body, `}}`...)

	return &action{duty: d, put: true, body: body, foreign: other}, nil
}

// remove returns the action that deletes a target item of the effort's source item.
func (d *duty) remove(e *effort, k key, have stored) *action {
	body := append([]byte(nil), `{"Delete":{"TableName":`...)
	body = dynamodbjson.AppendQuoted(body, d.target.name)
	body = append(body, `,"Key":`...)
	body = append(body, k.json...)
	body = d.target.asRead(have, e.r.source.key).append(body)
	body = append(body, `}}`...)

	return &action{duty: d, body: body}
}

// foreign is another source item that has a target key.
type foreign struct {
	key       key
	item      stored
	mapsThere bool
}

// foreign reads the owner of a target item that is not the effort's. It returns nil when nothing else
// can map there, or the item names no owner.
func (d *duty) foreign(ctx context.Context, e *effort, item *mapping.TargetItem, have stored) (*foreign, error) {
	owner, ok := e.r.owner(have)
	if !d.target.mapping.Collisions || !ok {
		return nil, nil
	}
	found, err := e.lookup(ctx, e.r.source, owner)
	if err != nil {
		return nil, err
	}

	f := &foreign{key: owner, item: found[owner.identity]}
	if f.item.exists() {
		var mapper mapping.Mapper
		var other mapping.TargetItem
		mapper.Map(&other, &d.target.mapping, f.item.in, &f.item.item)
		f.mapsThere = other.Exists() && string(other.Key) == string(item.Key)
	}

	return f, nil
}

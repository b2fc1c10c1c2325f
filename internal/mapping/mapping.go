package mapping

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// TimeToLive is the principal that deletes expired items. Source: Amazon DynamoDB Developer
// Guide, "DynamoDB Streams and Time to Live".
const TimeToLive = "dynamodb.amazonaws.com"

// Mapping says how the items of one target table are derived from those of the source
// table.
type Mapping struct {
	TableName string
	// Key and SourceKey are the key attributes of the target and the source table.
	Key, SourceKey []KeyAttribute
	// VersionAttribute is set when writes are guarded by a version.
	VersionAttribute string
	// Collisions says that two source items can have one target key.
	Collisions bool
	// KeepExpired says that a target item stays when its source item expires.
	KeepExpired bool

	filter     *condition
	projection spec.ProjectionType
	// listed are the names that the projection lists: those that EXCLUDE drops, or else
	// those that are carried.
	listed  names
	renamed map[string]newName
	// reserved are the names in a target item that already have an owner.
	reserved []reservedName
}

// New returns the mapping of one target of a spec that has no problems.
func New(source spec.KeySchema, t spec.Target) Mapping {
	m := Mapping{
		TableName:        t.TableName,
		Key:              keyAttributes(t.KeySchema, t.KeySource),
		SourceKey:        SourceKey(source),
		VersionAttribute: t.VersionAttribute,
		Collisions:       t.OnKeyCollision != "",
		KeepExpired:      t.ExpiredItems == spec.KeepExpired,
		projection:       t.Projection.Type,
		renamed:          map[string]newName{},
	}

	for _, name := range t.Projection.Attributes {
		m.listed.add(name)
	}
	m.reserve(t)
	if t.Filter != nil {
		filter := newCondition(*t.Filter)
		m.filter = &filter
	}

	return m
}

// newName is the name of a renamed attribute. head is the name as JSON, with the colon.
type newName struct {
	name []byte
	head string
}

// reservedName is a name in a target item that only its owner can have: the source
// attribute called from, or when from is empty, an attribute of every target item.
type reservedName struct {
	name, from string
	// owner describes the owner in an error.
	owner string
}

// reserve collects the names in a target item that already have an owner.
func (m *Mapping) reserve(t spec.Target) {
	add := func(name, from, owner string) { m.reserved = append(m.reserved, reservedName{name, from, owner}) }

	for _, k := range slices.Concat(m.SourceKey, m.Key) {
		if k.derived {
			add(k.Name, "", "also the name of a target key attribute that is derived from others: "+
				"choose another name for that one, or exclude this one with Projection")
		} else if t.Projection.Type != spec.Exclude {
			m.listed.add(k.Name)
		}
	}

	for _, from := range slices.Sorted(maps.Keys(t.Projection.Renames)) {
		to := t.Projection.Renames[from]
		m.renamed[from] = newName{[]byte(to), dynamodbjson.Quote(to) + ":"}
		add(to, from, "also the new name of another attribute: choose another one in Projection.Renames")
	}

	if t.VersionAttribute != "" {
		add(t.VersionAttribute, "", "the target table's version attribute: choose another VersionAttribute")
	}
}

// Carries reports whether a target item has the attribute called name.
func (m *Mapping) Carries(name []byte) bool {
	if m.projection == spec.All {
		return true
	}
	return m.listed.contain(name) != (m.projection == spec.Exclude)
}

// conflict returns an error when the target item would have two attributes of one name.
func (m *Mapping) conflict(p *dynamodbjson.Payload, item dynamodbjson.Item) error {
	for i := range m.reserved {
		name, from := m.reserved[i].name, m.reserved[i].from
		if p.Find(item, name) == nil || !m.Carries([]byte(name)) || from != "" && p.Find(item, from) == nil {
			continue
		}

		if _, renamed := m.renamed[name]; !renamed {
			return fmt.Errorf("the source item has an attribute %q, which is %s", name, m.reserved[i].owner)
		}
	}

	return nil
}

// Same reports whether two target items of one mapping are the same. A false answer may be
// wrong: a set with its elements in another order counts as changed, and so does a large
// item with its attributes in another order. That costs a write and loses nothing.
func (m *Mapping) Same(p *dynamodbjson.Payload, a, b *TargetItem) bool {
	if !a.Exists() || !b.Exists() {
		return !a.Exists() && !b.Exists()
	}
	return bytes.Equal(a.Key, b.Key) && m.within(p, *a.source, *b.source) && m.within(p, *b.source, *a.source)
}

// within reports whether b has every carried attribute of a unchanged. A false answer may
// be wrong: FindNear can miss an attribute.
func (m *Mapping) within(p *dynamodbjson.Payload, a, b dynamodbjson.Item) bool {
	members := p.Members(a)
	for i := range members {
		name := p.Name(&members[i])
		if !m.Carries(name) {
			continue
		}

		other := p.FindNear(b, i, name)
		if other == nil || !bytes.Equal(p.Value(&members[i]), p.Value(other)) {
			return false
		}
	}

	return true
}

package replicator

import (
	"bytes"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// mapping is one target of the spec, ready to be applied.
type mapping struct {
	tableName string
	key       []keyAttribute
	sourceKey []keyAttribute
	// versionAttribute is set when writes are guarded by a version.
	versionAttribute string
	// collisions says that two source items can have one target key.
	collisions  bool
	projection  spec.ProjectionType
	listed      map[string]struct{}
	filter      *condition
	keepExpired bool
}

func newMapping(s spec.Spec, t spec.Target) mapping {
	m := mapping{
		tableName:        t.TableName,
		key:              keyAttributes(t.KeySchema),
		sourceKey:        keyAttributes(s.Source.KeySchema),
		versionAttribute: t.VersionAttribute,
		collisions:       t.OnKeyCollision != "",
		keepExpired:      t.ExpiredItems == spec.KeepExpired,
		projection:       t.Projection.Type,
		listed:           map[string]struct{}{},
	}
	for _, name := range t.Projection.Attributes {
		m.listed[name] = struct{}{}
	}
	if t.Filter != nil {
		filter := newCondition(*t.Filter)
		m.filter = &filter
	}
	return m
}

// carries reports whether a target item has the attribute called name.
func (m *mapping) carries(name []byte) bool {
	switch m.projection {
	case spec.All:
		return true
	case spec.Exclude:
		_, listed := m.listed[string(name)]
		return !listed
	default: // INCLUDE and KEYS_ONLY; the spec was checked when it was parsed
		if _, listed := m.listed[string(name)]; listed {
			return true
		}
		is := func(k keyAttribute) bool { return k.name == string(name) }
		return slices.ContainsFunc(m.key, is) || slices.ContainsFunc(m.sourceKey, is)
	}
}

// view is what a mapping makes of one image: a target item, none, or an error.
type view struct {
	// image is the whole image behind the target item; nil when there is none.
	image image
	// key identifies the target item within its table.
	key []byte
	// keyAt are the positions of the target key attributes in image.
	keyAt [2]int
	// err is why no target item can be made of the image. It is permanent.
	err error
}

func (v *view) exists() bool { return v.image != nil }

// effect is what one change does to the target item of one mapping.
type effect struct {
	change  int // index of the change
	mapping int // index of the mapping
	before  view
	after   view
	// unchanged says that the target item is the same before and after.
	unchanged bool
	// kept says that the source item is gone and its target item stays.
	kept bool
}

// projector turns changes into effects. It keeps its memory from one batch to
// the next.
type projector struct {
	mappings   []mapping
	effects    []effect
	identities []byte
	evaluator  evaluator
}

// project applies every mapping to every change. Changes whose source item is
// not known have no effect; their error is theirs to report.
func (p *projector) project(changes []change) []effect {
	p.effects, p.identities = p.effects[:0], p.identities[:0]
	for i := range changes {
		c := &changes[i]
		if c.source == nil {
			continue
		}
		for j := range p.mappings {
			m := &p.mappings[j]
			e := effect{change: i, mapping: j, before: p.view(m, c.oldImage)}
			switch {
			case c.err != nil:
				// What the item became is not known. What it was must not stay: no
				// later record will name that target item again.
				e.after.err = c.err
			case c.expired && m.keepExpired && e.before.exists():
				e.after, e.kept = e.before, true
			default:
				e.after = p.view(m, c.newImage) // of no image: no item
			}
			e.unchanged = m.same(&e.before, &e.after)
			p.effects = append(p.effects, e)
		}
	}
	return p.effects
}

// view maps one image.
func (p *projector) view(m *mapping, img image) view {
	v := view{}
	if img == nil || m.filter != nil && !p.evaluator.holds(m.filter, img) {
		return v
	}
	for i := range m.key {
		if v.keyAt[i] = img.find(m.key[i].name); v.keyAt[i] < 0 {
			// An item without a target key attribute has no target item, whatever
			// its other attributes hold.
			return view{}
		}
	}
	at := len(p.identities)
	for i := range m.key {
		var err error
		if p.identities, err = m.key[i].appendIdentity(p.identities, img[v.keyAt[i]].value); err != nil {
			p.identities = p.identities[:at]
			return view{err: err}
		}
	}
	if m.versionAttribute != "" {
		if at := img.find(m.versionAttribute); at >= 0 && m.carries(img[at].name) {
			return view{err: permanentf("the source item has an attribute %q, which is the target table's version attribute: choose another VersionAttribute", m.versionAttribute)}
		}
	}
	v.image = img
	v.key = p.identities[at:len(p.identities):len(p.identities)]
	return v
}

// same reports whether two views are the same target item. It may miss it: a set
// whose elements come in another order counts as changed, and so does a large
// item whose attributes do. That costs a write and loses nothing.
func (m *mapping) same(a, b *view) bool {
	if !a.exists() || !b.exists() {
		return !a.exists() && !b.exists()
	}
	return bytes.Equal(a.key, b.key) && m.within(a.image, b.image) && m.within(b.image, a.image)
}

// within reports whether every carried attribute of a stands in b as it is. False
// may also mean that one was not found.
func (m *mapping) within(a, b image) bool {
	for i := range a {
		if !m.carries(a[i].name) {
			continue
		}
		at := b.findNear(i, a[i].name)
		if at < 0 || !bytes.Equal(a[i].value, b[at].value) {
			return false
		}
	}
	return true
}

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
	collisions bool
	projection spec.ProjectionType
	// listed are the names that the projection is about: what EXCLUDE leaves out,
	// or else what is carried.
	listed map[string]struct{}
	// renamed holds new names as JSON, with the colon.
	renamed map[string]string
	// taken are the names in a target item that only one attribute can have.
	taken       []taken
	filter      *condition
	keepExpired bool
}

func newMapping(s spec.Spec, t spec.Target) mapping {
	m := mapping{
		tableName:        t.TableName,
		key:              keyAttributes(t.KeySchema, t.KeySource),
		sourceKey:        keyAttributes(s.Source.KeySchema, spec.Target{}.KeySource),
		versionAttribute: t.VersionAttribute,
		collisions:       t.OnKeyCollision != "",
		keepExpired:      t.ExpiredItems == spec.KeepExpired,
		projection:       t.Projection.Type,
		listed:           map[string]struct{}{},
		renamed:          map[string]string{},
	}
	for _, name := range t.Projection.Attributes {
		m.listed[name] = struct{}{}
	}
	for _, k := range slices.Concat(m.sourceKey, m.key) {
		if k.made {
			m.taken = append(m.taken, taken{k.name, "also the name of a target key attribute that is made of others: give that one another name, or leave this one out with Projection"})
		} else if t.Projection.Type != spec.Exclude {
			m.listed[k.name] = struct{}{}
		}
	}
	for from, to := range t.Projection.Renames {
		m.renamed[from] = quote(to) + ":"
		m.taken = append(m.taken, taken{to, "also the new name of another attribute: choose another one in Projection.Renames"})
	}
	if t.VersionAttribute != "" {
		m.taken = append(m.taken, taken{t.VersionAttribute, "the target table's version attribute: choose another VersionAttribute"})
	}
	if t.Filter != nil {
		filter := newCondition(*t.Filter)
		m.filter = &filter
	}
	return m
}

// taken is a name in a target item, and whose it is.
type taken struct{ name, by string }

// carries reports whether a target item has the attribute called name.
func (m *mapping) carries(name []byte) bool {
	if m.projection == spec.All {
		return true
	}
	_, listed := m.listed[string(name)]
	return listed != (m.projection == spec.Exclude)
}

// conflict returns an error when the target item of img would have two attributes
// of one name.
func (m *mapping) conflict(img image) error {
	for i := range m.taken {
		name := m.taken[i].name
		at := img.find(name)
		if at < 0 || !m.carries(img[at].name) {
			continue
		}
		if _, moved := m.renamed[name]; !moved {
			return permanentf("the source item has an attribute %q, which is %s", name, m.taken[i].by)
		}
	}
	return nil
}

// view is what a mapping makes of one image: a target item, none, or an error.
type view struct {
	// image is the whole image behind the target item; nil when there is none.
	image image
	// key identifies the target item within its table.
	key []byte
	// values are those of the target key attributes, as JSON.
	values [2][]byte
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
	composites []byte
	parts      [][]byte // of the target key of one image
	evaluator  evaluator
	composer   composer
}

// project applies every mapping to every change. Changes whose source item is
// not known have no effect; their error is theirs to report.
func (p *projector) project(changes []change) []effect {
	p.effects, p.identities, p.composites = p.effects[:0], p.identities[:0], p.composites[:0]
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
	p.parts = p.parts[:0]
	for i := range m.key {
		for _, path := range m.key[i].parts {
			value := p.evaluator.at(img, path)
			if value == nil {
				// An item without a part of the target key has no target item, whatever
				// its other attributes hold.
				return v
			}
			p.parts = append(p.parts, value)
		}
	}
	at, parts := len(p.identities), p.parts
	for i := range m.key {
		k := &m.key[i]
		var err error
		if v.values[i], err = p.value(k, parts[:len(k.parts)]); err == nil {
			p.identities, err = k.appendIdentity(p.identities, v.values[i])
		}
		if err != nil {
			p.identities = p.identities[:at]
			return view{err: err}
		}
		parts = parts[len(k.parts):]
	}
	if err := m.conflict(img); err != nil {
		return view{err: err}
	}
	v.image = img
	v.key = p.identities[at:len(p.identities):len(p.identities)]
	return v
}

// value returns the value of a target key attribute that is made of parts.
func (p *projector) value(k *keyAttribute, parts [][]byte) ([]byte, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	at := len(p.composites)
	var err error
	p.composites, err = p.composer.appendComposite(p.composites, k, parts)
	return p.composites[at:len(p.composites):len(p.composites)], err
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

package replicator

import (
	"bytes"
	"maps"
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
	listed nameSet
	// renamed holds new names as JSON, with the colon.
	renamed map[string]string
	// taken are the names in a target item that only one attribute can have.
	taken       []taken
	filter      *condition
	keepExpired bool
	// brakeDisabled says that puts go to the failure queue however many the table
	// refuses.
	brakeDisabled bool
}

func newMapping(s spec.Spec, t spec.Target) mapping {
	m := mapping{
		tableName:        t.TableName,
		key:              keyAttributes(t.KeySchema, t.KeySource),
		sourceKey:        keyAttributes(s.Source.KeySchema, spec.Target{}.KeySource),
		versionAttribute: t.VersionAttribute,
		collisions:       t.OnKeyCollision != "",
		keepExpired:      t.ExpiredItems == spec.KeepExpired,
		brakeDisabled:    t.WriteBrakeDisabled,
		projection:       t.Projection.Type,
		listed:           nameSet{names: map[string]struct{}{}},
		renamed:          map[string]string{},
	}
	for _, name := range t.Projection.Attributes {
		m.listed.add(name)
	}
	for _, k := range slices.Concat(m.sourceKey, m.key) {
		if k.made {
			m.taken = append(m.taken, taken{k.name, "", "also the name of a target key attribute that is made of others: give that one another name, or leave this one out with Projection"})
		} else if t.Projection.Type != spec.Exclude {
			m.listed.add(k.name)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(t.Projection.Renames)) {
		to := t.Projection.Renames[from]
		m.renamed[from] = quote(to) + ":"
		m.taken = append(m.taken, taken{to, from, "also the new name of another attribute: choose another one in Projection.Renames"})
	}
	if t.VersionAttribute != "" {
		m.taken = append(m.taken, taken{t.VersionAttribute, "", "the target table's version attribute: choose another VersionAttribute"})
	}
	if t.Filter != nil {
		filter := newCondition(*t.Filter)
		m.filter = &filter
	}
	return m
}

// taken is a name in a target item, and whose it is: that of the source attribute
// from, if there is one, or else of something that every target item has.
type taken struct{ name, from, by string }

// carries reports whether a target item has the attribute called name.
func (m *mapping) carries(name []byte) bool {
	if m.projection == spec.All {
		return true
	}
	return m.listed.contains(name) != (m.projection == spec.Exclude)
}

// nameSet is a set of attribute names. Of the names it is asked about most are not
// in it, and most of these have another length than all that are.
type nameSet struct {
	names   map[string]struct{}
	lengths uint64 // the bit of a name's length, modulo the number of bits
}

func (s *nameSet) add(name string) {
	s.names[name] = struct{}{}
	s.lengths |= 1 << (len(name) % 64)
}

func (s *nameSet) contains(name []byte) bool {
	if s.lengths&(1<<(len(name)%64)) == 0 {
		return false
	}
	_, found := s.names[string(name)]
	return found
}

// conflict returns an error when the target item of img would have two attributes
// of one name.
func (m *mapping) conflict(e *event, img image) error {
	for i := range m.taken {
		name, from := m.taken[i].name, m.taken[i].from
		if e.find(img, name) == nil || !m.carries([]byte(name)) || from != "" && e.find(img, from) == nil {
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
	// image is the whole image behind the target item. It is absent when there is
	// none.
	image image
	// key identifies the target item within its table.
	key span
	// values are those of the target key attributes, as JSON.
	values [2]span
	// err is why no target item can be made of the image. It is permanent.
	err error
}

func (v *view) exists() bool { return v.image.exists() }

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
	mappings  []mapping
	effects   []effect
	parts     []span // of the target key of one image
	evaluator evaluator
	composer  composer
}

// project applies every mapping to every change. Changes whose source item is
// not known have no effect; their error is theirs to report.
func (p *projector) project(e *event) []effect {
	p.effects = slices.Grow(p.effects[:0], len(e.changes)*len(p.mappings))
	for i := range e.changes {
		c := &e.changes[i]
		if c.source == (span{}) {
			continue
		}
		for j := range p.mappings {
			m := &p.mappings[j]
			p.effects = append(p.effects, effect{change: i, mapping: j})
			f := &p.effects[len(p.effects)-1]
			p.view(&f.before, e, m, c.oldImage)
			switch {
			case c.err != nil:
				// What the item became is not known. What it was must not stay: no
				// later record will ever name that target item again.
				f.after.err = c.err
			case c.expired && m.keepExpired && f.before.exists():
				f.after, f.kept = f.before, true
			default:
				p.view(&f.after, e, m, c.newImage) // of no image: no item
			}
			f.unchanged = m.same(e, &f.before, &f.after)
		}
	}
	return p.effects
}

// view maps one image into v, which is empty.
func (p *projector) view(v *view, e *event, m *mapping, img image) {
	if !img.exists() || m.filter != nil && !p.evaluator.holds(m.filter, e, img) {
		return
	}
	p.parts = p.parts[:0]
	for i := range m.key {
		for _, path := range m.key[i].parts {
			value := e.at(img, path)
			if value == (span{}) || m.key[i].isAbsent(e.text(value)) {
				// An item without a part of the target key has no target item, whatever
				// its other attributes hold.
				return
			}
			p.parts = append(p.parts, value)
		}
	}
	values, key, err := p.key(e, m)
	if err == nil {
		err = m.conflict(e, img)
	}
	if err != nil {
		v.err = err
		return
	}
	v.image, v.key, v.values = img, key, values
}

// key makes the target key of its parts: the values of the key attributes, and
// what identifies the item.
func (p *projector) key(e *event, m *mapping) (values [2]span, key span, err error) {
	parts := p.parts
	for i := range m.key {
		k := &m.key[i]
		if values[i] = parts[0]; len(k.parts) > 1 {
			at := len(e.made)
			if err := p.composer.compose(e, k, parts[:len(k.parts)]); err != nil {
				return values, key, err
			}
			values[i] = e.madeSince(at)
		}
		parts = parts[len(k.parts):]
	}
	at := len(e.made)
	for i := range m.key {
		if e.made, err = m.key[i].appendIdentity(e.made, e.text(values[i])); err != nil {
			return values, key, err
		}
	}
	return values, e.madeSince(at), nil
}

// same reports whether two views are the same target item. It may miss it: a set
// whose elements come in another order counts as changed, and so does a large
// item whose attributes do. That costs a write and loses nothing.
func (m *mapping) same(e *event, a, b *view) bool {
	if !a.exists() || !b.exists() {
		return !a.exists() && !b.exists()
	}
	return bytes.Equal(e.text(a.key), e.text(b.key)) && m.within(e, a.image, b.image) && m.within(e, b.image, a.image)
}

// within reports whether every carried attribute of a stands in b as it is. False
// may also mean that one was not found.
func (m *mapping) within(e *event, a, b image) bool {
	attributes := e.attributes(a)
	for i := range attributes {
		name := e.text(attributes[i].name)
		if !m.carries(name) {
			continue
		}
		other := e.findNear(b, i, name)
		if other == nil || !bytes.Equal(e.text(attributes[i].value), e.text(other.value)) {
			return false
		}
	}
	return true
}

package replicator

import (
	"slices"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// effect is how one change affects the target item of one mapping.
type effect struct {
	change  int // index of the change
	mapping int // index of the mapping
	before  mapping.TargetItem
	after   mapping.TargetItem
	// unchanged says that the target item is the same before and after.
	unchanged bool
	// kept says that the source item has expired and its target item stays.
	kept bool
}

// projector turns changes into effects. It keeps its memory from one batch to the next.
type projector struct {
	mappings []mapping.Mapping
	effects  []effect
	mapper   mapping.Mapper
}

// project applies every mapping to every change. It returns a permanent failure for every
// change that cannot be mapped. A change whose source item is not known has no effect:
// decode has returned its failure.
func (p *projector) project(e *event) (effects []effect, failures []failure) {
	p.effects = slices.Grow(p.effects[:0], len(e.changes)*len(p.mappings))
	p.mapper.Reset()
	for i := range e.changes {
		c := &e.changes[i]
		if c.source == nil {
			continue
		}

		for j := range p.mappings {
			n := len(p.effects)
			p.effects = p.effects[:n+1]
			f := &p.effects[n]
			*f = effect{change: i, mapping: j}
			p.effect(f, e, c)
			if f.after.Err != nil && c.err == nil {
				failures = append(failures, failure{change: i, mapping: j, class: permanent, err: recordError{f.after.Err}})
			}
		}
	}

	return p.effects, failures
}

// effect fills f, the effect of c.
func (p *projector) effect(f *effect, e *event, c *change) {
	m := &p.mappings[f.mapping]
	p.mapper.Map(&f.before, m, &e.payload, &c.oldImage)
	switch {
	case c.err != nil:
		// The new state is not known, and the old one must not stay: no later record will
		// name its target item again.
		f.after.Err = c.err
	case c.versionErr != nil && m.VersionAttribute != "":
		f.after.Err = c.versionErr
	case c.expired && m.KeepExpired && f.before.Exists():
		f.after, f.kept = f.before, true
	default:
		p.mapper.Map(&f.after, m, &e.payload, &c.newImage)
	}
	f.unchanged = m.Same(&e.payload, &f.before, &f.after)
}

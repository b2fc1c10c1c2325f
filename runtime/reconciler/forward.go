package reconciler

import (
	"context"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// claim is a source item, and what one target has of it.
type claim struct {
	target *target
	// sourceKey and source are the item, as it was read.
	sourceKey key
	source    stored
	bytes     int // of the source item
	item      mapping.TargetItem
	targetKey key
	// kind is what is wrong, or "".
	kind   Kind
	reason string
}

// forward compares the next pages of the source table with the targets.
func (p *page) forward(ctx context.Context) (next []byte, err error) {
	size := func(c *claim) int { return c.bytes }
	doubts, next, err := lookAhead(ctx, p, p.r.source, size, func(x *exchange) ([]*claim, error) {
		claims, err := p.claims(x)
		if err == nil {
			err = p.judge(ctx, claims, false)
		}
		if err != nil {
			return nil, err
		}
		return p.countCertain(claims), nil
	})
	if err != nil {
		return nil, err
	}
	doubts, err = settle(ctx, p, doubts, size, p.lookAt)
	if err != nil {
		return nil, err
	}

	return next, p.conclude(ctx, doubts)
}

// claims returns the claims of the items of a page.
func (p *page) claims(x *exchange) ([]*claim, error) {
	claims := make([]*claim, 0, len(x.items)*len(p.r.targets))
	for _, item := range x.items {
		k, err := p.r.source.keyOf(&x.payload, item)
		if err != nil {
			return nil, err
		}
		for _, t := range p.r.targets {
			claims = append(claims, &claim{
				target: t, sourceKey: k, source: stored{&x.payload, item}, bytes: len(item.Raw),
			})
		}
	}
	return claims, nil
}

// judge maps the source items of claims, reads the target items, and says what is wrong.
func (p *page) judge(ctx context.Context, claims []*claim, consistent bool) error {
	keys := map[*target][]key{}
	for _, c := range claims {
		c.derive(&p.mapper)
		if c.item.Exists() {
			keys[c.target] = append(keys[c.target], c.targetKey)
		}
	}

	var foreign []*claim
	var owners []key
	for _, t := range p.r.targets {
		found, err := p.r.lookup(ctx, &p.tally, &t.table, keys[t], consistent)
		p.used = append(p.used, found.exchanges...)
		if err != nil {
			return err
		}
		for _, c := range claims {
			if c.target != t || !c.item.Exists() {
				continue
			}
			have := found.items[c.targetKey.identity]
			if c.kind = c.compare(p.r, have); (c.kind == Missing || c.kind == Unclaimed) && c.isTooLarge() {
				c.kind, c.reason = CannotMap, "the target item is larger than 400 KB, which DynamoDB refuses"
			}
			if c.kind != WrongOwner || !t.mapping.Collisions {
				continue
			}
			owner, ok := p.r.owner(have)
			switch {
			case ok && t.mapping.KeepExpired:
				c.kind = Collided // the item may be a kept one
			case ok:
				foreign, owners = append(foreign, c), append(owners, owner)
			}
		}
	}

	return p.judgeOwners(ctx, foreign, owners, consistent)
}

// derive maps the source item of a claim.
func (c *claim) derive(mapper *mapping.Mapper) {
	c.item, c.kind, c.reason = mapping.TargetItem{}, "", ""
	if !c.source.exists() {
		return
	}
	mapper.Map(&c.item, &c.target.mapping, c.source.in, &c.source.item)
	switch {
	case c.item.Err != nil:
		c.kind, c.reason = CannotMap, c.item.Err.Error()
	case c.item.Exists():
		c.targetKey = c.target.keyFor(&c.item)
	}
}

// compare says what is wrong with the target item under the key of a claim.
func (c *claim) compare(r *Reconciler, have stored) Kind {
	m := &c.target.mapping
	switch {
	case !have.exists() && m.Collisions:
		return Unclaimed
	case !have.exists():
		return Missing
	case !r.isOwn(have, c.source.in, c.source.item):
		return WrongOwner
	case !m.Equal(c.source.in, &c.item, have.in, have.item):
		return Stale
	default:
		return ""
	}
}

// isTooLarge reports whether DynamoDB refuses the target item of a claim for its size. Nothing of such an
// item stays in the target, so only where nothing is does it matter. Repair puts the lowest version there.
func (c *claim) isTooLarge() bool {
	if len(c.source.item.Raw)+c.target.added <= dynamodbjson.MaxItemBytes {
		return false // an item's JSON has at least as many bytes as the item
	}
	shape := c.target.shapeOf(c.source.in, &c.item)
	size, err := dynamodbjson.ItemSize(c.target.appendItem(nil, c.source.in, &c.item, mapping.LowestVersion(), shape))

	return err == nil && size > dynamodbjson.MaxItemBytes
}

// judgeOwners says of claims whose key another owner has whether that one maps there too.
func (p *page) judgeOwners(
	ctx context.Context, claims []*claim, owners []key, consistent bool,
) error {
	if len(claims) == 0 {
		return nil
	}
	found, err := p.r.lookup(ctx, &p.tally, p.r.source, owners, consistent)
	defer found.free()
	if err != nil {
		return err
	}

	for i, c := range claims {
		owner := found.items[owners[i].identity]
		if !owner.exists() {
			continue
		}
		var item mapping.TargetItem
		p.mapper.Map(&item, &c.target.mapping, owner.in, &owner.item)
		if item.Exists() && string(item.Key) == c.targetKey.identity {
			c.kind = Collided
		}
	}

	return nil
}

// countCertain counts the claims that need no other look, and returns the others. What they have read
// is no longer needed.
func (p *page) countCertain(claims []*claim) (doubts []*claim) {
	for _, c := range claims {
		switch {
		case c.kind == CannotMap:
			p.Unmappable++
			p.r.report(c.finding())
		case c.kind == Collided:
			p.Collisions++
			p.r.report(c.finding())
		case c.kind == Unclaimed && p.segment.Operation == Verify && !p.r.options.Strict:
			p.Unclaimed++
			p.r.report(c.finding())
		case c.kind != "":
			doubts = append(doubts, c)
		case c.item.Exists():
			p.Equal++
		case c.source.exists():
			p.Filtered++
		}
		c.source, c.item = stored{}, mapping.TargetItem{}
	}

	return doubts
}

// lookAt reads the source items of claims again, and returns those that are still doubtful.
func (p *page) lookAt(ctx context.Context, claims []*claim) (doubts []*claim, err error) {
	keys := make([]key, len(claims))
	for i, c := range claims {
		keys[i] = c.sourceKey
	}
	found, err := p.r.lookup(ctx, &p.tally, p.r.source, keys, true)
	p.used = append(p.used, found.exchanges...)
	if err != nil {
		return nil, err
	}
	for i, c := range claims {
		c.source = found.items[keys[i].identity]
	}
	if err := p.judge(ctx, claims, true); err != nil {
		return nil, err
	}

	return p.countCertain(claims), nil
}

// conclude counts, reports and repairs the differences that are left.
func (p *page) conclude(ctx context.Context, doubts []*claim) error {
	repair := p.segment.Operation == Repair && !p.r.options.DryRun
	if repair && len(doubts) > 0 {
		if err := p.beforeWrite(); err != nil {
			return err
		}
	}

	return parallel(p.r.options.InFlight, doubts, func(c *claim) error {
		f := c.finding()
		if !repair {
			p.difference(f)
			return nil
		}
		result, err := p.r.reconcile(ctx, &p.tally, c.sourceKey, []*target{c.target}, nil)
		if err != nil {
			return err
		}
		p.repaired(f, result.Targets[0])

		return nil
	})
}

func (c *claim) finding() Finding {
	return Finding{
		Kind: c.kind, TargetTable: c.target.name, Reason: c.reason,
		SourceKey: c.sourceKey.json, TargetKey: c.targetKey.json,
	}
}

package reconciler

import (
	"context"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// holding is a target item, and the source item that it says it shows.
type holding struct {
	key, owner key
	bytes      int // of the target item
	// hasOwner is false when the item names no source item.
	hasOwner bool
	// kept says that no source item maps to it, where expired items are kept: it may be one.
	kept bool
	// fine says that its source item maps to it, or that it is gone.
	fine bool
}

// reverse looks for target items on the next pages that no source item maps to. Whether those that one
// maps to are equal to it is what forward compares.
func (p *page) reverse(ctx context.Context) (next []byte, err error) {
	t, err := p.r.target(p.segment.Target)
	if err != nil {
		return nil, err
	}
	size := func(h *holding) int { return h.bytes }
	doubts, next, err := lookAhead(ctx, p, &t.table, size, func(x *exchange) ([]*holding, error) {
		holdings, err := p.holdings(t, x)
		if err == nil {
			err = p.judgeHoldings(ctx, t, holdings, false)
		}
		if err != nil {
			return nil, err
		}
		return p.countHoldings(holdings), nil
	})
	if err != nil {
		return nil, err
	}
	doubts, err = settle(ctx, p, doubts, size,
		func(ctx context.Context, part []*holding) ([]*holding, error) { return p.lookAtHoldings(ctx, t, part) })
	if err != nil {
		return nil, err
	}

	return next, p.concludeHoldings(ctx, t, doubts)
}

// holdings returns the holdings of the items of a page.
func (p *page) holdings(t *target, x *exchange) ([]*holding, error) {
	holdings := make([]*holding, len(x.items))
	for i, item := range x.items {
		k, err := t.keyOf(&x.payload, item)
		if err != nil {
			return nil, err
		}
		owner, ok := p.r.owner(stored{&x.payload, item})
		holdings[i] = &holding{key: k, owner: owner, hasOwner: ok, bytes: len(item.Raw)}
	}
	return holdings, nil
}

// Source items may be far larger than target items: they are read by parts, so that one has about
// partBytes. How large they are, the part before says.
const (
	partBytes = 8 << 20
	firstPart = 25
	// growth is how much larger the next part may be: its items may be larger.
	growth = 4
)

// nextPart returns the number of items of the part after one of n items that had so many bytes.
func (o *Options) nextPart(n, bytes int) int {
	most := min(growth*n, maxKeys*o.InFlight)
	if bytes == 0 {
		return most
	}
	return min(max(n*partBytes/bytes, 1), most)
}

// judgeHoldings says of each holding whether its source item maps to it.
func (p *page) judgeHoldings(ctx context.Context, t *target, holdings []*holding, consistent bool) error {
	for n := firstPart; len(holdings) > 0; {
		part := holdings[:min(n, len(holdings))]
		bytes, err := p.judgePart(ctx, t, part, consistent)
		if err != nil {
			return err
		}
		holdings = holdings[len(part):]
		n = p.r.options.nextPart(len(part), bytes)
	}
	return nil
}

// judgePart judges a part of the holdings. It returns the bytes of their source items, as JSON.
func (p *page) judgePart(ctx context.Context, t *target, holdings []*holding, consistent bool) (bytes int, err error) {
	var owners []key
	for _, h := range holdings {
		if h.hasOwner && !h.fine {
			owners = append(owners, h.owner)
		}
	}
	found, err := p.r.lookup(ctx, &p.tally, p.r.source, owners, consistent)
	defer found.free()
	if err != nil {
		return 0, err
	}

	for _, h := range holdings {
		if source := found.items[h.owner.identity]; source.exists() {
			var item mapping.TargetItem
			p.mapper.Map(&item, &t.mapping, source.in, &source.item)
			h.fine = item.Exists() && string(item.Key) == h.key.identity
		}
		// With a source item that maps elsewhere, it may be one of an earlier life of that item.
		h.kept = !h.fine && h.hasOwner && t.mapping.KeepExpired
	}
	for _, x := range found.exchanges {
		bytes += len(x.body.Answer)
	}

	return bytes, nil
}

// lookAtHoldings reads target items again, and then their source items. It returns those that are still
// doubtful.
func (p *page) lookAtHoldings(ctx context.Context, t *target, holdings []*holding) (doubts []*holding, err error) {
	keys := make([]key, len(holdings))
	for i, h := range holdings {
		keys[i] = h.key
	}
	found, err := p.r.lookup(ctx, &p.tally, &t.table, keys, true)
	defer found.free()
	if err != nil {
		return nil, err
	}

	for _, h := range holdings {
		have := found.items[h.key.identity]
		h.fine = !have.exists()
		if have.exists() {
			h.owner, h.hasOwner = p.r.owner(have)
		}
	}

	if err := p.judgeHoldings(ctx, t, holdings, true); err != nil {
		return nil, err
	}

	return p.countHoldings(holdings), nil
}

// countHoldings counts the holdings that need no other look, and returns the others.
func (p *page) countHoldings(holdings []*holding) (doubts []*holding) {
	for _, h := range holdings {
		switch {
		case h.fine:
		case h.kept:
			p.Kept++
		default:
			doubts = append(doubts, h)
		}
	}
	return doubts
}

// concludeHoldings counts, reports and repairs the differences that are left.
func (p *page) concludeHoldings(ctx context.Context, t *target, doubts []*holding) error {
	repair := p.segment.Operation == Repair && !p.r.options.DryRun
	if repair && len(doubts) > 0 {
		if err := p.beforeWrite(); err != nil {
			return err
		}
	}

	return parallel(p.r.options.InFlight, doubts, func(h *holding) error {
		f := Finding{Kind: Extra, TargetTable: t.name, TargetKey: h.key.json, SourceKey: h.owner.json}
		if !h.hasOwner {
			f.Reason = "it lacks a key attribute of the source table, so it is not a target item"
		}
		if !repair || !h.hasOwner {
			p.difference(f)
			return nil
		}
		result, err := p.r.reconcile(ctx, &p.tally, h.owner, []*target{t}, []alsoKey{{target: t, key: h.key}})
		if err != nil {
			return err
		}
		p.repaired(f, result.Targets[0])

		return nil
	})
}

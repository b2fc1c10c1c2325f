package reconciler

import (
	"bytes"
	"context"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// backfill puts the target items of the next page where there are none, and then looks at the page
// again: what has changed meanwhile goes to the primitive.
func (p *page) backfill(ctx context.Context) (next []byte, err error) {
	first, err := p.scan(ctx, p.r.source, p.segment.Cursor, p.r.options.pageLimit(), true)
	if err != nil {
		return next, err
	}
	p.Pages++
	p.Read += int64(len(first.items))
	writes := p.writes(first)
	a := &absentPutter{page: p, source: first}
	if len(writes) > 0 {
		if err := p.putAbsent(ctx, a, writes); err != nil {
			return next, err
		}
	}

	return bytes.Clone(first.last.Raw), p.countWrites(ctx, a, writes)
}

// writes maps the items of a page to the writes of each target.
func (p *page) writes(from *exchange) []write {
	writes := make([]write, 0, len(from.items)*len(p.r.targets))
	for _, t := range p.r.targets {
		for i := range from.items {
			writes = append(writes, write{target: t, source: i})
			w := &writes[len(writes)-1]
			p.mapper.Map(&w.item, &t.mapping, &from.payload, &from.items[i])
			if w.item.Exists() {
				w.shape = t.shapeOf(&from.payload, &w.item)
				continue
			}

			writes = writes[:len(writes)-1]
			if w.item.Err == nil {
				p.Filtered++
				continue
			}
			p.unmappable(t, from, i, w.item.Err.Error())
		}
	}

	return writes
}

// unmappable counts and reports an item that a target cannot hold.
func (p *page) unmappable(t *target, from *exchange, i int, reason string) {
	p.add(&p.Unmappable, 1)
	f := Finding{Kind: CannotMap, TargetTable: t.name, Reason: reason}
	if k, err := p.r.source.keyOf(&from.payload, from.items[i]); err == nil {
		f.SourceKey = k.json
	}
	p.r.report(f)
}

func (p *page) putAbsent(ctx context.Context, a *absentPutter, writes []write) error {
	open := make([]*write, len(writes))
	for i := range writes {
		open[i] = &writes[i]
		if p.r.options.DryRun {
			open[i].step = byRead
		}
	}
	if p.r.options.DryRun {
		return a.look(ctx, open)
	}
	if err := p.beforeWrite(); err != nil {
		return err
	}

	return a.run(ctx, open)
}

// look reads what is under the keys of writes, once. What is absent would be put.
func (a *absentPutter) look(ctx context.Context, writes []*write) error {
	err := parallel(a.r.options.InFlight, a.group(writes), func(c call) error { return a.read(ctx, c) })
	for _, w := range writes {
		if w.step == byStatement {
			w.step = put
		}
	}
	return err
}

// countWrites counts what became of writes, after a second look at their source items.
func (p *page) countWrites(ctx context.Context, a *absentPutter, writes []write) error {
	changed := make([]bool, len(a.source.items))
	if a.maybePut.Load() {
		if err := p.lookAgain(ctx, a.source, changed); err != nil {
			return err
		}
	}

	var again []*changedItem
	bySource := map[int]*changedItem{}
	for i := range writes {
		w := &writes[i]
		switch {
		case w.step == unequal || changed[w.source]:
			p.Changed++
			if bySource[w.source] == nil {
				bySource[w.source] = &changedItem{source: w.source}
				again = append(again, bySource[w.source])
			}
			bySource[w.source].writes = append(bySource[w.source].writes, w)
		case w.step == put:
			p.Put++
		case w.step == there:
			p.There++
		case w.step == collides:
			p.collision(a.source, w)
		}
	}
	if p.r.options.DryRun {
		return nil
	}

	return parallel(p.r.options.InFlight, again, func(i *changedItem) error { return p.makeRight(ctx, a.source, i) })
}

// changedItem is a source item that goes to the primitive, and what was to be put of it.
type changedItem struct {
	source int
	writes []*write
}

func (p *page) collision(from *exchange, w *write) {
	p.Collisions++
	if p.r.options.Report == nil {
		return
	}
	f := Finding{Kind: Collided, TargetTable: w.target.name, TargetKey: w.target.keyFor(&w.item).json}
	if k, err := p.r.source.keyOf(&from.payload, from.items[w.source]); err == nil {
		f.SourceKey = k.json
	}
	p.r.report(f)
}

// lookAgain scans the page again, and says which of its items are not what they were. The order of a
// page is not relied on, nor that it shows an item again: what it does not show is read by its key.
func (p *page) lookAgain(ctx context.Context, first *exchange, changed []bool) error {
	second, err := p.scan(ctx, p.r.source, p.segment.Cursor, len(first.items), true)
	if err != nil {
		return err
	}

	var byKey map[string]int // number in second
	var unseen []key
	var unseenAt []int
	for i, item := range first.items {
		if i < len(second.items) && dynamodbjson.EqualItems(&first.payload, item, &second.payload, second.items[i]) {
			continue
		}
		if byKey == nil {
			if byKey, err = p.numbers(second); err != nil {
				return err
			}
		}
		k, err := p.r.source.keyOf(&first.payload, item)
		if err != nil {
			return err
		}
		if n, found := byKey[k.identity]; found {
			changed[i] = !dynamodbjson.EqualItems(&first.payload, item, &second.payload, second.items[n])
			continue
		}
		unseen, unseenAt = append(unseen, k), append(unseenAt, i)
	}
	if len(unseen) == 0 {
		return nil
	}

	found, err := p.r.lookup(ctx, &p.tally, p.r.source, unseen, true)
	defer found.free()
	if err != nil {
		return err
	}
	for n, i := range unseenAt {
		now := found.items[unseen[n].identity]
		changed[i] = !now.exists() || !dynamodbjson.EqualItems(&first.payload, first.items[i], now.in, now.item)
	}

	return nil
}

// numbers returns the numbers of a page's items by their identities.
func (p *page) numbers(of *exchange) (map[string]int, error) {
	numbers := make(map[string]int, len(of.items))
	for i, item := range of.items {
		k, err := p.r.source.keyOf(&of.payload, item)
		if err != nil {
			return nil, err
		}
		numbers[k.identity] = i
	}
	return numbers, nil
}

// makeRight hands a source item to the primitive.
func (p *page) makeRight(ctx context.Context, from *exchange, i *changedItem) error {
	k, err := p.r.source.keyOf(&from.payload, from.items[i.source])
	if err != nil {
		return err
	}
	var targets []*target
	var also []alsoKey
	for _, w := range i.writes {
		targets = append(targets, w.target)
		// Where expired items are kept and the item is gone, what is there stays: it may have expired, and
		// the stream may have put it, before or after.
		also = append(also, alsoKey{target: w.target, key: w.target.keyFor(&w.item), last: true, put: w.step == put})
	}
	result, err := p.r.reconcile(ctx, &p.tally, k, targets, also)
	if err != nil {
		return err
	}

	for n, t := range result.Targets {
		switch t.Outcome {
		case Unmappable:
			p.add(&p.Changed, -1)
			p.unmappable(targets[n], from, i.source, t.Reason)
		case Refused:
			p.add(&p.Changed, -1)
			p.add(&p.Unrepaired, 1)
			p.r.report(Finding{Kind: CannotMap, TargetTable: t.TargetTable, SourceKey: k.json, Reason: t.Reason})
		case Collision:
			p.add(&p.Collisions, 1)
		case Kept:
			p.add(&p.Kept, 1)
		case Right, Written:
		}
	}

	return nil
}

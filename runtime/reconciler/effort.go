package reconciler

import (
	"context"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// effort is one source item that is made right in some targets. Each attempt reads it and its target
// items, and tries to write what is missing in transactions that hold only if the source item is
// still as it was read.
type effort struct {
	r      *Reconciler
	tally  *tally
	key    key
	duties []*duty
	// alone gives each target transactions of its own: DynamoDB has refused one without saying
	// which of its items it refuses.
	alone bool
	// digest is that of the source item as this attempt has read it.
	digest uint64
	// used are the exchanges whose items are in use until the attempt ends.
	used []*exchange
}

// reconcile is the primitive. Its result has the targets in their order.
func (r *Reconciler) reconcile(
	ctx context.Context, y *tally, k key, targets []*target, also []alsoKey,
) (Result, error) {
	e := &effort{r: r, tally: y, key: k}
	for _, t := range targets {
		d := &duty{target: t}
		for _, a := range also {
			if a.target == t {
				d.also = appendKey(d.also, a)
			}
		}
		e.duties = append(e.duties, d)
	}

	for attempt := 0; ; attempt++ {
		done, gone, err := e.attempt(ctx)
		if err != nil {
			return Result{}, err
		}
		if done {
			return e.result(gone), nil
		}
		backoff.Sleep(ctx, backoff.Wait(attempt))
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
	}
}

func (e *effort) result(gone bool) Result {
	result := Result{Gone: gone}
	for _, d := range e.duties {
		if d.outcome == Right && d.wrote {
			d.outcome = Written
		}
		result.Targets = append(result.Targets, TargetResult{d.target.name, d.outcome, d.reason})
	}
	return result
}

// attempt reads, decides and writes once. It reports whether the targets are right.
func (e *effort) attempt(ctx context.Context) (done, gone bool, err error) {
	defer e.free()
	sources, err := e.lookup(ctx, e.r.source, e.key)
	if err != nil {
		return false, false, err
	}
	source := sources[e.key.identity]
	e.digest = source.digest()

	var mapper mapping.Mapper
	var actions []*action
	for _, d := range e.duties {
		d.derive(&mapper, source)
		more, err := d.decide(ctx, e, source)
		if err != nil {
			return false, false, err
		}
		actions = append(actions, more...)
	}
	if len(actions) == 0 {
		return true, !source.exists(), nil
	}
	if e.r.options.DryRun {
		for _, a := range actions {
			a.duty.wrote = true
		}
		return true, !source.exists(), nil
	}

	for _, t := range e.transactions(source, actions) {
		committed, err := t.commit(ctx, e)
		if err != nil || !committed {
			return false, false, err
		}
	}
	done, err = e.isUnchanged(ctx, source)

	return done, !source.exists(), err
}

// lookup reads items. They are valid until the attempt ends.
func (e *effort) lookup(ctx context.Context, t *table, keys ...key) (map[string]stored, error) {
	found, err := e.r.lookup(ctx, e.tally, t, keys, true)
	e.used = append(e.used, found.exchanges...)
	return found.items, err
}

func (e *effort) free() {
	e.r.exchanges.put(e.used...)
	e.used = e.used[:0]
}

// owns reports whether a target item shows the effort's source item.
func (e *effort) owns(have stored) bool {
	owner, ok := e.r.owner(have)
	return ok && owner.identity == e.key.identity
}

// isUnchanged reads the source item once more. A condition cannot see an attribute that was added, nor
// all attributes of an item that has many.
func (e *effort) isUnchanged(ctx context.Context, before stored) (bool, error) {
	found, err := e.lookup(ctx, e.r.source, e.key)
	if err != nil {
		return false, err
	}
	now := found[e.key.identity]
	if !now.exists() || !before.exists() {
		return now.exists() == before.exists(), nil
	}

	return dynamodbjson.EqualItems(before.in, before.item, now.in, now.item), nil
}

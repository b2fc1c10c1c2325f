package reconciler

import (
	"context"
	"encoding/json"
	"slices"
)

// Key is a target key that may hold something of a source item.
type Key struct {
	TargetTable string
	// Key is the key in DynamoDB's JSON.
	Key json.RawMessage
	// Last says that it is the key of the item's last known state. Where expired items are kept,
	// it stays when the source item is gone.
	Last bool
}

// Result is what Reconcile has done, for each target.
type Result struct {
	Targets []TargetResult
	// Gone says that there is no source item.
	Gone bool
}

// TargetResult is what Reconcile has done in one target.
type TargetResult struct {
	TargetTable string
	Outcome     Outcome
	// Reason says why the item is unmappable or refused. It names attributes, types and sizes, never a value.
	Reason string
}

// Outcome is what Reconcile has found or done in one target.
type Outcome int

const (
	// Right means that there was nothing to do.
	Right Outcome = iota
	// Written means that target items were put or deleted. With DryRun they would be.
	Written
	// Collision means that the target key belongs to another live source item, under
	// LAST_WRITER_WINS.
	Collision
	// Unmappable means that no target item can be derived, or that DynamoDB refuses it. Nothing of
	// the item is left in the target.
	Unmappable
	// Kept means that the source item is gone, and its last target item was left because expired
	// items are kept.
	Kept
	// Refused means that DynamoDB refuses the target item for a reason that may lie in the table: what is
	// there stays, and the target is not right.
	Refused
)

// Reconcile makes every target right for one source item, or only those that targets names. also
// are target keys that may hold something of it besides. It repeats until the targets are right for
// the source item as it is at the end; an error is that of ctx, or of a table that cannot be used.
func (r *Reconciler) Reconcile(
	ctx context.Context, sourceKey json.RawMessage, targets []string, also []Key,
) (Result, error) {
	k, err := r.source.parseKey(sourceKey)
	if err != nil {
		return Result{}, err
	}
	chosen := r.targets
	if targets != nil {
		chosen = nil
		for _, name := range targets {
			t, err := r.target(name)
			if err != nil {
				return Result{}, err
			}
			if !slices.Contains(chosen, t) {
				chosen = append(chosen, t)
			}
		}
	}

	var keys []alsoKey
	for _, a := range also {
		t, err := r.target(a.TargetTable)
		if err != nil {
			return Result{}, err
		}
		k, err := t.parseKey(a.Key)
		if err != nil {
			return Result{}, err
		}
		keys = append(keys, alsoKey{target: t, key: k, last: a.Last})
	}

	return r.reconcile(ctx, &tally{}, k, chosen, keys)
}

// alsoKey is a Key that was read.
type alsoKey struct {
	target *target
	key
	last bool
	// put says that a backfill has just put it, where nothing was.
	put bool
}

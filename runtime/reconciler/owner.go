package reconciler

import (
	"bytes"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// owner returns the key of the source item that a target item shows. ok is false when it does not say:
// then it is not a target item of the mapping.
func (r *Reconciler) owner(of stored) (k key, ok bool) {
	k, err := r.source.keyOf(of.in, of.item)
	return k, err == nil
}

// isOwn reports whether a target item shows a source item.
func (r *Reconciler) isOwn(have stored, p *dynamodbjson.Payload, source dynamodbjson.Item) bool {
	one, errOne := mapping.Identify(nil, r.source.key, have.in, have.item)
	other, errOther := mapping.Identify(nil, r.source.key, p, source)
	return errOne == nil && errOther == nil && bytes.Equal(one, other)
}

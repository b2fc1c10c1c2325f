package replicatedtable

import (
	"cmp"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Ordering says how a target table that carries versions orders the writes to one
// target item. Only the functions Ordering_VersionGuard and Ordering_LastWriterWins
// create one.
//
// Every target item carries a version, and every write is conditional on a newer one.
// The function writes 25 such items per request, like items without a version. An item
// that is not what the stream says it was costs a read, and rarely a request of its own.
type Ordering interface {
	// toSpec adds the ordering to a target.
	toSpec(target *spec.Target)
	// attribute is the path that the caller names, or nil.
	attribute() *string
}

// Ordering_VersionGuard is for a unique target key: a redelivery never takes a target
// item back to an older state, not even for a moment. Where an item was deleted or
// moved away, no version is left: older changes that are redelivered may show the
// item there again, until its deletion or move is redelivered too. Props may be nil.
func Ordering_VersionGuard(props *VersionProps) Ordering {
	return newOrdering("", props)
}

// Ordering_LastWriterWins is for a target key that two source items can share: the
// item whose change is the newest has it, by the time in the stream, which counts
// whole seconds. Deleting or moving one source item never removes the target item of
// another. Two limits: between different source items, changes of the same second
// have no guaranteed order; and when the winner is deleted, an older loser may or may
// not come back. For a unique target key it is refused: nothing could collide. Props
// may be nil.
func Ordering_LastWriterWins(props *VersionProps) Ordering {
	return newOrdering(spec.LastWriterWins, props)
}

// VersionProps configures the version of target items.
type VersionProps struct {
	// Attribute names the top-level attribute that carries the version, as a path.
	// Source items must not use it: a change of an item that does goes to the failure
	// queue.
	// Default: "replicatedtable:version".
	Attribute *string
}

type ordering struct {
	policy spec.OnKeyCollision
	path   *string
}

func newOrdering(policy spec.OnKeyCollision, props *VersionProps) Ordering {
	if props == nil {
		props = &VersionProps{}
	}
	return ordering{policy, props.Attribute}
}

// toSpec takes the default for an empty name too: orderingProblems refuses it, and in
// a spec it would mean that there are no versions.
func (o ordering) toSpec(target *spec.Target) {
	target.OnKeyCollision = o.policy
	target.VersionAttribute = cmp.Or(toName(o.path), spec.DefaultVersionAttribute)
}

func (o ordering) attribute() *string { return o.path }

// orderingProblems lists what is wrong with the name of the version attribute, apart
// from what it would overwrite.
func orderingProblems(prop string, o Ordering) []spec.Problem {
	if o == nil || o.attribute() == nil {
		return nil
	}

	prop += ".Attribute"
	if *o.attribute() == "" {
		return []spec.Problem{{Path: prop, Text: "is empty: name the attribute for the version, or leave it out"}}
	}
	return topLevelProblems(prop, *o.attribute())
}

package reconciler

import "encoding/json"

// Kind is the kind of a Finding.
type Kind string

// The first four are differences.
const (
	Missing    Kind = "missing"
	Extra      Kind = "extra"
	Stale      Kind = "stale"
	WrongOwner Kind = "wrong owner"
	Unclaimed  Kind = "unclaimed"
	Collided   Kind = "collision"
	CannotMap  Kind = "unmappable"
)

// Finding is one thing that an operator may want to see. Counts says what the kinds mean.
type Finding struct {
	Kind        Kind
	TargetTable string
	// SourceKey and TargetKey are keys in DynamoDB's JSON, nil where there is none. They hold the
	// application's data.
	SourceKey, TargetKey json.RawMessage
	// Reason names attributes, types and sizes, never a value.
	Reason string
	// Repaired says that the difference no longer exists.
	Repaired bool
}

package replicator

import "github.com/replicatedtable/cdk-go/internal/statement"

// way is one of the requests that guarded writes can do without. Each needs a right of its
// own, and each has a fallback of its own.
type way int8

const (
	byInsert way = iota
	byUpdate
	byDelete
	byBatchGet
	ways
)

// fallbacks are those of the ways of one mapping.
type fallbacks [ways]statement.Fallback

// actions are what a role must allow for the ways.
var actions = [ways]string{
	byInsert: "dynamodb:PartiQLInsert", byUpdate: "dynamodb:PartiQLUpdate", byDelete: "dynamodb:PartiQLDelete",
	byBatchGet: "dynamodb:BatchGetItem",
}

// way is how a write is sent that is not sent by itself.
func (w *write) way() way {
	switch {
	case w.step == byRead:
		return byBatchGet
	case !w.put:
		return byDelete
	case len(w.earlier) == 0:
		return byInsert
	default:
		return byUpdate
	}
}

// refusedCall is a call that a table has refused, or a statement of it.
type refusedCall struct {
	way way
	why error
}

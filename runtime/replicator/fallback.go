package replicator

import (
	"errors"
	"sync"
)

// maxRefusedCalls is how many calls of one way a table may refuse in a row before the
// process goes without it.
const maxRefusedCalls = 3

// way is one of the requests that guarded writes can do without. Each needs a right of its
// own.
type way int8

const (
	byInsert way = iota
	byUpdate
	byDelete
	byBatchGet
	ways
)

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

// fallback is which ways the guarded writes of one mapping go without. A call that is
// refused as a whole is repeated write by write, so a table that refuses them all, or a role
// without the right, only costs time; but it would cost it every time. It lasts from one
// invocation of the process to the next.
type fallback struct {
	mu   sync.Mutex
	rows [ways]refusedRow
}

// refusedRow counts the calls that were refused in a row.
type refusedRow struct {
	calls int
	why   error
	// reported says that report has returned it.
	reported bool
}

func (r *refusedRow) isFull() bool { return r.calls >= maxRefusedCalls }

// isOn reports whether the process goes without a way.
func (f *fallback) isOn(by way) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rows[by].isFull()
}

// accept tells of a call that the table has answered.
func (f *fallback) accept(by way) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if row := &f.rows[by]; !row.isFull() {
		row.calls = 0
	}
}

// refuse tells of a call that the table has refused, although it takes the writes one by one.
func (f *fallback) refuse(c *refusedCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if row := &f.rows[c.way]; !row.isFull() {
		row.calls++
		row.why = c.why
	}
}

// report returns the ways that the process goes without from now on, each once.
func (f *fallback) report() (without []refusedCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for by := range f.rows {
		if row := &f.rows[by]; row.isFull() && !row.reported {
			row.reported = true
			without = append(without, refusedCall{way(by), row.why})
		}
	}

	return without
}

var errStatementDenied = errors.New("it refuses the statements, and takes the same writes one by one")

package replicator

import (
	"errors"
	"sync"
)

// maxRefusedCalls is how many calls with statements a table may refuse in a row before the
// process sends guarded writes one by one.
const maxRefusedCalls = 3

// fallback is whether the guarded writes of one mapping are sent as statements. A call that is
// refused as a whole is repeated write by write, so a table that refuses them all, or a role
// without the rights, only costs time; but it would cost it every time. It lasts from one
// invocation of the process to the next.
type fallback struct {
	mu      sync.Mutex
	refused int // calls in a row
	why     error
	// reported says that report has returned why.
	reported bool
}

// isOn reports whether guarded writes are sent one by one.
func (f *fallback) isOn() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused >= maxRefusedCalls
}

// accept tells of a call whose statements the table has answered.
func (f *fallback) accept() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < maxRefusedCalls {
		f.refused = 0
	}
}

// refuse tells of a call that the table has refused, although it takes the writes one by one.
func (f *fallback) refuse(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < maxRefusedCalls {
		f.refused++
		f.why = why
	}
}

// report returns why guarded writes are sent one by one, once.
func (f *fallback) report() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < maxRefusedCalls || f.reported {
		return nil
	}
	f.reported = true

	return f.why
}

var errStatementDenied = errors.New("AccessDenied for statements, not for single writes")

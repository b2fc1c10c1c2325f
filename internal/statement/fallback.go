package statement

import "sync"

// MaxRefusedCalls is how many calls with statements a table may refuse in a row before the
// process sends guarded writes one by one.
const MaxRefusedCalls = 3

// Fallback is whether the writes of one mapping are sent as statements. A call that is
// refused as a whole is repeated write by write, so a table that refuses them all, or a role
// without the rights, only costs time; but it would cost it every time. It lasts from one
// invocation of the process to the next.
type Fallback struct {
	mu      sync.Mutex
	refused int // calls in a row
	why     error
	// reported says that Report has returned why.
	reported bool
}

// IsOn reports whether guarded writes are sent one by one.
func (f *Fallback) IsOn() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused >= MaxRefusedCalls
}

// Accept tells of a call whose statements the table has answered.
func (f *Fallback) Accept() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < MaxRefusedCalls {
		f.refused = 0
	}
}

// Refuse tells of a call that the table has refused, although it takes the writes one by one.
func (f *Fallback) Refuse(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < MaxRefusedCalls {
		f.refused++
		f.why = why
	}
}

// Report returns why guarded writes are sent one by one, once.
func (f *Fallback) Report() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused < MaxRefusedCalls || f.reported {
		return nil
	}
	f.reported = true

	return f.why
}

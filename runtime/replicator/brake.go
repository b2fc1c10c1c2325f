package replicator

import (
	"fmt"
	"sync"
)

// A table counts as wrong when it refuses puts for one reason that lies in its
// definition: more than maxRefusedInRow in a row, or wrongPercent of the puts of an
// invocation that has more than that.
const (
	maxRefusedInRow = 25
	wrongPercent    = 90
)

// brake keeps a target whose table refuses one put after the other, because of its
// own definition, from losing all of its items: a secondary index that somebody adds
// with a key of the wrong type refuses every item. While the brake is on, the stream
// waits. It lasts from one invocation of the process to the next, and a put that the
// table takes ends it. What lies in an item itself never counts.
type brake struct {
	// disabled lets every refused put go to the failure queue.
	disabled bool

	mu sync.Mutex
	on bool
	// refused holds the sequence numbers of the changes whose puts were refused in a
	// row, and why they all were. A change that is delivered again counts once.
	refused map[string]struct{}
	why     reason
}

// isOn reports whether the brake is on.
func (b *brake) isOn() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on
}

// accept tells the brake of a put that the table has taken.
func (b *brake) accept() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = false
	clear(b.refused)
}

// counts reports whether a put that was refused for a reason is a sign of a wrong
// table.
func (b *brake) counts(why reason) bool { return why != aboutItem && !b.disabled }

// refuse tells the brake of a put that was refused for a reason that counts, and
// reports whether the brake is on.
func (b *brake) refuse(why reason, sequenceNumber []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused == nil {
		b.refused = map[string]struct{}{}
	}
	if why != b.why {
		clear(b.refused)
	}
	b.why = why
	if len(b.refused) <= maxRefusedInRow {
		b.refused[string(sequenceNumber)] = struct{}{}
	}
	b.on = b.on || len(b.refused) > maxRefusedInRow

	return b.on
}

// judge tells the brake that an invocation is through with its puts, of which so many
// were refused for one reason that counts. It reports whether the brake is on.
func (b *brake) judge(puts, refused int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = b.on || puts > maxRefusedInRow && refused*100 >= puts*wrongPercent

	return b.on
}

// brakeError says that a table refuses puts because of its own definition.
type brakeError struct {
	tableName string
	why       reason
}

func (e *brakeError) Error() string {
	return fmt.Sprintf("the table %s refuses one put after the other for a reason that does not lie in the items: %s", e.tableName, e.why)
}

package replicator

import (
	"fmt"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// A table counts as wrong when it refuses puts for a reason that lies in its
// definition: more than maxRefusedInRow in a row for one such reason, or wrongPercent of
// the puts of an invocation that has more than that.
const (
	maxRefusedInRow = 25
	wrongPercent    = 90
)

// brake protects a target whose table refuses one put after the other because of its own
// definition: a secondary index with a key of the wrong type refuses every item, and
// without a brake the target would lose them all. While the brake is on, the stream
// waits. It lasts from one invocation of the process to the next, until the table stores
// a put. Refusals for a reason in the item itself never count.
type brake struct {
	// disabled sends every refused put to the failure queue.
	disabled bool

	mu sync.Mutex
	on bool
	// refused holds the sequence numbers of the changes whose puts were refused in a row:
	// a redelivered change counts once.
	refused map[string]struct{}
	// why is the reason that they share.
	why dynamodberror.Reason
}

// isOn reports whether the brake is on.
func (b *brake) isOn() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on
}

// accept tells the brake that the table has accepted a put. If the put was not stored,
// because its condition did not hold, the row ends but the brake does not: the item was
// there already, perhaps from before the table became wrong.
func (b *brake) accept(stored bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = b.on && !stored
	clear(b.refused)
}

// counts reports whether a put that was refused for this reason is a sign of a wrong
// table.
func (b *brake) counts(why dynamodberror.Reason) bool {
	return why != dynamodberror.AboutItem && !b.disabled
}

// refuse tells the brake that a put was refused for a reason that counts. It reports
// whether the brake is on.
func (b *brake) refuse(why dynamodberror.Reason, sequenceNumber []byte) bool {
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

// isUndecided reports whether a plan may still show that the table is wrong: the table has
// refused some of its puts, and open is how many have no answer yet.
func (b *brake) isUndecided(puts, refused, open int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if open == 0 {
		return false
	}
	row := len(b.refused)

	return row > 0 && row+open > maxRefusedInRow || isWrong(puts, refused+open)
}

// judge tells the brake how many of a plan's puts the table has refused in the end. It
// reports whether the brake is on.
func (b *brake) judge(puts, refused int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = b.on || isWrong(puts, refused)

	return b.on
}

func isWrong(puts, refused int) bool {
	return puts > maxRefusedInRow && refused*100 >= puts*wrongPercent
}

// brakeError says that a table refuses puts because of its own definition.
type brakeError struct {
	tableName string
	why       dynamodberror.Reason
}

func (e *brakeError) Error() string {
	return fmt.Sprintf("the table %s refuses too many puts for reasons that are not known to lie in the items; "+
		"the last one: %s", e.tableName, e.why)
}

func (e *brakeError) remedy() string {
	if e.why == dynamodberror.AboutUnknown {
		return "put one of the items by hand to see DynamoDB's message and correct the table's definition, " +
			"or set WriteBrake to false, so that refused records go to the failure queue with the message"
	}

	return "correct the table's definition, such as a secondary index whose key has another type " +
		"than the attribute, or set WriteBrake to false, so that refused records go to the failure queue"
}

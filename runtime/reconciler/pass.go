package reconciler

import "encoding/json"

// Operation is what passes over the tables do.
type Operation string

const (
	// Backfill puts the target items that are missing. It may run while the stream flows.
	Backfill Operation = "backfill"
	// Verify compares the tables and writes nothing.
	Verify Operation = "verify"
	// Repair is Verify, and mends each difference.
	Repair Operation = "repair"
)

// Pass is one scan of one table.
type Pass struct {
	Operation Operation
	// Target is the target table that is scanned, in reverse. Empty scans the source table.
	Target string `json:",omitempty"`
}

// Passes returns the passes of an operation, in their order. The first one scans the source
// table, the others scan one target table each. Those of Backfill have the operation Repair, and
// are needed only when a segment of the first one was interrupted.
func (r *Reconciler) Passes(o Operation) []Pass {
	passes := []Pass{{Operation: o}}
	reverse := o
	if o == Backfill {
		reverse = Repair
	}
	for _, t := range r.targets {
		passes = append(passes, Pass{Operation: reverse, Target: t.name})
	}

	return passes
}

// Segment is the progress of one segment of a pass. Its JSON can be stored, and Page continues
// from it in another process.
type Segment struct {
	Pass
	// Number is the segment's number, from 0 to Of-1. Of is the number of segments of the pass: at
	// least 1, at most 1,000,000 (DynamoDB's TotalSegments).
	Number, Of int
	// Cursor is the ExclusiveStartKey of the next page in DynamoDB's JSON. It holds key values.
	Cursor json.RawMessage `json:",omitempty"`
	// Begun says that a page which may have written is not finished.
	Begun bool `json:",omitempty"`
	// Interrupted says that the segment was resumed within such a page.
	Interrupted bool `json:",omitempty"`
	// Done says that there is no next page.
	Done   bool `json:",omitempty"`
	Counts Counts
}

package reconciler

// Counts count what happened. Items are counted once for each target.
type Counts struct {
	// Pages and Read count the scanned pages and items. Items are counted once here.
	Pages, Read int64

	// Backfill: Put items were missing, There items were equal already, Changed items changed
	// meanwhile or were not equal, and were made right by the primitive.
	Put, There, Changed int64

	// Equal items are as they should be. Verify and Repair.
	Equal int64
	// The differences that the grace time has not ended. Missing: a source item has no target
	// item. Extra: a target item has no source item that maps to it. Stale: its attributes differ.
	// WrongOwner: it shows another source item than the one that maps there.
	Missing, Extra, Stale, WrongOwner int64
	// Unclaimed counts live source items whose target key is empty, although several may have it.
	// LAST_WRITER_WINS only.
	Unclaimed int64
	// Repaired differences were mended, Unrepaired ones were not.
	Repaired, Unrepaired int64

	// Collisions count source items whose target key another live source item has.
	// LAST_WRITER_WINS only.
	Collisions int64
	// Unmappable source items have a target key that cannot be derived, or a target item that
	// DynamoDB refuses.
	Unmappable int64
	// Kept target items have no source item that maps to them, where expired items are kept.
	Kept int64
	// Filtered source items have no target item, by the filter or for want of a key attribute.
	Filtered int64

	// Requests and Throttles count requests as the program sends them, without the SDK's retries,
	// and those that a table throttled.
	Requests, Throttles int64
	// The consumed capacity units, as DynamoDB reports them.
	SourceReadUnits, SourceWriteUnits, TargetReadUnits, TargetWriteUnits float64
}

// Add adds more to c.
func (c *Counts) Add(more Counts) {
	c.Pages += more.Pages
	c.Read += more.Read
	c.Put += more.Put
	c.There += more.There
	c.Changed += more.Changed
	c.Equal += more.Equal
	c.Missing += more.Missing
	c.Extra += more.Extra
	c.Stale += more.Stale
	c.WrongOwner += more.WrongOwner
	c.Unclaimed += more.Unclaimed
	c.Repaired += more.Repaired
	c.Unrepaired += more.Unrepaired
	c.Collisions += more.Collisions
	c.Unmappable += more.Unmappable
	c.Kept += more.Kept
	c.Filtered += more.Filtered
	c.Requests += more.Requests
	c.Throttles += more.Throttles
	c.SourceReadUnits += more.SourceReadUnits
	c.SourceWriteUnits += more.SourceWriteUnits
	c.TargetReadUnits += more.TargetReadUnits
	c.TargetWriteUnits += more.TargetWriteUnits
}

// Differences returns the number of differences, of which Repaired no longer exist. strict counts
// unclaimed keys too.
func (c Counts) Differences(strict bool) int64 {
	n := c.Missing + c.Extra + c.Stale + c.WrongOwner
	if strict {
		n += c.Unclaimed
	}
	return n
}

package main

import (
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// Dollars for a million units on demand in us-east-1 since 2024-11-01, in the standard table class.
// Source: Amazon DynamoDB pricing, "Pricing for on-demand capacity".
const (
	dollarsPerMillionWrites = 0.625
	dollarsPerMillionReads  = 0.125
)

// Bytes of one unit. Source: Amazon DynamoDB Developer Guide, "DynamoDB read and write operations".
const (
	bytesPerWriteUnit = 1 << 10
	bytesPerReadUnit  = 4 << 10
)

// estimate is what a run needs. Only the tables themselves know it exactly.
type estimate struct {
	// Items are those of the table that is scanned first, and Scanned those of all passes.
	Items, Scanned int64
	ItemBytes      int64
	// ReadUnits are needed whatever differs. WriteUnits are those of a backfill's puts if nothing is there, and those
	// of a repair if every item differs.
	ReadUnits, WriteUnits float64
	// TransactionUnits are the write units of one transaction that makes an item right in all targets:
	// of a repair for an item that differs, and of a backfill for one that changes meanwhile or that
	// it finds unequal. A backfill's are not in WriteUnits.
	TransactionUnits float64
	// Dollars are for ReadUnits and WriteUnits, on demand in us-east-1.
	Dollars float64
	Minutes float64

	operation reconciler.Operation
	writes    bool
}

// What a request takes and holds. DynamoDB usually answers in single-digit milliseconds. Source of
// the sizes: Amazon DynamoDB API Reference, Scan, BatchExecuteStatement and BatchGetItem.
const (
	usualAnswer  = 5 * time.Millisecond
	scanBytes    = 1 << 20
	putsPerCall  = 25
	readsPerCall = 100
)

// A transaction writes everything twice, and so it costs twice. Its condition on the source item
// counts as a write of that item. Source: Amazon DynamoDB Developer Guide, "Amazon DynamoDB
// Transactions: How it works".
const transactionFactor = 2

// newEstimate estimates an operation over so many segments. Its reads are consistent.
func newEstimate(operation reconciler.Operation, source table, targets []table, segments int, s settings) estimate {
	e := estimate{Items: source.items, Scanned: source.items, operation: operation}
	e.writes = operation != reconciler.Verify && !s.dryRun
	if source.items > 0 {
		e.ItemBytes = source.bytes / source.items
	}

	items, scan := float64(source.items), float64(source.bytes)
	readUnits := math.Ceil(float64(e.ItemBytes) / bytesPerReadUnit) // of one item by its key
	writeUnits := math.Ceil(float64(e.ItemBytes) / bytesPerWriteUnit)
	requests := scan / scanBytes
	busiest := 0.0 // the write units of one target
	most := items  // of any table
	e.ReadUnits = scan / bytesPerReadUnit
	for _, t := range targets {
		there := float64(t.items)
		most = max(most, there)
		switch operation {
		case reconciler.Backfill:
			// A put that is refused, because the item is there, costs as much as one that is not.
			// Source: Amazon DynamoDB Developer Guide, "Condition expressions".
			there = min(there, items)
			e.ReadUnits += there * readUnits
			e.WriteUnits += items * writeUnits
			busiest = max(busiest, items*writeUnits)
			requests += items/putsPerCall + there/readsPerCall
		case reconciler.Verify, reconciler.Repair:
			e.Scanned += t.items
			e.ReadUnits += items*readUnits + float64(t.bytes)/bytesPerReadUnit + there*readUnits
			requests += (items+there)/readsPerCall + float64(t.bytes)/scanBytes
		}
	}
	if operation == reconciler.Backfill { // each page is scanned twice
		e.ReadUnits += scan / bytesPerReadUnit
		requests += scan / scanBytes
	}

	if e.writes { // a target item is taken to be as large as its source item
		e.TransactionUnits = transactionFactor * max(1, writeUnits) * float64(1+len(targets))
	} else {
		e.WriteUnits, busiest = 0, 0
	}
	if e.writes && operation == reconciler.Repair {
		e.WriteUnits = most * e.TransactionUnits
	}

	e.Dollars = dollars(e.ReadUnits, e.WriteUnits)
	e.Minutes = requests * usualAnswer.Minutes() / float64(reconciler.DefaultInFlight*segments)
	if s.writeUnits > 0 {
		e.Minutes = max(e.Minutes, busiest/s.writeUnits/60)
	}
	if s.readUnits > 0 { // a limit of each table, which share the reads about equally
		e.Minutes = max(e.Minutes, e.ReadUnits/float64(1+len(targets))/s.readUnits/60)
	}

	return e
}

// String returns the estimate as lines.
func (e estimate) String() string {
	const where = "on demand in us-east-1 (prices of November 2024; other Regions differ)"
	rounded := func(n float64) string { return humanize.Comma(int64(math.Ceil(n))) }
	minutes := "about a minute or less"
	if e.Minutes > 1 {
		minutes = fmt.Sprintf("at least %s min", rounded(e.Minutes))
	}
	text := fmt.Sprintf("%s items of %s, by DynamoDB's own count of the last six hours; %s\n",
		humanize.Comma(e.Items), humanize.IBytes(uint64(max(0, e.ItemBytes))), minutes)
	reads := fmt.Sprintf("about %s read units", rounded(e.ReadUnits))

	switch {
	case !e.writes:
		return text + fmt.Sprintf("%s and no write units: %.2f $ %s", reads, e.Dollars, where)
	case e.operation == reconciler.Repair:
		return text + fmt.Sprintf("%s, and for each item that differs %s write units of the source and target tables: "+
			"%.2f $ if none does, about %.2f $ if all do, %s",
			reads, rounded(e.TransactionUnits), dollars(e.ReadUnits, 0), e.Dollars, where)
	default:
		return text + fmt.Sprintf("at most %s write units for puts and %s: %.2f $ %s\n"+
			"besides, for each item that changes meanwhile or differs from what is there, "+
			"%s write units of the source and target tables",
			rounded(e.WriteUnits), reads, e.Dollars, where, rounded(e.TransactionUnits))
	}
}

// dollars returns what units cost on demand.
func dollars(readUnits, writeUnits float64) float64 {
	return (writeUnits*dollarsPerMillionWrites + readUnits*dollarsPerMillionReads) / 1e6
}

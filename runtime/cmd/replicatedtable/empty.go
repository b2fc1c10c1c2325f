package main

import (
	"github.com/dustin/go-humanize"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// passCounts are the counts of a pass, or of a part of it.
type passCounts struct {
	reconciler.Pass
	Counts reconciler.Counts
}

// warnOfEmpty warns of targets in which verify has found nothing at all. Under LAST_WRITER_WINS, an
// empty key is no difference, so a target that was never filled looks equal.
func (c *command) warnOfEmpty(s spec.Spec, passes []passCounts) {
	read, unclaimed := map[string]int64{}, int64(0)
	for _, p := range passes {
		if p.Operation != reconciler.Verify {
			return
		}
		read[p.Target] += p.Counts.Read
		unclaimed += p.Counts.Unclaimed
	}
	for _, t := range s.Targets {
		if t.OnKeyCollision == spec.LastWriterWins && unclaimed > 0 && read[t.TableName] == 0 {
			c.note("warning: %s is empty, and %s source items map to keys without an item: under %s these are not "+
				"differences; if the table was never filled, run backfill (-strict makes them differences)",
				t.TableName, humanize.Comma(unclaimed), spec.LastWriterWins)
		}
	}
}

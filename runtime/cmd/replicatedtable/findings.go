package main

import (
	"fmt"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// findings prints what a run has found: each with its keys if that is wanted, otherwise each kind
// and reason once, at the end.
type findings struct {
	command *command
	mu      sync.Mutex
	tally   tally[reason]
}

type reason struct {
	Kind                reconciler.Kind
	TargetTable, Reason string
}

func (f *findings) add(found reconciler.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.command
	switch {
	case !c.flags.keys:
		f.tally.add(reason{found.Kind, found.TargetTable, found.Reason},
			reason{found.Kind, found.TargetTable, otherReasons})
	case c.flags.json:
		c.emit("finding", found)
	default:
		fmt.Fprintln(c.stdout, describeFinding(found))
	}
}

func describeFinding(found reconciler.Finding) string {
	text := fmt.Sprintf("%s in %s", found.Kind, found.TargetTable)
	if found.SourceKey != nil {
		text += ", source key " + string(found.SourceKey)
	}
	if found.TargetKey != nil {
		text += ", target key " + string(found.TargetKey)
	}
	if found.Reason != "" {
		text += ": " + found.Reason
	}
	if found.Repaired {
		text += " (repaired)"
	}
	return text
}

// summarize prints the reasons, the most frequent first.
func (f *findings) summarize() {
	for why, count := range f.tally.mostFirst() {
		switch {
		case f.command.flags.json:
			f.command.emit("findings", struct {
				reason
				Items int64
			}{why, count})
		case why.Reason != "":
			fmt.Fprintf(f.command.stdout, "%s %s in %s: %s\n", humanize.Comma(count), why.Kind, why.TargetTable, why.Reason)
		}
	}
}

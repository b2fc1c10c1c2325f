package main

import (
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// workload is one case: a payload, and the mapping it goes through.
type workload struct {
	name    string
	title   string
	spec    spec.Spec
	records int
	payload func() []byte
	// items is the number of items of each target after a function that writes every source
	// item that changed; unchanged of them were the same in the target before.
	items, unchanged int
	// before fills the target before every run, which does not count. Usually nil.
	before func() []byte
	// live says that answers depend on what is in the target.
	live bool
	// warmUp is a payload with a tenth of the records, for serial variants.
	warmUp func() []byte
}

const severalTargets = 5

// workloads returns all cases.
func workloads() []workload {
	return []workload{
		inserts("1x1KB", "1 new item of 1 KB", orders.Unique(), 1, orders.Large),
		inserts("1000x1KB", "1,000 new items of 1 KB", orders.Unique(), 1000, orders.Large),
		inserts("1000x200B", "1,000 new items of 200 B", orders.Unique(), 1000, orders.Small),
		{
			name: "200x5", title: "200 items of 1 KB, 5 changes each", spec: orders.Unique(), records: 1000, items: 200,
			payload: func() []byte { return orders.Changes(200, 5, orders.Large) },
			warmUp:  func() []byte { return orders.Changes(20, 5, orders.Large) },
		},
		{
			name:  "no-ops-1000x1KB",
			title: "1,000 items of 1 KB, of which 900 change only where it is not projected",
			spec:  orders.Unique(), records: 1000, items: 1000, unchanged: 900,
			payload: func() []byte { return orders.Checks(1000, orders.Large) },
			warmUp:  func() []byte { return orders.Checks(100, orders.Large) },
		},
		// As many as fit into the 6 MB of an invocation's payload.
		inserts("8000-small", "8,000 new items of 200 B, a payload of almost 6 MB", orders.Unique(), 8000, orders.Small),
		inserts("conditional-1000x1KB", "1,000 new items of 1 KB, every write conditional",
			orders.Colliding(), 1000, orders.Large),
		conditional("update", "1,000 items of 1 KB, one attribute changed, every write conditional",
			orders.Updates, false),
		conditional("names", "1,000 items of 1 KB, an attribute added and one removed, every write conditional",
			orders.Renewals, false),
		conditional("stale", "1,000 new items of 1 KB, of which 100 are there in a newer state, every write conditional",
			orders.Inserts, true),
		conditional("redelivered", "1,000 new items of 1 KB, all of them delivered before, every write conditional",
			orders.Inserts, true),
		inserts("5-targets-1000x1KB", "1,000 new items of 1 KB, to 5 targets",
			orders.Several(severalTargets), 1000, orders.Large),
	}
}

// specFor returns the spec of a variant.
func (w workload) specFor(v variant) spec.Spec {
	s := w.spec
	if v.firstTarget {
		s.Targets = s.Targets[:1]
	}
	if v.silent {
		s.Metrics = spec.MetricsNone
	}
	return s
}

// written returns how many items of each target a variant has to write.
func (w workload) written(v variant) int {
	if v.yardstick {
		return w.items
	}
	return w.items - w.unchanged
}

// conditional is a workload of 1,000 orders, on a target that has them, or in part.
func conditional(name, title string, payload func(n int, size orders.Size) []byte, live bool) workload {
	w := workload{
		name: "conditional-" + name + "-1000x1KB", title: title, spec: orders.Colliding(), records: 1000, items: 1000,
		payload: func() []byte { return payload(1000, orders.Large) },
		before:  func() []byte { return orders.Inserts(1000, orders.Large) },
		live:    live,
		warmUp:  func() []byte { return payload(100, orders.Large) },
	}
	if name == "stale" {
		w.before = func() []byte { return orders.Newer(100, orders.Large) }
	}
	return w
}

func inserts(name, title string, s spec.Spec, n int, size orders.Size) workload {
	return workload{
		name: name, title: title, spec: s, records: n, items: n,
		payload: func() []byte { return orders.Inserts(n, size) },
		warmUp:  func() []byte { return orders.Inserts(max(n/10, 1), size) },
	}
}

package replicator

import (
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// counts is what an invocation counts for its metrics: the changes and writes of each
// target, and what belongs to no target. It lives in the workspace, so counting allocates
// nothing.
type counts struct {
	// batch counts the records that no target can have, and holds the lag and the duration.
	batch   figures
	targets []figures
}

// figures are what a metric is about, of one target or of the batch.
type figures struct {
	records, writes, elided, unmapped, stale, retried, failed, setAside, single int
	systemic                                                                    int // 0 or 1
	lag, duration                                                               time.Duration
}

// reset forgets the last invocation.
func (c *counts) reset() {
	c.batch = figures{}
	clear(c.targets)
}

// planned counts the changes of a plan that need no write of their own. The rest are the
// effects that wait for another plan.
func (c *counts) planned(effects, rest []effect, chains []chain) {
	for i := range effects {
		c.targets[effects[i].mapping].change(&effects[i], 1)
	}
	for i := range rest {
		c.targets[rest[i].mapping].change(&rest[i], -1)
	}
	for i := range chains {
		if chains[i].last != nil {
			c.targets[chains[i].mapping].elided--
		}
	}
}

// change counts a change that may need no write, n times. One that can never be applied
// counts when the failure queue has its message.
func (t *figures) change(e *effect, n int) {
	exists := e.before.Exists() || e.after.Exists()
	switch {
	case e.after.Err != nil && e.unchanged:
	case exists:
		t.elided += n
	default:
		t.unmapped += n
	}
}

// judged counts the targets that fail as a whole. When the whole batch fails, all do. One that has
// nothing to write fails as at its last write.
func (c *counts) judged(failures []failure, healths []*health) {
	whole := isSystemic(failures)
	for i := range c.targets {
		if whole || healths[i].isFailing() {
			c.targets[i].systemic = 1
		}
	}
	for _, f := range failures {
		if f.mapping != everyMapping && (f.class == systemic || f.class == setAside) {
			c.targets[f.mapping].systemic = 1
		}
	}
}

// sent counts what the failure queue has accepted.
func (c *counts) sent(failures []failure) {
	for _, f := range failures {
		t := &c.batch
		if f.mapping != everyMapping {
			t = &c.targets[f.mapping]
		}
		if f.class == setAside {
			t.setAside++
		} else {
			t.failed++
		}
	}
}

// total adds up what the targets have in common with the batch.
func (c *counts) total() figures {
	sum := c.batch
	for i := range c.targets {
		t := &c.targets[i]
		sum.writes += t.writes
		sum.elided += t.elided
		sum.unmapped += t.unmapped
		sum.stale += t.stale
		sum.retried += t.retried
		sum.failed += t.failed
		sum.setAside += t.setAside
	}
	return sum
}

// value returns the value of a metric.
func (t *figures) value(m spec.Metric) int64 {
	switch m {
	case spec.MetricRecords:
		return int64(t.records)
	case spec.MetricWrites:
		return int64(t.writes)
	case spec.MetricElided:
		return int64(t.elided)
	case spec.MetricUnmapped:
		return int64(t.unmapped)
	case spec.MetricStale:
		return int64(t.stale)
	case spec.MetricRetried:
		return int64(t.retried)
	case spec.MetricFailed:
		return int64(t.failed)
	case spec.MetricSetAside:
		return int64(t.setAside)
	case spec.MetricSystemicFailures:
		return int64(t.systemic)
	case spec.MetricSingleWrites:
		return int64(t.single)
	case spec.MetricLag:
		return t.lag.Milliseconds()
	case spec.MetricDuration:
		return t.duration.Milliseconds()
	default:
		panic("replicator: the metric " + m.Name + " has no value")
	}
}

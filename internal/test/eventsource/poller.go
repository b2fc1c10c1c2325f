package eventsource

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// Poller reads one stream for days, as an event source mapping does, by the clock of package
// time: in a testing/synctest bubble that is fake. A test tells it what the stream has got
// with [Poller.Append], and what people do to the mapping with the other methods.
type Poller struct {
	handle Handler
	every  time.Duration

	mu      sync.Mutex
	mapping Mapping
	// disabled and denied say why nobody reads.
	disabled, denied bool
	// kept are the records of the stream that are not yet done, oldest first.
	kept  []keptRecord
	stats Stats
	// interrupt ends the delivery that is in progress.
	interrupt context.CancelFunc
}

// keptRecord is a record and its shard. Shards follow each other.
type keptRecord struct {
	shard string
	Record
}

// NewPoller returns a Poller for a mapping that polls from time to time. Lambda polls each
// shard four times a second; an alarm needs to see only that it does.
func NewPoller(mapping Mapping, every time.Duration, handle Handler) *Poller {
	return &Poller{mapping: mapping, every: every, handle: handle, interrupt: func() {}}
}

var createdAt = regexp.MustCompile(`"ApproximateCreationDateTime":[^,}]+`)

// Append adds records to the stream. They are created now: their own time is that of the
// engine, which knows no fake clock.
func (p *Poller) Append(shards []Shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, s := range shards {
		for _, r := range s.Records {
			r.Created = now
			// A stream's clock is as fine as a second.
			r.JSON = createdAt.ReplaceAll(r.JSON, fmt.Appendf(nil, `"ApproximateCreationDateTime":%d`, now.Unix()))
			p.kept = append(p.kept, keptRecord{s.ID, r})
		}
	}
}

// Enable enables or disables the mapping.
func (p *Poller) Enable(enabled bool) {
	p.update(func() { p.disabled = !enabled })
}

// Allow gives the function's role the right to read the stream, or takes it away.
func (p *Poller) Allow(allowed bool) {
	p.update(func() { p.denied = !allowed })
}

// Change changes the settings of the mapping. What is being delivered is delivered with
// the new ones, and has all their retries: Lambda does not say what it does.
func (p *Poller) Change(change func(*Mapping)) {
	p.update(func() { change(&p.mapping) })
}

func (p *Poller) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.interrupt()
}

// Pending returns how many records are neither done nor given up.
func (p *Poller) Pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.kept)
}

// Stats returns what has happened so far, without the delivery that is in progress.
func (p *Poller) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Run polls until the context ends. An error means that Lambda would not accept the mapping.
func (p *Poller) Run(ctx context.Context) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := p.poll(ctx); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// poll polls once, and delivers what it finds.
func (p *Poller) poll(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := p.begin(cancel)
	if l == nil || err != nil {
		return err
	}

	l.mapping.Meter.polled(len(l.records))
	// It ends early only when it is interrupted: by a change, or by the end of the test.
	_ = l.drain(ctx)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = p.kept[l.at:]
	p.stats.add(l.stats)
	p.interrupt = func() {}

	return nil
}

// begin returns what a poll finds, or nil when nobody may poll.
func (p *Poller) begin(interrupt context.CancelFunc) (*lane, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	mapping, err := p.mapping.settings()
	if err == nil && mapping.ParallelizationFactor > 1 {
		err = fmt.Errorf("event source mapping: a poller has a ParallelizationFactor of 1, not %d", mapping.ParallelizationFactor)
	}
	if err != nil {
		return nil, err
	}
	p.trim(mapping.Retention)
	if p.disabled || p.denied {
		return nil, nil
	}

	l := &lane{mapping: mapping, handle: p.handle, destination: new(sync.Mutex)}
	for _, r := range p.kept {
		if l.shardID != "" && l.shardID != r.shard {
			break
		}
		l.shardID = r.shard
		l.records = append(l.records, r.Record)
	}
	p.interrupt = interrupt

	return l, nil
}

// trim drops what the stream no longer has.
func (p *Poller) trim(retention time.Duration) {
	for retention > 0 && len(p.kept) > 0 && time.Since(p.kept[0].Created) > retention {
		p.kept = p.kept[1:]
		p.stats.Trimmed++
	}
}

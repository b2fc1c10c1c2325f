package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// How often the progress is shown: to a person, and in lines.
const (
	barInterval  = 200 * time.Millisecond
	lineInterval = 5 * time.Second
)

// note prints a line for a person.
func (c *command) note(format string, args ...any) {
	fmt.Fprintf(c.stderr, format+"\n", args...)
}

// emit prints one line of JSON, with its type as the first member.
func (c *command) emit(kind string, value any) {
	content, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("counts and texts can always be encoded: %v", err))
	}
	fmt.Fprintf(c.stdout, "{%q:%q,%s\n", "Type", kind, content[1:])
}

// display shows the progress of a run until it is stopped.
type display struct {
	command  *command
	counts   func() reconciler.Counts
	scanned  int64 // the number of items to read, about
	bar      *progressbar.ProgressBar
	begin    time.Time
	first    reconciler.Counts // at begin
	last     reconciler.Counts
	lastTime time.Time
	stopped  chan struct{}
	done     sync.WaitGroup
}

func (c *command) startDisplay(r *record, e estimate) *display {
	d := &display{
		command: c,
		counts:  func() reconciler.Counts { counts, _ := r.counts(); return counts },
		scanned: max(e.Scanned, 1),
		begin:   time.Now(), lastTime: time.Now(),
		stopped: make(chan struct{}),
	}
	d.first = d.counts()
	d.last = d.first

	interval := lineInterval
	if c.terminal && !c.flags.json {
		interval = barInterval
		d.bar = progressbar.NewOptions64(d.scanned, progressbar.OptionSetWriter(c.stderr),
			progressbar.OptionSetWidth(10), progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish())
	}
	d.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-d.stopped:
				return
			case <-tick.C:
				d.show()
			}
		}
	})

	return d
}

func (d *display) stop() {
	close(d.stopped)
	d.done.Wait()
	if d.bar != nil {
		_ = d.bar.Clear()
	}
}

// rates are what changes from one moment to the next.
type rates struct {
	Percent               float64
	ReadUnits, WriteUnits float64 // a second
	SecondsLeft           float64 // 0: not known yet
}

func (d *display) show() {
	counts, now := d.counts(), time.Now()
	seconds := now.Sub(d.lastTime).Seconds()
	part := min(float64(counts.Read)/float64(d.scanned), 0.99) // 1 is the end, which the last line says
	r := rates{
		Percent:    100 * part,
		ReadUnits:  (readUnits(counts) - readUnits(d.last)) / seconds,
		WriteUnits: (counts.TargetWriteUnits - d.last.TargetWriteUnits) / seconds,
	}
	if progress := part - float64(d.first.Read)/float64(d.scanned); progress > 0 {
		r.SecondsLeft = now.Sub(d.begin).Seconds() * (1 - part) / progress
	}
	if d.bar == nil || now.Sub(d.lastTime) >= time.Second {
		d.last, d.lastTime = counts, now
	}

	switch {
	case d.command.flags.json:
		d.command.emit("progress", struct {
			rates
			Counts reconciler.Counts
		}{r, counts})
	case d.bar != nil:
		d.bar.Describe(d.fitting(counts, r))
		_ = d.bar.Set64(min(counts.Read, d.scanned-1))
	default:
		fmt.Fprintf(d.command.stderr, "%.0f %%, %s, %s\n", r.Percent, d.command.line(counts, true), r)
	}
}

// barColumns is what the bar itself takes of a terminal's line, with its percentage.
const (
	barColumns     = 24
	defaultColumns = 80
)

// fitting returns what fits in a line of the terminal besides the bar: what is still to come, and the
// counts that are not zero.
func (d *display) fitting(counts reconciler.Counts, r rates) string {
	columns, _, err := term.GetSize(int(os.Stderr.Fd())) // #nosec G115 -- descriptors are small
	if err != nil || columns == 0 {
		columns = defaultColumns
	}
	text := fmt.Sprintf("%s units/s", humanize.Comma(int64(max(r.WriteUnits, r.ReadUnits))))
	if r.SecondsLeft > 0 {
		text = r.left() + ", " + text
	}
	text += ", " + d.command.line(counts, false)

	return text[:max(0, min(len(text), columns-barColumns))]
}

func readUnits(c reconciler.Counts) float64 { return c.SourceReadUnits + c.TargetReadUnits }

func (r rates) String() string {
	return fmt.Sprintf("%s write and %s read units/s, %s",
		humanize.Comma(int64(r.WriteUnits)), humanize.Comma(int64(r.ReadUnits)), r.left())
}

func (r rates) left() string {
	if r.SecondsLeft == 0 {
		return "unknown time left"
	}
	return time.Duration(r.SecondsLeft*float64(time.Second)).Round(time.Second).String() + " left"
}

// line returns the counts that matter for the operation, those that are usually zero only when they
// are not. Without all, no zero is shown.
func (c *command) line(n reconciler.Counts, all bool) string {
	var texts []string
	add := func(always bool, count int64, what string) {
		if count > 0 || always && all {
			texts = append(texts, humanize.Comma(count)+" "+what)
		}
	}

	backfills := c.name == string(reconciler.Backfill)
	add(true, n.Read, "read")
	add(backfills, n.Put, "put")
	add(backfills, n.There, "there")
	add(backfills, n.Changed, "changed meanwhile")
	add(!backfills, n.Equal, "equal")
	add(!backfills, n.Missing, "missing")
	add(!backfills, n.Extra, "extra")
	add(!backfills, n.Stale, "stale")
	add(!backfills, n.WrongOwner, "of a wrong owner")
	add(false, n.Unclaimed, "unclaimed")
	add(false, n.Repaired, "repaired")
	add(false, n.Unrepaired, "not repaired")
	add(false, n.Collisions, "collisions")
	add(false, n.Kept, "kept")
	add(false, n.Filtered, "filtered")
	add(true, n.Unmappable, "unmappable")
	add(true, n.Throttles, "throttles")

	return strings.Join(texts, ", ")
}

// result prints the last line of a run.
func (c *command) result(n reconciler.Counts, code int) {
	if c.flags.json {
		c.emit("end", struct {
			ExitCode int
			Counts   reconciler.Counts
		}{code, n})
		return
	}
	outcome := map[int]string{
		exitDone: "done", exitDifferences: "done, and differences are left", exitUnfinished: "not finished",
	}[code]
	fmt.Fprintf(c.stdout, "%s: %s; %s requests, %.0f read and %.0f write units\n",
		outcome, c.line(n, true), humanize.Comma(n.Requests), readUnits(n), n.TargetWriteUnits+n.SourceWriteUnits)
}

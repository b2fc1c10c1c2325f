package reconciler

import (
	"context"
	"fmt"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// Page carries out the next page of a segment: it scans at most 1 MB, and moves the cursor. A
// segment that arrives with Begun becomes Interrupted. Verify and Repair scan more pages while
// differences wait for the end of Grace, so such a call may take twice that time.
//
// save is called with the segment before the first write of the page, with Begun, and after the
// page. An error of it ends the page; before the first write, nothing was written then.
//
// Page ends early with the error of ctx, and the segment's cursor stays. To stop without an
// interruption, finish the page and do not start the next one.
func (r *Reconciler) Page(ctx context.Context, s *Segment, save func(Segment) error) error {
	if s.Done {
		return nil
	}
	p := &page{r: r, segment: s, save: save}
	defer p.release()
	s.Interrupted = s.Interrupted || s.Begun

	var next []byte // the cursor
	var err error
	switch compares := s.Operation == Verify || s.Operation == Repair; {
	case compares && s.Target != "":
		next, err = p.reverse(ctx)
	case compares:
		next, err = p.forward(ctx)
	case s.Operation == Backfill && s.Target == "":
		next, err = p.backfill(ctx)
	default:
		err = fmt.Errorf("the operation %q of the target %q is unknown", s.Operation, s.Target)
	}
	if err != nil {
		return err
	}

	s.Counts.Add(p.Counts)
	s.Begun, s.Cursor, s.Done = false, next, len(next) == 0

	return save(*s)
}

// page is one page of a segment.
type page struct {
	r       *Reconciler
	segment *Segment
	save    func(Segment) error
	tally
	// used are the exchanges whose items are in use until release.
	used   []*exchange
	mapper mapping.Mapper

	begin sync.Once
	begun error
}

// release ends the validity of the items that were read.
func (p *page) release() {
	p.r.exchanges.put(p.used...)
	p.used = p.used[:0]
	p.mapper.Reset()
}

// beforeWrite saves that the page has begun, once.
func (p *page) beforeWrite() error {
	p.begin.Do(func() {
		if p.segment.Begun {
			return // it was resumed
		}
		begun := *p.segment
		begun.Begun = true
		if p.begun = p.save(begun); p.begun == nil {
			p.segment.Begun = true
		}
	})
	return p.begun
}

// report reports a finding, if somebody wants it.
func (r *Reconciler) report(f Finding) {
	if r.options.Report != nil {
		r.options.Report(f)
	}
}

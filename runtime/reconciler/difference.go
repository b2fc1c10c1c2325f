package reconciler

import (
	"bytes"
	"context"
	"time"

	"github.com/replicatedtable/cdk-go/internal/backoff"
)

// maxDoubts bounds the memory of the differences that wait for the end of the grace time.
const maxDoubts = 5000

// lookAhead scans pages and judges each. As long as differences wait for the end of the grace time, it
// scans the next one: where there are many, waiting for those of each page would take days. It returns
// the differences, whose items have a size, and the cursor.
func lookAhead[T any](
	ctx context.Context, p *page, t *table, size func(T) int, judge func(x *exchange) (doubts []T, err error),
) (doubts []T, next []byte, err error) {
	next = p.segment.Cursor
	units := 0
	for end := time.Now().Add(p.r.options.Grace); ; {
		x, err := p.scan(ctx, t, next, p.r.options.pageLimit(), false)
		if err != nil {
			return nil, nil, err
		}
		p.Pages++
		p.Read += int64(len(x.items))
		next = bytes.Clone(x.last.Raw)
		more, err := judge(x)
		p.release()
		if err != nil {
			return nil, nil, err
		}

		doubts = append(doubts, more...)
		for _, doubt := range more {
			units += unitsToRead(size(doubt))
		}
		if len(doubts) == 0 || len(doubts) > maxDoubts || p.r.options.takesLong(units) ||
			len(next) == 0 || !time.Now().Before(end) {
			return doubts, next, nil
		}
	}
}

// unitsToRead returns how many units a consistent read of an item takes, at most.
func unitsToRead(bytes int) int {
	const bytesPerUnit = 4096
	return 1 + bytes/bytesPerUnit
}

// takesLong reports whether a look at differences that takes so many units of each table needs as long as a
// page. The last look begins when the grace time is nearly over, and a Lambda function has 15 minutes for
// a call of Page: it would never get on.
func (o *Options) takesLong(units int) bool {
	rate := o.lowerRate()
	return rate > 0 && float64(units) >= rate*pageTime
}

// settle looks at differences after 1, 2, 4 … seconds, until they are gone or the grace time is over.
// look returns those that are left of a part of them, whose items have a size.
func settle[T any](
	ctx context.Context, p *page, doubts []T, size func(T) int,
	look func(ctx context.Context, part []T) (left []T, err error),
) ([]T, error) {
	end := time.Now().Add(p.r.options.Grace)
	for wait := time.Second; len(doubts) > 0; wait *= 2 {
		rest := time.Until(end)
		if rest <= 0 {
			break
		}
		backoff.Sleep(ctx, min(wait, rest))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}

		var left []T
		for rest := doubts; len(rest) > 0; {
			n := fitting(rest, size, maxKeys*p.r.options.InFlight)
			more, err := look(ctx, rest[:n])
			rest = rest[n:]
			p.release()
			if err != nil {
				return nil, err
			}
			left = append(left, more...)
		}
		doubts = left
	}

	return doubts, nil
}

// fitting returns how many at the front may be in memory together: as much as a page, and at most most.
func fitting[T any](doubts []T, size func(T) int, most int) int {
	const page = 1 << 20
	n, bytes := 1, size(doubts[0])
	for n < min(len(doubts), most) {
		if bytes += size(doubts[n]); bytes > page {
			break
		}
		n++
	}

	return n
}

// difference counts and reports a difference.
func (p *page) difference(f Finding) {
	p.mu.Lock()
	switch f.Kind {
	case Missing:
		p.Missing++
	case Extra:
		p.Extra++
	case Stale:
		p.Stale++
	case WrongOwner:
		p.WrongOwner++
	case Unclaimed:
		p.Unclaimed++
	case Collided:
		p.Collisions++
	case CannotMap:
		p.Unmappable++
	}
	if p.segment.Operation != Verify {
		if f.Repaired {
			p.Repaired++
		} else {
			p.Unrepaired++
		}
	}
	p.mu.Unlock()
	p.r.report(f)
}

// repaired counts and reports what the primitive has done about a difference.
func (p *page) repaired(f Finding, result TargetResult) {
	switch result.Outcome {
	case Right:
		p.add(&p.Equal, 1) // it was merely behind
	case Written:
		f.Repaired = true
		p.difference(f)
	case Collision:
		p.add(&p.Collisions, 1)
		f.Kind = Collided
		p.r.report(f)
	case Unmappable:
		p.add(&p.Unmappable, 1)
		f.Kind, f.Reason = CannotMap, result.Reason
		p.r.report(f)
	case Kept:
		p.add(&p.Kept, 1)
	case Refused:
		f.Reason = result.Reason
		p.difference(f)
	}
}

package reconciler

import (
	"context"
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// appendScan appends the body of a Scan call for the page of a segment after a key, nil for the first
// one. limit is the highest number of items, 0 for what fits in 1 MB.
func (t *table) appendScan(dst []byte, s *Segment, after []byte, limit int, consistent bool) []byte {
	dst = append(dst, `{"ReturnConsumedCapacity":"TOTAL","TableName":`...)
	dst = dynamodbjson.AppendQuoted(dst, t.name)
	dst = append(dst, `,"Segment":`...)
	dst = strconv.AppendInt(dst, int64(s.Number), 10)
	dst = append(dst, `,"TotalSegments":`...)
	dst = strconv.AppendInt(dst, int64(s.Of), 10)
	if consistent {
		dst = append(dst, `,"ConsistentRead":true`...)
	}
	if limit > 0 {
		dst = append(dst, `,"Limit":`...)
		dst = strconv.AppendInt(dst, int64(limit), 10)
	}
	if len(after) > 0 {
		dst = append(dst, `,"ExclusiveStartKey":`...)
		dst = append(dst, after...)
	}

	return append(dst, '}')
}

// A page of 1 MB can have thousands of small items, and each costs a unit: at a low rate it would take
// longer than a Lambda function runs. So a page has at most as many items as a rate allows in
// pageTime, and at least minPage.
const (
	pageTime = 30 // seconds
	minPage  = 25
)

// lowerRate returns the lower one of the limits per second, 0 for none.
func (o *Options) lowerRate() float64 {
	if o.ReadUnits > 0 && (o.WriteUnits == 0 || o.ReadUnits < o.WriteUnits) {
		return o.ReadUnits
	}
	return o.WriteUnits
}

// pageLimit returns the highest number of items of a page, 0 for what fits in 1 MB.
func (o *Options) pageLimit() int {
	rate := o.lowerRate()
	if rate == 0 || rate*pageTime > maxPage {
		return 0
	}

	return max(int(rate*pageTime), minPage)
}

// maxPage is more items than fit in 1 MB.
const maxPage = 1 << 20

// scan reads the page of the segment after a key. Its items are valid until release.
func (p *page) scan(ctx context.Context, t *table, after []byte, limit int, consistent bool) (*exchange, error) {
	x := p.r.exchanges.getPage()
	p.used = append(p.used, x)
	x.body.Bytes = t.appendScan(x.body.Bytes[:0], p.segment, after, limit, consistent)
	err := p.r.sendRead(ctx, &p.tally, t, scan, x)

	return x, err
}

package reconciler

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// maxKeys is the highest number of keys in one BatchGetItem call. Source: Amazon DynamoDB API
// Reference, BatchGetItem. Its other limit, 16 MB of items, leaves keys unprocessed.
const maxKeys = 100

// stored is an item as it was read. The zero stored is absent.
type stored struct {
	in   *dynamodbjson.Payload
	item dynamodbjson.Item
}

func (s stored) exists() bool { return s.item.Exists() }

// lookup is the items of one table that were read by their keys.
type lookup struct {
	r     *Reconciler
	table *table

	mu        sync.Mutex
	items     map[string]stored // by the identities of their keys
	exchanges []*exchange
}

// free ends the validity of the items.
func (l *lookup) free() { l.r.exchanges.put(l.exchanges...) }

// lookup reads items by their keys, which may repeat.
func (r *Reconciler) lookup(
	ctx context.Context, y *tally, t *table, keys []key, consistent bool,
) (*lookup, error) {
	l := &lookup{r: r, table: t, items: make(map[string]stored, len(keys))}
	distinct := make([]key, 0, len(keys))
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if !seen[k.identity] {
			seen[k.identity] = true
			distinct = append(distinct, k)
		}
	}

	calls := slices.Collect(slices.Chunk(distinct, maxKeys))
	err := parallel(r.options.InFlight, calls, func(keys []key) error { return l.read(ctx, y, keys, consistent) })

	return l, err
}

// read reads the items of one call, and again what it has left.
func (l *lookup) read(ctx context.Context, y *tally, keys []key, consistent bool) error {
	for attempt := 0; len(keys) > 0; attempt++ {
		x := l.r.exchanges.get()
		x.body.Bytes = l.table.appendRead(x.body.Bytes[:0], keys, consistent)
		err := l.r.sendRead(ctx, y, l.table, batchGetItem, x)
		if err == nil {
			err = l.add(x)
		}
		if err != nil {
			return err
		}

		if keys, err = l.keysLeft(x); err != nil {
			return err
		}
		if len(keys) > 0 {
			// The table reads less than was asked for: its capacity is exceeded, or 16 MB are.
			if len(x.items) == 0 {
				l.r.throttle(y, l.table.read)
			}
			backoff.Sleep(ctx, backoff.Wait(attempt))
		}
	}

	return nil
}

// add adds the items of an answer.
func (l *lookup) add(x *exchange) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exchanges = append(l.exchanges, x)
	for _, item := range x.items {
		k, err := l.table.keyOf(&x.payload, item)
		if err != nil {
			return fmt.Errorf("an item of table %s: %w", l.table.name, err)
		}
		l.items[k.identity] = stored{&x.payload, item}
	}

	return nil
}

// keysLeft returns the keys that DynamoDB has not processed.
func (l *lookup) keysLeft(x *exchange) ([]key, error) {
	var keys []key
	for _, item := range x.left {
		k, err := l.table.keyOf(&x.payload, item)
		if err != nil {
			return nil, fmt.Errorf("an unprocessed key of table %s: %w", l.table.name, err)
		}
		keys = append(keys, k)
	}

	return keys, nil
}

// appendRead appends the body of a BatchGetItem call.
func (t *table) appendRead(dst []byte, keys []key, consistent bool) []byte {
	dst = append(dst, `{"ReturnConsumedCapacity":"TOTAL","RequestItems":{`...)
	dst = dynamodbjson.AppendQuoted(dst, t.name)
	dst = append(dst, `:{"ConsistentRead":`...)
	dst = fmt.Append(dst, consistent)
	dst = append(dst, `,"Keys":[`...)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, k.json...)
	}

	return append(dst, `]}}}`...)
}

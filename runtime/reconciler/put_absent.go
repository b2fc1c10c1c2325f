package reconciler

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// absentPutter puts the target items of a page where there are none.
type absentPutter struct {
	*page
	source *exchange // the page's items
	// maybePut says that something was put, or may have been: its answer was lost.
	maybePut atomic.Bool
	// wait says that a table asked to wait.
	wait atomic.Bool
}

// call is the writes of one request.
type call struct {
	target *target
	step   step
	writes []*write
}

// run carries out writes until each has come to an end.
func (a *absentPutter) run(ctx context.Context, writes []*write) error {
	for attempt := 0; len(writes) > 0; {
		a.wait.Store(false)
		err := parallel(a.r.options.InFlight, a.group(writes), func(c call) error { return a.call(ctx, c) })
		if err != nil {
			return err
		}

		writes = slices.DeleteFunc(writes, func(w *write) bool { return w.step >= put })
		if a.wait.Load() {
			backoff.Sleep(ctx, backoff.Wait(attempt))
			attempt++
		}
	}

	return nil
}

// group groups writes into calls. It sorts them.
func (a *absentPutter) group(writes []*write) []call {
	for _, w := range writes {
		if w.step == byStatement && (w.shape.Insert == "" || w.target.fallback.IsOn()) {
			w.step = bySingle
		}
	}
	separate(writes)
	same := func(a, b *write) bool { return a.target == b.target && a.step == b.step }
	if n := len(writes); n > 0 && slices.ContainsFunc(writes, func(w *write) bool { return !same(w, writes[0]) }) {
		slices.SortStableFunc(writes, func(a, b *write) int {
			return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(a.target.name, b.target.name))
		})
	}

	var calls []call
	for len(writes) > 0 {
		first := writes[0]
		n := 1
		for n < len(writes) && n < first.step.perCall() && same(writes[n], first) {
			n++
		}
		calls = append(calls, call{first.target, first.step, writes[:n:n]})
		writes = writes[n:]
	}

	return calls
}

func (s step) perCall() int {
	switch s {
	case byStatement:
		return statement.MaxPerCall
	case byRead:
		return maxKeys
	default:
		return 1
	}
}

// separate lets only one write for a key be a statement: DynamoDB refuses a call with two statements
// for one item. The others read what it leaves.
func separate(writes []*write) {
	seen := map[*target]map[string]bool{}
	for _, w := range writes {
		if w.step != byStatement || !w.target.mapping.Collisions {
			continue
		}
		keys := seen[w.target]
		if keys == nil {
			keys = map[string]bool{}
			seen[w.target] = keys
		}
		if keys[string(w.item.Key)] {
			w.step = byRead
		}
		keys[string(w.item.Key)] = true
	}
}

func (a *absentPutter) call(ctx context.Context, c call) error {
	switch c.step {
	case byStatement:
		return a.execute(ctx, c)
	case byRead:
		return a.read(ctx, c)
	default:
		return a.putOne(ctx, c.target, c.writes[0])
	}
}

// execute sends the writes of a call as statements.
func (a *absentPutter) execute(ctx context.Context, c call) error {
	x := a.r.exchanges.get()
	defer a.r.exchanges.put(x)
	x.body.Bytes = c.target.appendStatements(x.body.Bytes[:0], &a.source.payload, c.writes)
	err := a.r.sendWrite(ctx, &a.tally, &c.target.table, batchExecuteStatement, x)
	if err != nil || x.retried {
		a.maybePut.Store(true)
	}
	if err == nil && len(x.codes) != len(c.writes) {
		err = errAnswers
	}
	if err != nil {
		if ctx.Err() != nil || dynamodberror.Classify(err) == dynamodberror.Transient && !errors.Is(err, errAnswers) {
			return err
		}
		// One statement can refuse the whole call. Where the table fails, single requests show it.
		for _, w := range c.writes {
			w.step = bySingle
		}
		c.writes[0].denied = err
		return nil
	}

	a.executed(c, x.codes)

	return nil
}

var errAnswers = errors.New("the table has answered another number of statements than it was sent")

// executed handles the answers of statements.
func (a *absentPutter) executed(c call, codes []string) {
	denied, throttled := false, false
	for i, w := range c.writes {
		switch types.BatchStatementErrorCodeEnum(codes[i]) {
		case "":
			w.step = put
			a.maybePut.Store(true)
			c.target.refusedInRow.Store(0)
		case types.BatchStatementErrorCodeEnumDuplicateItem, types.BatchStatementErrorCodeEnumConditionalCheckFailed:
			w.step = byRead
		case types.BatchStatementErrorCodeEnumThrottlingError,
			types.BatchStatementErrorCodeEnumProvisionedThroughputExceeded,
			types.BatchStatementErrorCodeEnumRequestLimitExceeded:
			throttled = true
		case types.BatchStatementErrorCodeEnumInternalServerError,
			types.BatchStatementErrorCodeEnumTransactionConflict:
			a.maybePut.Store(true)
			a.wait.Store(true)
		case types.BatchStatementErrorCodeEnumAccessDenied, types.BatchStatementErrorCodeEnumResourceNotFound:
			w.step = bySingle
			if !denied {
				w.denied, denied = errDenied, true
			}
		default:
			w.step = bySingle
		}
	}
	if throttled {
		a.r.throttle(&a.tally, c.target.write)
		a.wait.Store(true)
	}
	if !denied {
		c.target.fallback.Accept()
	}
}

var errDenied = errors.New("statements are refused, and single writes are not")

// putOne sends a write by itself.
func (a *absentPutter) putOne(ctx context.Context, t *target, w *write) error {
	x := a.r.exchanges.get()
	defer a.r.exchanges.put(x)
	x.body.Bytes = t.appendPut(x.body.Bytes[:0], &a.source.payload, w)
	err := a.r.sendWrite(ctx, &a.tally, &t.table, putItem, x)
	if err == nil || x.retried {
		a.maybePut.Store(true)
	}
	if w.denied != nil && (err == nil || isConditional(err)) {
		t.fallback.Refuse(w.denied)
	}

	switch {
	case err == nil:
		w.step = put
		t.refusedInRow.Store(0)
	case isConditional(err):
		w.step = byRead
	case ctx.Err() == nil && dynamodberror.Classify(err) == dynamodberror.Permanent:
		w.step = unequal // the primitive sees that it is refused
	default:
		return err
	}

	return nil
}

func isConditional(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}

// read reads what is under the keys of writes.
func (a *absentPutter) read(ctx context.Context, c call) error {
	keys := make([]key, len(c.writes))
	for i, w := range c.writes {
		keys[i] = c.target.keyFor(&w.item)
	}
	found, err := a.r.lookup(ctx, &a.tally, &c.target.table, keys, true)
	defer found.free()
	if err != nil {
		return err
	}

	for i, w := range c.writes {
		have := found.items[keys[i].identity]
		own := have.exists() && a.r.isOwn(have, &a.source.payload, a.source.items[w.source])
		switch {
		case !have.exists():
			w.step = byStatement // it was deleted meanwhile
		case own && c.target.mapping.Equal(&a.source.payload, &w.item, have.in, have.item):
			w.step = there
		case own || !c.target.mapping.Collisions:
			w.step = unequal
		default:
			w.step = collides
		}
	}

	return nil
}

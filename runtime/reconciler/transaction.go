package reconciler

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// The limits of TransactWriteItems. Source: Amazon DynamoDB API Reference, TransactWriteItems. The
// limit of 4 MB is that of the items; their JSON has at least as many bytes.
const (
	maxActions          = 100
	maxTransactionBytes = 4 << 20
)

// action is one put or delete of a transaction.
type action struct {
	duty *duty
	put  bool
	// body is the action as an element of TransactItems.
	body []byte
	// foreign is the source item that must still not map to the key, nil for none.
	foreign *foreign
}

// transaction is actions that are carried out together, or not at all.
type transaction struct {
	// checks are the conditions on source items, as elements of TransactItems, by their identities:
	// DynamoDB refuses two for one item.
	checks  map[string][]byte
	order   []string
	actions []*action
	bytes   int
}

// transactions distributes actions: as few transactions as fit, puts before deletes, so that an item is
// briefly twice in a target and never missing. Each checks the source item.
func (e *effort) transactions(source stored, actions []*action) []*transaction {
	var all []*transaction
	for _, put := range []bool{true, false} {
		for _, a := range actions {
			if a.put != put {
				continue
			}
			var last *transaction
			if n := len(all); n > 0 {
				last = all[n-1]
			}
			if last == nil || !last.fits(a) || e.alone && last.actions[0].duty != a.duty {
				last = e.newTransaction(source)
				all = append(all, last)
			}
			last.add(e, a)
		}
	}

	return all
}

func (e *effort) newTransaction(source stored) *transaction {
	t := &transaction{checks: map[string][]byte{}}
	targets := make([]*target, len(e.duties))
	for i, d := range e.duties {
		targets[i] = d.target
	}
	t.check(e.r, e.key, source, targets)

	return t
}

// check adds the condition that a source item is still as it was read.
func (t *transaction) check(r *Reconciler, k key, item stored, targets []*target) {
	if _, known := t.checks[k.identity]; known {
		return
	}
	body := append([]byte(nil), `{"ConditionCheck":{"TableName":`...)
	body = dynamodbjson.AppendQuoted(body, r.source.name)
	body = append(body, `,"Key":`...)
	body = append(body, k.json...)
	body = r.check(item, targets).append(body)
	body = append(body, `}}`...)
	t.checks[k.identity] = body
	t.order = append(t.order, k.identity)
	t.bytes += len(body) + len(item.item.Raw)
}

func (t *transaction) fits(a *action) bool {
	n, size := len(t.checks)+len(t.actions)+1, t.bytes+len(a.body)
	if a.foreign != nil {
		n, size = n+1, size+2*len(a.foreign.item.item.Raw)
	}
	return n <= maxActions && size <= maxTransactionBytes
}

func (t *transaction) add(e *effort, a *action) {
	if a.foreign != nil {
		t.check(e.r, a.foreign.key, a.foreign.item, []*target{a.duty.target})
	}
	t.actions = append(t.actions, a)
	t.bytes += len(a.body)
}

// commit sends a transaction. committed is false when it was canceled: something has changed since it
// was read, or one of its items is refused.
func (t *transaction) commit(ctx context.Context, e *effort) (committed bool, err error) {
	x := e.r.exchanges.get()
	defer e.r.exchanges.put(x)
	x.body.Bytes = t.append(x.body.Bytes[:0])

	to := &t.actions[0].duty.target.table
	err = e.r.sendWrite(ctx, e.tally, to, transactWriteItems, x)
	var canceled *types.TransactionCanceledException
	switch {
	case err == nil:
		for _, a := range t.actions {
			a.duty.wrote = true
			if a.put {
				a.duty.target.refusedInRow.Store(0)
			}
		}
		return true, nil
	case errors.As(err, &canceled):
		return false, t.canceled(e, canceled.CancellationReasons)
	case ctx.Err() == nil && dynamodberror.Classify(err) == dynamodberror.Permanent:
		return false, t.refused(e, err)
	default:
		return false, err
	}
}

// append appends the body of the TransactWriteItems call.
func (t *transaction) append(dst []byte) []byte {
	dst = append(dst, `{"ReturnConsumedCapacity":"TOTAL","TransactItems":[`...)
	for _, identity := range t.order {
		dst = append(append(dst, t.checks[identity]...), ',')
	}
	for i, a := range t.actions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, a.body...)
	}

	return append(dst, `]}`...)
}

// canceled learns why a transaction was canceled.
func (t *transaction) canceled(e *effort, reasons []types.CancellationReason) error {
	for i, reason := range reasons {
		switch code := aws.ToString(reason.Code); code {
		case "None", "ConditionalCheckFailed", "TransactionConflict", "":
		case "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded":
			e.r.throttle(e.tally, t.actions[0].duty.target.write)
		case "ValidationError", "ItemCollectionSizeLimitExceeded":
			n := i - len(t.order)
			if n < 0 || n >= len(t.actions) || !t.actions[n].put {
				return t.canceledFor(code)
			}
			why := dynamodberror.AboutItem
			if code == "ValidationError" {
				why = dynamodberror.ReasonOfMessage(aws.ToString(reason.Message))
			}
			t.actions[n].duty.refuse(why, code+": "+why.String(), e.digest)
		default:
			return t.canceledFor(code)
		}
	}

	return nil
}

func (t *transaction) canceledFor(code string) error {
	return &tableError{t.actions[0].duty.target.name, canceledError(code)}
}

// refused learns from a transaction that was refused as a whole: one of its items cannot be stored. With
// items of one target only, it is known which.
func (t *transaction) refused(e *effort, err error) error {
	for _, a := range t.actions {
		if a.duty != t.actions[0].duty {
			e.alone = true
			return nil
		}
	}
	if d := t.actions[0].duty; t.actions[0].put && d.refused == nil {
		d.refuse(dynamodberror.ReasonOf(err), dynamodberror.Describe(errors.Unwrap(err)), e.digest)
		return nil
	}

	return err
}

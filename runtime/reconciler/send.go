package reconciler

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// maxAttempts is how often a request is sent that has no answer, or an error of the service. Their
// waits together are about 15 seconds. A throttled request is sent until ctx ends.
const maxAttempts = 20

// The operations. The inputs only satisfy the SDK's own validation: package rawdynamodb replaces
// what the SDK serializes from them.
func scan(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("-")})
	return err
}

func batchGetItem(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{}})
	return err
}

func putItem(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("-"), Item: map[string]types.AttributeValue{},
	})
	return err
}

func batchExecuteStatement(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{
		Statements: []types.BatchStatementRequest{},
	})
	return err
}

func transactWriteItems(ctx context.Context, c *dynamodb.Client) error {
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{}})
	return err
}

// tally counts what happens in one page, or in one call of Reconcile.
type tally struct {
	mu sync.Mutex
	Counts
}

// add adds n to a count of the tally.
func (y *tally) add(count *int64, n int64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	*count += n
}

// sendRead sends a request that reads t, until it is answered.
func (r *Reconciler) sendRead(ctx context.Context, y *tally, t *table, op operation, x *exchange) error {
	return r.send(ctx, y, t, t.read, op, x)
}

// sendWrite sends a request that writes to t, until it is answered.
func (r *Reconciler) sendWrite(ctx context.Context, y *tally, t *table, op operation, x *exchange) error {
	return r.send(ctx, y, t, t.write, op, x)
}

func (r *Reconciler) send(ctx context.Context, y *tally, t *table, l *limiter, op operation, x *exchange) error {
	for attempt := 0; ; attempt++ {
		reserved := l.wait(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		y.add(&y.Requests, 1)
		x.retried = attempt > 0
		err := op(x.body.In(ctx), r.client)
		if err == nil {
			err = x.read(x.body.Answer)
			l.settle(reserved, r.consume(y, t, l, x.consumed))
			return err
		}
		l.settle(reserved, 0)

		throttled := dynamodberror.IsThrottle(err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isCanceled(err) || dynamodberror.Classify(err) != dynamodberror.Transient:
			return &tableError{t.name, err}
		case throttled:
			r.throttle(y, l)
		case attempt >= maxAttempts:
			return &tableError{t.name, err}
		}
		backoff.Sleep(ctx, backoff.Wait(attempt))
	}
}

// throttle slows down, because a table has asked for it.
func (r *Reconciler) throttle(y *tally, l *limiter) {
	y.add(&y.Throttles, 1)
	l.halve()
}

// consume counts the units that a request to t has used, and returns those that count for its limit. A
// transaction uses units of several tables.
func (r *Reconciler) consume(y *tally, t *table, l *limiter, by []consumed) (units float64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, c := range by {
		switch {
		case l == t.read && t.isSource:
			y.SourceReadUnits += c.units
		case l == t.read:
			y.TargetReadUnits += c.units
		case c.table == r.source.name:
			y.SourceWriteUnits += c.units
			continue
		default:
			y.TargetWriteUnits += c.units
			if other, err := r.target(c.table); err == nil && other.name != t.name {
				other.write.settle(0, c.units)
				continue
			}
		}
		units += c.units
	}

	return units
}

// isCanceled reports whether a transaction was canceled.
func isCanceled(err error) bool {
	var canceled *types.TransactionCanceledException
	return errors.As(err, &canceled)
}

// canceledError is the code of a transaction that was canceled for no reason that the reconciler knows.
type canceledError string

func (e canceledError) Error() string { return "a transaction was canceled: " + string(e) }

// tableError is an error of a request to a table. DynamoDB's texts about refusals may quote items, so
// they are not part of it.
type tableError struct {
	table string
	err   error
}

func (e *tableError) Error() string {
	return fmt.Sprintf("table %s: %s", e.table, dynamodberror.Describe(e.err))
}

func (e *tableError) Unwrap() error { return e.err }

// loggable returns a text about an error that may be in a log: it has no text of a service.
func loggable(err error) string {
	var table *tableError
	if !errors.As(err, &table) {
		return err.Error() // in words of our own
	}
	why, canceled := table.err, canceledError("")
	text := "table " + table.table + ": "
	if errors.As(why, &canceled) {
		text += "a transaction was canceled: "
		why = &smithy.GenericAPIError{Code: string(canceled)}
	}

	return text + dynamodberror.Loggable(why)
}

package replicator

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// execute sends guarded writes as statements of one call. Each is answered by itself. A call
// that is refused as a whole, for whatever reason, is repeated write by write: one statement
// can refuse it, and the requests by which that shows have no PartiQL.
func (w *writer) execute(q request, o *outcome) {
	body := w.bodies.get()
	body.bytes = w.encoders[q.mapping].appendStatements(body.bytes[:0], q.event, q.writes)
	codes, err := w.table.batchExecuteStatement(o.ctx, body, len(q.writes))
	w.free(body)

	if err == nil && codes != nil && len(codes) != len(q.writes) {
		err = errAnswers
	}
	switch {
	case err == nil:
		w.executed(q, codes, o)
	case classify(err) == transient:
		o.retry(q.writes, fmt.Errorf("write to %s: %w", w.mappings[q.mapping].TableName, err))
	default:
		// Where the whole table fails, the single requests show that, and this says nothing.
		q.writes[0].refusedCall = err
		o.advance(q.writes, bySingle)
	}
}

// executed handles the answers of a call's statements.
func (w *writer) executed(q request, codes []statementCode, o *outcome) {
	puts, deletes, denied := 0, 0, false
	for i := range q.writes {
		one := q.writes[i : i+1]
		var code statementCode
		if codes != nil {
			code = codes[i]
		}

		switch {
		case code == "" || code == types.BatchStatementErrorCodeEnumConditionalCheckFailed && !one[0].put:
			if one[0].put {
				puts++
			} else {
				deletes++ // or what is stored must stay
			}
		case code == types.BatchStatementErrorCodeEnumConditionalCheckFailed,
			code == types.BatchStatementErrorCodeEnumDuplicateItem:
			o.advance(one, byRead)
		case isTransientStatement(code):
			o.retry(one, fmt.Errorf("write to %s: %w: %s", w.mappings[q.mapping].TableName, errStatement, code))
		default:
			// The item may be refused, or the right to the statement may be missing. One
			// statement speaks for all of its call.
			if isDenied(code) && !denied {
				one[0].refusedCall, denied = errStatementDenied, true
			}
			o.advance(one, bySingle)
		}
	}

	if puts > 0 {
		w.brakes[q.mapping].accept(true)
	}
	if puts+deletes > 0 && !w.brakes[q.mapping].isOn() {
		w.healths[q.mapping].succeed(false, deletes > 0)
	}
	if !denied {
		w.fallbacks[q.mapping].accept()
	}
}

// isTransientStatement reports whether the same statement can succeed later. The SDK does not
// retry statements.
func isTransientStatement(code statementCode) bool {
	switch code {
	case types.BatchStatementErrorCodeEnumThrottlingError,
		types.BatchStatementErrorCodeEnumProvisionedThroughputExceeded,
		types.BatchStatementErrorCodeEnumRequestLimitExceeded,
		types.BatchStatementErrorCodeEnumInternalServerError,
		types.BatchStatementErrorCodeEnumTransactionConflict:
		return true
	default:
		return false
	}
}

// isDenied reports whether a statement's error is one of the table or the role. The single
// request decides whether PartiQL is the reason.
func isDenied(code statementCode) bool {
	return code == types.BatchStatementErrorCodeEnumAccessDenied ||
		code == types.BatchStatementErrorCodeEnumResourceNotFound
}

// free keeps a body's memory unless a connection may still be reading it.
func (w *writer) free(body *requestBody) {
	if body.isFree() {
		w.bodies.put(body)
	}
}

var (
	errStatement = errors.New("the table did not execute a statement")
	errAnswers   = errors.New("the table has answered another number of statements than it was sent")
)

package replicator

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
)

// execute sends guarded writes as statements of one call. Each is answered by itself. A call
// that is refused as a whole, for whatever reason, is repeated write by write: one statement
// can refuse it, and the requests by which that shows have no PartiQL.
func (w *writer) execute(q request, o *outcome) {
	body := w.bodies.get()
	body.Bytes = w.encoders[q.mapping].appendStatements(body.Bytes[:0], q.event, q.writes)
	codes, err := w.table.batchExecuteStatement(o.ctx, body, len(q.writes))
	w.free(body)

	if err == nil && codes != nil && len(codes) != len(q.writes) {
		err = errAnswers
	}
	switch {
	case err == nil:
		w.executed(q, codes, o)
	case classify(err) == transient:
		if !dynamodberror.IsThrottle(err) {
			countTries(q.writes)
		}
		o.retry(q.writes, &tableError{"write to", w.mappings[q.mapping].TableName, err})
	default:
		// Where the whole table fails, the single requests show that, and this says nothing.
		var marked [ways]bool
		for i := range q.writes {
			q.writes[i].mark(err, &marked)
		}
		o.advance(q.writes, bySingle)
	}
}

// executed handles the answers of a call's statements.
func (w *writer) executed(q request, codes []statementCode, o *outcome) {
	puts, deletes := 0, 0
	endsRow := false
	for i, code := range codes {
		endsRow = endsRow || q.writes[i].put && (code == "" || isAboutVersion(code))
	}
	var sent, denied [ways]bool
	for i := range q.writes {
		one := q.writes[i : i+1]
		var code statementCode
		if codes != nil {
			code = codes[i]
		}
		sent[one[0].way()] = true

		switch {
		case code == "" || code == types.BatchStatementErrorCodeEnumConditionalCheckFailed && !one[0].put:
			if one[0].put {
				puts++
			} else {
				deletes++ // or what is stored must stay
			}
		case isAboutVersion(code):
			o.advance(one, byRead)
		case isTransientStatement(code):
			if code == types.BatchStatementErrorCodeEnumInternalServerError {
				countTries(one)
			}
			o.retry(one, ownError("the table did not execute a statement: "+string(code)))
		default:
			// The item may be refused, or the right to the statement may be missing.
			if isDenied(code) {
				one[0].mark(errStatementDenied, &denied)
			}
			one[0].endsRow = endsRow
			o.advance(one, bySingle)
		}
	}

	o.carriedOut(puts + deletes)
	if puts > 0 {
		w.brakes[q.mapping].accept(true)
	}
	if puts+deletes > 0 && !w.brakes[q.mapping].isOn() {
		w.healths[q.mapping].succeed(false, deletes > 0)
	}
	for by := range ways {
		if sent[by] && !denied[by] {
			w.fallbacks[q.mapping][by].Accept()
		}
	}
}

// mark notes on the first write of each way that its call was refused. One speaks for all of
// its call.
func (w *write) mark(why error, marked *[ways]bool) {
	by := w.way()
	if !marked[by] {
		marked[by] = true
		w.refusedCall = &refusedCall{by, why}
	}
}

// maxTries is how often the answer to a statement or a read may be a passing error. After
// that the write goes by itself: whatever is wrong with the other request, or with the read
// capacity, must not stop the stream.
const maxTries = 2

// countTries counts a passing error of a statement or a read.
func countTries(writes []write) {
	for i := range writes {
		if writes[i].tries++; writes[i].tries >= maxTries {
			writes[i].step = bySingle
		}
	}
}

// isAboutVersion reports whether a statement was refused because of the item that is stored.
func isAboutVersion(code statementCode) bool {
	return code == types.BatchStatementErrorCodeEnumConditionalCheckFailed ||
		code == types.BatchStatementErrorCodeEnumDuplicateItem
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
func (w *writer) free(body *rawdynamodb.Body) {
	if body.IsFree() {
		w.bodies.put(body)
	}
}

const (
	errStatementDenied = ownError("it refuses the statements, and takes the same writes one by one")
	errAnswers         = ownError("the table has answered another number of statements than it was sent")
)

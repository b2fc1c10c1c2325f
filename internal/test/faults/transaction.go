package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// transactItem is one element of a TransactWriteItems' TransactItems.
type transactItem struct {
	Put, Delete, ConditionCheck *struct {
		TableName string
		Item, Key json.RawMessage
	}
}

// transactionWrites returns the actions of a transaction. A check counts as a delete.
func transactionWrites(items []transactItem) []Write {
	writes := make([]Write, len(items))
	for i, item := range items {
		switch {
		case item.Put != nil:
			writes[i] = Write{item.Put.TableName, true, item.Put.Item}
		case item.Delete != nil:
			writes[i] = Write{item.Delete.TableName, false, item.Delete.Key}
		case item.ConditionCheck != nil:
			writes[i] = Write{item.ConditionCheck.TableName, false, item.ConditionCheck.Key}
		}
	}

	return writes
}

// reasonCode is the code of an action's reason for a kind of fault, or "" where the fault hits the
// whole call. Source: DynamoDB API Reference, TransactionCanceledException.
func reasonCode(kind Kind, d dice) string {
	codes := []string{"", "ThrottlingError", "ProvisionedThroughputExceeded"}
	switch {
	case kind == Conflict:
		return "TransactionConflict"
	case kind == Throttled:
		return codes[d.choose(len(codes))]
	case kind == Poison && d.seed%2 == 0:
		return "ValidationError"
	default:
		return ""
	}
}

// cancel is the answer to a transaction of which the chosen actions, or one of them where none is chosen, have
// a reason.
func (q *request) cancel(d dice, chosen []bool, code, message string) (*http.Response, error) {
	writes, err := q.writes()
	if err != nil {
		return nil, err
	}
	if chosen == nil {
		chosen = make([]bool, len(writes))
		chosen[d.choose(len(writes))] = true
	}

	reasons, codes := make([]string, len(writes)), make([]string, len(writes))
	for i := range writes {
		codes[i] = "None"
		reasons[i] = `{"Code":"None"}`
		if chosen[i] {
			codes[i] = code
			reasons[i] = fmt.Sprintf(`{"Code":%q,"Message":%q}`, code, message)
		}
	}
	body := fmt.Appendf(nil, `{"__type":"com.amazonaws.faults#TransactionCanceledException","CancellationReasons":[%s],`+
		`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]"}`,
		strings.Join(reasons, ","), strings.Join(codes, ", "))

	return q.respond(http.StatusBadRequest, body), nil
}

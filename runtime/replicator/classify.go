package replicator

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// classify says which class the error of a request has.
func classify(err error) class {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return transient // no answer: the network, or the time was up
	}
	switch code := api.ErrorCode(); {
	case isRefusal(code):
		if aboutTheTable(api.ErrorMessage()) {
			return systemic
		}
		return permanent
	case code == "ItemCollectionSizeLimitExceededException":
		return permanent // the item's own, in a table with a local secondary index
	case code == "TransactionConflictException", code == "ReplicatedWriteConflictException":
		return transient // another writer has the item
	case isTransient(err):
		return transient
	default:
		// No permission, no table, no key, a signature that is not accepted; and
		// what is not known yet, which must not be given up.
		return systemic
	}
}

// isTransient reports whether the error passes by itself: the service's own, or one that
// asks for patience.
func isTransient(err error) bool {
	if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary ||
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return true
	}
	var answer interface{ HTTPStatusCode() int }
	if !errors.As(err, &answer) {
		return false
	}
	status := answer.HTTPStatusCode()
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// isRefusal reports whether the error code is about what a request holds.
func isRefusal(code string) bool {
	return code == "ValidationException" || code == "SerializationException"
}

// aboutTheTable reports whether a ValidationException is about the table's name or
// key schema or the request's expressions, which are the same for every item. The
// keys were checked against the spec before: if the table refuses them, it has
// another key schema than the spec says. A key of a secondary index that somebody
// added is one item's own matter; DynamoDB's text for it says "Index Key". Texts
// are compared from their beginning, as they can go on with names of the caller's.
func aboutTheTable(message string) bool {
	for _, text := range []string{
		"The provided key element does not match the schema",
		"One or more parameter values were invalid: Missing the key",
		"One or more parameter values were invalid: Type mismatch for key",
		"1 validation error detected",
		"Invalid ConditionExpression",
		"ExpressionAttribute",
		"Value provided in ExpressionAttribute",
	} {
		if strings.HasPrefix(message, text) {
			return true
		}
	}
	return false
}

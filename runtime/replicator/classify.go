package replicator

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// classify returns the class of a request's error.
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
		return permanent // the item's own fault, in a table with a local secondary index
	case code == "TransactionConflictException", code == "ReplicatedWriteConflictException":
		return transient // another writer is changing the item
	case isTransient(err):
		return transient
	default:
		// No permission, no table, no key, a signature that is not accepted. Also every
		// unknown error: a record must not go to the failure queue because of one.
		return systemic
	}
}

// isTransient reports whether a retry can succeed: the error is the service's own fault,
// or it asks the caller to slow down.
func isTransient(err error) bool {
	if isThrottle(err) ||
		retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return true
	}

	var answer interface{ HTTPStatusCode() int }
	if !errors.As(err, &answer) {
		return false
	}
	status := answer.HTTPStatusCode()

	return status >= http.StatusInternalServerError ||
		status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// isThrottle reports whether the service asks the caller to slow down.
func isThrottle(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// isRefusal reports whether an error code is about the content of a request.
func isRefusal(code string) bool {
	return code == "ValidationException" || code == "SerializationException"
}

// aboutTheTable reports whether a ValidationException is about the table's name, its key
// schema, or the request's expressions, which are the same for every item. The replicator
// has checked the keys against the spec: a table that refuses them has another key schema
// than the spec. The key of an added secondary index is a matter of each item; DynamoDB's
// text for it says "Index Key". Texts are compared from their beginning, because they can
// continue with the caller's own names.
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

// Package dynamodberror says what the errors of DynamoDB mean: whether the same request can succeed
// later, whether it lies in one item, and what may be said about it.
package dynamodberror

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Class says whether a request can succeed later.
type Class int

const (
	// Transient errors end by themselves.
	Transient Class = iota
	// Permanent errors belong to the items of a request.
	Permanent
	// Systemic errors belong to the table, or to the right to use it.
	Systemic
)

// Classify returns the class of a request's error.
func Classify(err error) Class {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return Transient // no answer: the network, or the time was up
	}
	switch code := api.ErrorCode(); {
	case IsRefusal(code):
		if aboutTheTable(api.ErrorMessage()) {
			return Systemic
		}
		return Permanent
	case code == "ItemCollectionSizeLimitExceededException":
		return Permanent // the item's own fault, in a table with a local secondary index
	case code == "TransactionConflictException", code == "ReplicatedWriteConflictException":
		return Transient // another writer is changing the item
	case isTransient(err):
		return Transient
	default:
		// No permission, no table, no key, a signature that is not accepted. Also every
		// unknown error: an item must not be given up because of one.
		return Systemic
	}
}

// isTransient reports whether a retry can succeed: the error is the service's own fault,
// or it asks the caller to slow down.
func isTransient(err error) bool {
	if IsThrottle(err) ||
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

// IsRefusal reports whether an error code is about the content of a request.
func IsRefusal(code string) bool {
	return code == "ValidationException" || code == "SerializationException"
}

// aboutTheTable reports whether a ValidationException is about the table's name, its key
// schema, or the request's expressions, which are the same for every item. The keys
// were checked against the spec: a table that refuses them has another key schema
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

// IsThrottle reports whether an error asks the caller to slow down.
func IsThrottle(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// Describe returns the text of an error without quoting an item: the texts of refusals can.
func Describe(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && IsRefusal(api.ErrorCode()) {
		return api.ErrorCode() + ": " + ReasonOf(err).String()
	}
	return err.Error()
}

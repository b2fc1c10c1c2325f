package replicator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// class says what becomes of a failure.
type class int

const (
	// transient failures pass: what was not written comes again.
	transient class = iota
	// permanent failures belong to one record, which can never be applied as it
	// is. It goes to the failure queue and then counts as done.
	permanent
	// systemic failures belong to the configuration, not to a record. Nothing is
	// given up: the whole batch comes again until somebody has repaired it.
	systemic
)

// failure is a record, or a chain of them, that was not applied.
type failure struct {
	// change is the index of the record; of a chain that must come again, its
	// first one.
	change int
	// mapping is the index of the mapping, or everyMapping.
	mapping int
	class   class
	err     error
}

// everyMapping is the mapping of a failure that is none of one mapping.
const everyMapping = -1

// permanentError says why a record can never be applied as it is: trying again
// gives the same answer. decode and project return it. Its text names
// attributes, types and sizes, never a value, so that it may be logged.
type permanentError string

func (e permanentError) Error() string { return string(e) }

func permanentf(format string, args ...any) error {
	return permanentError(fmt.Sprintf(format, args...))
}

// configurationError says why the records that the function gets cannot be applied
// by it at all, and what to do. Its texts may be logged.
type configurationError struct{ text, remedy string }

func (e *configurationError) Error() string { return e.text }

// wrongStream is the error of a function that is connected to another stream than
// that of its source table.
func wrongStream(text string) error {
	return &configurationError{text, "connect the function to the stream of its source table, with new and old images: deploy the stack again"}
}

// errSeveralDescriptors is the error of an event that DynamoDB did not write: it
// gives every value one type descriptor. Event types of SDKs list all ten, nine of
// them null, when they are written as JSON.
var errSeveralDescriptors = &configurationError{
	"the event's attribute values carry several type descriptors, as test events made by hand do",
	`invoke the function with the JSON of a DynamoDB stream, one type descriptor a value ({"S":"text"}), or write to the source table instead`,
}

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
		return transient // somebody else is writing the item
	case passes(err):
		return transient
	default:
		// No permission, no table, no key, a signature that is not accepted; and
		// what is not known yet, which must not be given up.
		return systemic
	}
}

// passes reports whether the error is one that goes by without anybody's doing:
// the service's own, or one that asks for patience.
func passes(err error) bool {
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

// remedy says what to do about a systemic error.
func remedy(err error) string {
	if wrong := (*configurationError)(nil); errors.As(err, &wrong) {
		return wrong.remedy
	}
	if braked := (*brakeError)(nil); errors.As(err, &braked) {
		return braked.remedy()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "look up the reason; the stream waits, up to the age limit of the event source mapping"
	}
	switch code := api.ErrorCode(); {
	case code == "AccessDeniedException":
		return "allow the function's role the action on the target table, and its key if it is encrypted with one"
	case code == "ResourceNotFoundException":
		return "restore the target table under the name in the function's configuration, or deploy the stack again"
	case strings.HasPrefix(code, "KMS"), code == "InaccessibleEncryptionCredentialsException":
		return "enable the target table's key and allow the function's role to use it"
	case isRefusal(code):
		return "the target table has another key schema than the function's configuration: deploy the stack again"
	default:
		return "look up the error code; the stream waits, up to the age limit of the event source mapping"
	}
}

// loggable returns what may be logged about an error: never an attribute value.
// The message with which DynamoDB refuses an item can quote the item, so its code is
// kept, and in words of our own what it is known to say.
func loggable(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && isRefusal(api.ErrorCode()) {
		return api.ErrorCode() + ": " + reasonOf(err).String()
	}
	return err.Error()
}

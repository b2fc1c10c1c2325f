package replicator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answered returns the error that the SDK returns for an answer of the service.
func answered(status int, code, message string) error {
	return fmt.Errorf("write to target: %w",
		&smithy.OperationError{Err: &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		}}})
}

func TestEveryErrorHasItsClass(t *testing.T) {
	const invalid = "One or more parameter values were invalid: "
	for _, test := range []struct {
		err  error
		want class
		why  string
	}{
		{errors.New("connection reset by peer"), transient, "no answer came"},
		{context.DeadlineExceeded, transient, "the time was up"},
		{answered(400, "ProvisionedThroughputExceededException", ""), transient, "throttled"},
		{answered(400, "ThrottlingException", ""), transient, "throttled"},
		{answered(400, "RequestLimitExceeded", ""), transient, "throttled"},
		{answered(500, "InternalServerError", ""), transient, "the service's own"},
		{answered(503, "UnknownError", ""), transient, "something in front of the service"},
		{answered(529, "UnknownError", ""), transient, "something in front of the service"},
		{answered(429, "UnknownError", ""), transient, "it asks for patience"},
		{answered(408, "UnknownError", ""), transient, "it asks for patience"},
		{answered(400, "TransactionConflictException", ""), transient, "somebody else is writing the item"},
		{answered(400, "ValidationException", "Item size has exceeded the maximum allowed size"),
			permanent, "the item's own"},
		{answered(400, "ValidationException",
			invalid+"Type mismatch for Index Key kind Expected: S Actual: N IndexName: byExpression"), permanent,
			"the item's own, whatever the index is called"},
		{answered(400, "SerializationException", ""), permanent, "the item's own"},
		{answered(400, "ItemCollectionSizeLimitExceededException", ""), permanent, "the item's own"},
		{answered(400, "ValidationException", "The provided key element does not match the schema"), systemic,
			"the table has another key schema"},
		{answered(400, "ValidationException", invalid+"Missing the key state in the item"), systemic,
			"the table has another key schema"},
		{answered(400, "ValidationException", invalid+"Type mismatch for key state expected: S actual: N"), systemic,
			"the table has another key schema"},
		{answered(400, "ValidationException",
			"1 validation error detected: Value 'a' at 'requestItems' failed to satisfy constraint"), systemic,
			"the table's name is wrong"},
		{answered(400, "ValidationException", "Invalid ConditionExpression: Syntax error"),
			systemic, "the same for every item"},
		{answered(400, "AccessDeniedException", ""), systemic, "no permission"},
		{answered(400, "ResourceNotFoundException", ""), systemic, "no table"},
		{answered(400, "KMSDisabledException", ""), systemic, "no key"},
		{answered(403, "InvalidSignatureException", ""), systemic, "the credentials"},
		{answered(400, "SomethingNew", ""), systemic, "an unknown error must not send records to the failure queue"},
	} {
		if got := classify(test.err); got != test.want {
			t.Errorf("%v: got class %d, want %d: %s", test.err, got, test.want, test.why)
		}
	}
}

func TestARefusalIsNeverLoggedWithItsMessage(t *testing.T) {
	for _, message := range []string{"The value s3cret is too long", "Invalid ConditionExpression: s3cret",
		"1 validation error detected: Value 's3cret'"} {
		if text := loggable(answered(400, "ValidationException", message)); strings.Contains(text, "s3cret") ||
			!strings.Contains(text, "ValidationException") {
			t.Errorf("got %s", text)
		}
	}
}

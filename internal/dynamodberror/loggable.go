package dynamodberror

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
)

// Loggable returns a text about the error of a request, to DynamoDB or SQS, that may be logged: a
// service's text can quote the item that it refuses, and a broken answer can hold anything. So the text
// is put together from what is known, and everything else has no text.
func Loggable(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return describe(api)
	}
	return connection(err)
}

// describe describes an error of a service: by its code, and for those where that is not
// enough by what its text is known to say.
func describe(api smithy.APIError) string {
	code := api.ErrorCode()
	switch {
	case IsRefusal(code):
		return code + ": " + ReasonOf(api).String()
	case !isCode(code):
		return "the service has answered with an error code that is not known"
	case IsAccessDenied(code):
		return code + deniedAction(api.ErrorMessage())
	default:
		return code
	}
}

// codes have a form of their own. Source: the SDK's models of DynamoDB and SQS, whose
// exceptions end in one of these words.
var codes = regexp.MustCompile(`^[A-Za-z]{1,60}(Exception|Error|Fault)$`)

// otherCodes have another form. Sources: Amazon DynamoDB Developer Guide, "Error handling";
// Amazon SQS API Reference, SendMessageBatch and "Common Errors".
var otherCodes = []string{
	"AccessDenied", "AWS.SimpleQueueService.BatchRequestTooLong", "AWS.SimpleQueueService.NonExistentQueue",
	"BatchRequestTooLong", "ExpiredToken", "IncompleteSignature", "InternalFailure", "InvalidAccessKeyId",
	"InvalidAddress", "InvalidClientTokenId", "InvalidMessageContents", "InvalidSecurity", "KmsAccessDenied",
	"KmsDisabled", "KmsInvalidKeyUsage", "KmsInvalidState", "KmsNotFound", "KmsOptInRequired", "KmsThrottled",
	"MissingAuthenticationToken", "NotAuthorized", "OptInRequired", "OverLimit", "ProvisionedThroughputExceeded",
	"QueueDoesNotExist", "RequestExpired", "RequestLimitExceeded", "RequestThrottled", "RequestTimeout",
	"ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown", "Throttling", "UnsupportedOperation",
}

// isCode reports whether a text is an error code, and not just anything.
func isCode(text string) bool { return codes.MatchString(text) || slices.Contains(otherCodes, text) }

// IsAccessDenied reports whether an error code says that a permission is missing.
func IsAccessDenied(code string) bool { return strings.HasPrefix(code, "AccessDenied") }

// deniedActions are the actions that the functions use.
var deniedActions = []string{
	"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
	"dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Scan",
	"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt", "sqs:SendMessage",
}

// deniedAction names the action that a message says is missing.
func deniedAction(message string) string {
	for _, action := range deniedActions {
		if strings.Contains(message, action) {
			return ": " + action
		}
	}
	return ""
}

// connection describes the error of a request that has no answer, or none that can be read.
func connection(err error) string {
	var (
		name   *net.DNSError
		cert   *tls.CertificateVerificationError
		answer *smithy.DeserializationError
		late   net.Error
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "there was no answer before the time was up"
	case errors.As(err, &name):
		return "the name of the service's endpoint cannot be resolved"
	case errors.As(err, &cert):
		return "the certificate of the service's endpoint is not accepted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the service's endpoint refuses connections"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke"
	case errors.As(err, &late) && late.Timeout():
		return "the service's endpoint does not answer"
	case errors.As(err, &answer):
		return "the service's answer cannot be read"
	default:
		return "the request failed in a way that is not known"
	}
}

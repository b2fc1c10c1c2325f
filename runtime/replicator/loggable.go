package replicator

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

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// ownError is an error in words of our own: it quotes neither an item nor a service, and may
// be logged.
type ownError string

func (e ownError) Error() string { return string(e) }

// recordError says why a record cannot be decoded or mapped. The decoder and the mappings
// quote names of the spec, types and lengths, never a value, so it may be logged.
type recordError struct{ error }

func (e recordError) Unwrap() error { return e.error }

// tableError says which table the error of a request is about.
type tableError struct {
	verb, tableName string
	err             error
}

func (e *tableError) Error() string { return e.verb + " " + e.tableName + ": " + e.err.Error() }

func (e *tableError) Unwrap() error { return e.err }

// queueError says that the failure queue did not accept a message.
type queueError struct {
	// about is what the message was about, loggable.
	about string
	err   error
}

func (e *queueError) Error() string {
	return "the failure queue did not accept a message (" + e.about + "): " + e.err.Error()
}

func (e *queueError) Unwrap() error { return e.err }

// loggable returns a text about an error that may be logged: it never has an attribute value.
// A service's text can quote the item that it refuses, and a broken answer can hold anything.
// So the text is put together from what is known, and everything else has no text.
func loggable(err error) string {
	var (
		refused *queueError
		wrong   *configurationError
		braked  *brakeError
		record  recordError
		own     ownError
		api     smithy.APIError
	)
	switch {
	case errors.As(err, &refused):
		return "the failure queue did not accept a message (" + refused.about + "): " + loggable(refused.err)
	case errors.As(err, &wrong):
		return wrong.Error()
	case errors.As(err, &braked):
		return braked.Error()
	case errors.As(err, &record):
		return record.Error()
	case errors.As(err, &own):
		return own.Error()
	case errors.As(err, &api):
		return describe(api)
	default:
		return connection(err)
	}
}

// describe describes an error of a service: by its code, and for those where that is not
// enough by what its text is known to say.
func describe(api smithy.APIError) string {
	code := api.ErrorCode()
	switch {
	case dynamodberror.IsRefusal(code):
		return code + ": " + dynamodberror.ReasonOf(api).String()
	case !isCode(code):
		return "the service has answered with an error code that is not known"
	case isAccessDenied(code):
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

func isAccessDenied(code string) bool { return strings.HasPrefix(code, "AccessDenied") }

// deniedActions are the actions that the function uses.
var deniedActions = []string{
	"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete",
	"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "kms:Decrypt", "kms:Encrypt",
	"kms:GenerateDataKey", "kms:ReEncrypt", "sqs:SendMessage",
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

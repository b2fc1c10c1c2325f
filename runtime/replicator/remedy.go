package replicator

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// remedy says how to repair a systemic error.
func remedy(err error) string {
	if wrong := (*configurationError)(nil); errors.As(err, &wrong) {
		return wrong.remedy
	}
	if braked := (*brakeError)(nil); errors.As(err, &braked) {
		return braked.remedy()
	}

	var api smithy.APIError
	if !errors.As(err, &api) {
		return "look up the reason"
	}

	switch code := api.ErrorCode(); {
	case dynamodberror.IsAccessDenied(code):
		return "allow the function's role the action on the target table, and its key if it is encrypted with one"
	case code == "ResourceNotFoundException":
		return "restore the target table under the name in the function's configuration, or deploy the stack again"
	case strings.HasPrefix(code, "KMS"), code == "InaccessibleEncryptionCredentialsException":
		return "enable the target table's key and allow the function's role to use it"
	case dynamodberror.IsRefusal(code):
		return "the target table has another key schema than the function's configuration: deploy the stack again"
	default:
		return "look up the error code"
	}
}

// remedy says how the failure queue takes messages again. Until then the records that it
// should take, and those behind them, are redelivered.
func (e *queueError) remedy() string {
	var api smithy.APIError
	if !errors.As(e.err, &api) {
		return "see that the function can reach SQS"
	}

	switch code := api.ErrorCode(); {
	case strings.HasSuffix(code, "NonExistentQueue"), code == "QueueDoesNotExist":
		return "the failure queue is gone: create a queue with its name in the function's account and Region, " +
			"and connect it to the stack again later; the records are redelivered until MaxRecordAge"
	case dynamodberror.IsAccessDenied(code):
		return "allow the function's role sqs:SendMessage on the failure queue, in its own policies and in the queue's"
	case strings.HasPrefix(code, "Kms"), strings.HasPrefix(code, "KMS"):
		return "enable the failure queue's key and allow the function's role kms:GenerateDataKey and kms:Decrypt on it"
	default:
		return "look up the error code"
	}
}

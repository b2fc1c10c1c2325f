package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// The exit codes.
const (
	exitDone        = 0
	exitDifferences = 1
	exitUsage       = 2
	exitUnfinished  = 3
)

// failure is the end of a run, with a text that says what to do.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

// usageError says what is wrong with the arguments, or with what they name.
func usageError(format string, args ...any) error {
	return &failure{exitUsage, fmt.Sprintf(format, args...)}
}

// unfinished says why the run ended before its work was done.
func unfinished(format string, args ...any) error {
	return &failure{exitUnfinished, fmt.Sprintf(format, args...)}
}

// explain returns the exit code of an error, and one line about it.
func explain(err error) (code int, text string) {
	// The text of a refusal can quote an item.
	code, text = exitUnfinished, dynamodberror.Describe(err)
	known, api, region := (*failure)(nil), smithy.APIError(nil), (*aws.MissingRegionError)(nil)
	switch {
	case errors.As(err, &known):
		code, text = known.code, known.text
	case errors.As(err, &region):
		code, text = exitUsage, "there is no AWS Region: set AWS_REGION or AWS_PROFILE"
	case errors.As(err, &api):
		code, text = explainAPI(err, api)
	case isOfCredentials(err):
		code, text = exitUsage, "there are no valid AWS credentials: set AWS_PROFILE or log in ("+text+")"
	case errors.Is(err, syscall.ECONNREFUSED):
		text = "nothing answers: check AWS_ENDPOINT_URL and the network (" + text + ")"
	case errors.Is(err, context.Canceled):
		text = "stopped"
	}

	return code, strings.Join(strings.Fields(text), " ")
}

// explainAPI explains what a service has answered.
func explainAPI(err error, api smithy.APIError) (code int, text string) {
	switch api.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDeniedException":
		return exitUsage, "a permission is missing: " + api.ErrorMessage() +
			" (GrantVerify and GrantReconcile of the ReplicatedTable grant what this command needs)"
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException", "MissingAuthenticationToken", "IncompleteSignature":
		return exitUsage, "the AWS credentials are not valid: set AWS_PROFILE or log in again (" + api.ErrorMessage() + ")"
	case "StateMachineDoesNotExist":
		return exitUsage, "there is no state machine with the ARN of -on-aws: check it, AWS_PROFILE and AWS_REGION"
	case "ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue":
		return exitUsage, "something that the mapping names is not there: " + err.Error() +
			" (check the account and the Region: AWS_PROFILE, AWS_REGION)"
	default:
		return exitUnfinished, dynamodberror.Describe(err)
	}
}

// isOfCredentials reports whether no credentials were found. The SDK has no type for that error.
func isOfCredentials(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get identity: get credentials") ||
		strings.Contains(text, "failed to refresh cached credentials")
}

// isReadOnly reports whether a file cannot be written because of where it is.
func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

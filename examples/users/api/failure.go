package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// problem is a failure that the caller is told about in words.
type problem struct {
	status  int
	Field   string `json:"field,omitempty"` // what is at fault in the request
	Message string `json:"message"`
}

func (p *problem) Error() string { return p.Message }

func invalid(field, message string) error { return &problem{http.StatusBadRequest, field, message} }

// failed is the answer to a failure. What is not a *problem came from DynamoDB. Its text
// may quote keys: neither the answer nor the log repeats it.
func (h handler) failed(requestID string, err error) (status int, body any) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		h.log.Error("request failed", "requestId", requestID, "cause", cause(err))
		p = &problem{http.StatusInternalServerError, "", "the request failed"}
		if temporary(err) {
			p = &problem{http.StatusServiceUnavailable, "", "the table is busy: try again"}
		}
	}
	return p.status, map[string]*problem{"error": p}
}

// temporary reports whether the SDK stopped retrying, or the time was over.
func temporary(err error) bool {
	_, tried := errors.AsType[*retry.MaxAttemptsError](err)
	_, spent := errors.AsType[ratelimit.QuotaExceededError](err)
	return tried || spent || errors.Is(err, context.DeadlineExceeded)
}

// cause is DynamoDB's error code, or the type of the innermost error.
func cause(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}

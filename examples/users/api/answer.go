package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"
)

// answer is what a request gets.
type answer struct {
	status int
	header map[string]string
	// body is sent as JSON; nil for no body.
	body any
}

// response is the answer in the gateway's form.
func (a answer) response() events.APIGatewayV2HTTPResponse {
	r := events.APIGatewayV2HTTPResponse{
		StatusCode: a.status,
		Headers: map[string]string{
			"Content-Type": "application/json",
			// Answers hold personal data, and change with every write.
			"Cache-Control": "no-store",
		},
	}
	maps.Copy(r.Headers, a.header)
	if a.body == nil {
		return r
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		panic(fmt.Sprintf("api: bodies hold only strings that are UTF-8, encoding one cannot fail: %T", err))
	}
	r.Body = string(body)
	return r
}

// maxFieldBytes is how much of a name that the caller made up an answer repeats.
const maxFieldBytes = 64

// problem is a failure that the caller is told about in words.
type problem struct {
	status int
	header map[string]string
	// Field is the member or parameter at fault, "body" or "query" for the
	// whole, nil when it is none of these.
	Field   *string `json:"field,omitzero"`
	Message string  `json:"message"`
}

func (p *problem) Error() string { return p.Message }

// invalid is a 400 that names a field. The name may be the caller's own: it is
// made valid UTF-8, and cut to maxFieldBytes at the end of a character.
func invalid(field, message string) error {
	field = strings.ToValidUTF8(field, "\uFFFD")
	if len(field) > maxFieldBytes {
		field = strings.ToValidUTF8(field[:maxFieldBytes], "")
	}
	return &problem{status: http.StatusBadRequest, Field: &field, Message: message}
}

// failed is the answer to a failure. A problem tells what it is. Everything
// else came from DynamoDB: 503 when trying again later may help, 500 when not,
// and its text stays inside, because it may quote keys and names.
func failed(err error) answer {
	p, ok := errors.AsType[*problem](err)
	switch {
	case ok:
	case temporary(err):
		p = &problem{
			status:  http.StatusServiceUnavailable,
			header:  map[string]string{"Retry-After": "1"},
			Message: "the table is busy: try again",
		}
	default:
		p = &problem{status: http.StatusInternalServerError, Message: "the request failed"}
	}
	return answer{status: p.status, header: p.header, body: struct {
		Error *problem `json:"error"`
	}{p}}
}

// temporary reports whether the same request may succeed later: the SDK gave up
// retrying, either after its last attempt or to spare the service, or the
// function's time was over.
func temporary(err error) bool {
	if _, ok := errors.AsType[*retry.MaxAttemptsError](err); ok {
		return true
	}
	if _, ok := errors.AsType[ratelimit.QuotaExceededError](err); ok {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// cause names a failure's class for the log: DynamoDB's error code, or the type
// of the innermost error. Never its text.
func cause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "deadline exceeded"
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("%T", err)
		}
		err = inner
	}
}

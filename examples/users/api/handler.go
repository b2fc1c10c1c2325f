package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// patience is how long DynamoDB may take: less than the function's timeout, so that the
// caller gets an answer.
const patience = 9 * time.Second

// handler answers requests of the HTTP API, payload format 2.0.
type handler struct {
	tables tables
	log    *slog.Logger
}

// Handle answers one request. A failure is an answer, too.
func (h handler) Handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (
	response events.APIGatewayV2HTTPResponse, err error,
) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	status, body, err := h.act(ctx, r)
	if err != nil {
		status, body = h.failed(r.RequestContext.RequestID, err)
	}

	response.StatusCode = status
	// Answers hold personal data and change with every write.
	response.Headers = map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}
	switch status {
	case http.StatusNoContent:
		return response, nil
	case http.StatusCreated:
		response.Headers["Location"] = location(body.(user).Email)
	case http.StatusServiceUnavailable:
		response.Headers["Retry-After"] = "1"
	}
	text, err := json.Marshal(body)
	response.Body = string(text)
	return response, err
}

// act goes by the path, not by the route key: an email with a slash, which the gateway
// decodes, matches no route but the default one.
func (h handler) act(ctx context.Context, r events.APIGatewayV2HTTPRequest) (status int, body any, err error) {
	email, isUser := strings.CutPrefix(r.RawPath, "/users/")
	isUser = isUser && checkLength("email", email, maxPartitionKeyBytes) == nil

	switch method := r.RequestContext.HTTP.Method; {
	case method == http.MethodPost && r.RawPath == "/":
		u, err := decodeUser(r)
		if err == nil {
			err = h.tables.put(ctx, u)
		}
		return http.StatusCreated, u, err
	case method == http.MethodGet && r.RawPath == "/users":
		page, err := h.tables.list(ctx, r.RawQueryString)
		return http.StatusOK, page, err
	case method == http.MethodGet && isUser:
		u, err := h.tables.get(ctx, email)
		return http.StatusOK, u, err
	case method == http.MethodDelete && isUser:
		return http.StatusNoContent, nil, h.tables.delete(ctx, email)
	default:
		return 0, nil, &problem{http.StatusNotFound, "path", "does not exist, or not with this method"}
	}
}

func location(email string) string { return "/users/" + url.PathEscape(email) }

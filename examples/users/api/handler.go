package main

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// answerReserve is how long before the function's deadline a call to DynamoDB
// is given up, so that the caller gets a JSON 503 instead of the gateway's own
// error for a function that was stopped.
const answerReserve = 500 * time.Millisecond

// handler answers requests of the HTTP API, payload format 2.0.
type handler struct {
	tables tables
	log    *slog.Logger
}

// Handle answers one request. It never returns an error: whatever goes wrong is
// an answer with a status and one log line.
func (h handler) Handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerReserve))
		defer cancel()
	}
	path := parsePath(r.RawPath)
	a, err := h.act(ctx, r, path)
	if err != nil {
		a = failed(err)
	}
	h.logAnswer(ctx, r, path, a, err)
	return a.response(), nil
}

// act finds the request's action and runs it.
//
// The path decides, not the route key: requests that no route of the API
// matches come in over its $default route, and for them this function tells an
// unknown path (404) from an unknown method (405).
func (h handler) act(ctx context.Context, r events.APIGatewayV2HTTPRequest, path path) (answer, error) {
	actions := h.actions(path.template)
	if actions == nil {
		return answer{}, &problem{status: http.StatusNotFound, Message: "there is no such path"}
	}
	action, ok := actions[r.RequestContext.HTTP.Method]
	if !ok {
		allow := strings.Join(slices.Sorted(maps.Keys(actions)), ", ")
		return answer{}, &problem{
			status:  http.StatusMethodNotAllowed,
			header:  map[string]string{"Allow": allow},
			Message: "this path takes " + allow,
		}
	}
	return action(ctx, r, path)
}

type action func(context.Context, events.APIGatewayV2HTTPRequest, path) (answer, error)

// actions lists what a path takes, by method; nil for an unknown path.
func (h handler) actions(template string) map[string]action {
	switch template {
	case "/":
		return map[string]action{http.MethodPost: h.putUser}
	case "/users":
		return map[string]action{http.MethodGet: h.listUsers}
	case "/users/{email}":
		return map[string]action{http.MethodGet: h.getUser, http.MethodDelete: h.deleteUser}
	default:
		return nil
	}
}

// putUser stores a user. A user with the same email is replaced, so sending the
// same request again changes nothing.
func (h handler) putUser(ctx context.Context, r events.APIGatewayV2HTTPRequest, _ path) (answer, error) {
	u, err := decodeUser(r)
	if err != nil {
		return answer{}, err
	}
	if err := h.tables.put(ctx, u); err != nil {
		return answer{}, err
	}
	return answer{
		status: http.StatusCreated,
		header: map[string]string{"Location": userPath(u.Email)},
		body:   u,
	}, nil
}

// listUsers answers from the target table, which follows the source table with
// a short delay: a user just put or deleted may not show yet.
func (h handler) listUsers(ctx context.Context, r events.APIGatewayV2HTTPRequest, _ path) (answer, error) {
	q, err := decodeQuery(r.RawQueryString)
	if err != nil {
		return answer{}, err
	}
	page, err := h.tables.list(ctx, q)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: page}, nil
}

func (h handler) getUser(ctx context.Context, _ events.APIGatewayV2HTTPRequest, p path) (answer, error) {
	u, err := h.tables.get(ctx, p.email)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: u}, nil
}

func (h handler) deleteUser(ctx context.Context, _ events.APIGatewayV2HTTPRequest, p path) (answer, error) {
	if err := h.tables.delete(ctx, p.email); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// logAnswer writes one line about a request: which request, which route, which
// status, and for a failure its class. The path itself holds an email and the
// query a state and a city, so neither is logged.
func (h handler) logAnswer(ctx context.Context, r events.APIGatewayV2HTTPRequest, p path, a answer, err error) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("requestId", r.RequestContext.RequestID),
		slog.String("routeKey", r.RouteKey),
		slog.String("path", p.template),
		slog.Int("status", a.status),
	}
	if a.status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.String("cause", cause(err)))
	}
	h.log.LogAttrs(ctx, level, "request", attrs...)
}

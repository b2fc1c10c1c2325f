package replicator

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// requestHandler adds the ID of the invocation to every line of its log, under the name that
// Lambda's own lines have for it.
type requestHandler struct{ slog.Handler }

// Handle adds the ID to a line.
func (h requestHandler) Handle(ctx context.Context, line slog.Record) error {
	if id := requestID(ctx); id != "" {
		line.AddAttrs(slog.String("requestId", id))
	}
	return h.Handler.Handle(ctx, line)
}

// requestID returns the ID of the invocation, or "" outside of Lambda.
func requestID(ctx context.Context) string {
	lambda, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return ""
	}
	return lambda.AwsRequestID
}

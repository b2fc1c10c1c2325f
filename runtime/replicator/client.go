package replicator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client is a table: it sends bodies that are ready through the DynamoDB client
// of the AWS SDK. Endpoint, signature, retries and the reading of the response
// are the SDK's own; only the request body is ours.
type client struct {
	dynamodb *dynamodb.Client
}

// bodyKey is the context key of the request body.
type bodyKey struct{}

// newClient returns a client that takes its region, credentials and endpoint
// from options.
func newClient(options dynamodb.Options) *client {
	return &client{dynamodb.New(options, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, sendReadyBody)
		// A retry costs no tokens, and their number has no limit: the deadline is
		// the limit, and what is not written is reported.
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts = math.MaxInt
			s.RateLimiter = ratelimit.None
			s.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
				return backoff(attempt), nil
			})
		})
		if o.HTTPClient == nil {
			o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
				// Fewer idle connections than requests in flight means a new
				// connection for most requests.
				t.MaxIdleConnsPerHost = inFlight
			})
		}
	})}
}

// sendReadyBody replaces the body that the SDK has serialized from the operation's
// input by the one in the context. It runs once per call, before the payload is
// hashed and signed; a retry rewinds the same body.
func sendReadyBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ReplicatorReadyBody",
		func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			body, ok := ctx.Value(bodyKey{}).([]byte)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, errors.New("a request of the replicator has no body")
			}
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("the SDK serialized into a %T, not into an HTTP request", in.Request)
			}
			var err error
			if in.Request, err = request.SetStream(bytes.NewReader(body)); err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
}

// The inputs satisfy the SDK's own validation, no more: sendReadyBody replaces
// what becomes of them.
var (
	anyBatch  = &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}}
	anyPut    = &dynamodb.PutItemInput{TableName: aws.String("-"), Item: map[string]types.AttributeValue{}}
	anyDelete = &dynamodb.DeleteItemInput{TableName: aws.String("-"), Key: map[string]types.AttributeValue{}}
)

func (c *client) batchWriteItem(ctx context.Context, body []byte) ([]types.WriteRequest, error) {
	out, err := c.dynamodb.BatchWriteItem(context.WithValue(ctx, bodyKey{}, body), anyBatch)
	if err != nil {
		return nil, err
	}
	for _, unprocessed := range out.UnprocessedItems {
		return unprocessed, nil // a call writes to one table
	}
	return nil, nil
}

func (c *client) putItem(ctx context.Context, body []byte) (bool, error) {
	_, err := c.dynamodb.PutItem(context.WithValue(ctx, bodyKey{}, body), anyPut)
	return conditionHeld(err)
}

func (c *client) deleteItem(ctx context.Context, body []byte) (bool, error) {
	_, err := c.dynamodb.DeleteItem(context.WithValue(ctx, bodyKey{}, body), anyDelete)
	return conditionHeld(err)
}

func conditionHeld(err error) (bool, error) {
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return false, nil
	}
	return err == nil, err
}

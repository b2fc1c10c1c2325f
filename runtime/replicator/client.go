package replicator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client is a table: it sends ready bodies through the DynamoDB client of the AWS SDK.
// The endpoint, the signature, the retries and the reading of the answer are the SDK's
// own; only the request body is ours.
type client struct {
	dynamodb *dynamodb.Client
	http     aws.HTTPClient
}

// bodyKey is the context key of the request body.
type bodyKey struct{}

// newClient returns a client with the region, credentials and endpoint of options.
func newClient(options dynamodb.Options) *client {
	c := &client{http: options.HTTPClient}
	options.APIOptions = append(options.APIOptions, sendReadyBody, skipSuccesses)
	options.HTTPClient = fromMemory{options.HTTPClient}
	options.EndpointResolverV2 = &sameEndpoint{EndpointResolverV2: dynamodb.NewDefaultEndpointResolverV2()}
	c.dynamodb = dynamodb.New(options)

	return c
}

// sameEndpoint resolves the endpoint once instead of with every request: it depends only
// on the client's options, which do not change.
type sameEndpoint struct {
	dynamodb.EndpointResolverV2
	resolved atomic.Pointer[smithyendpoints.Endpoint]
}

func (s *sameEndpoint) ResolveEndpoint(
	ctx context.Context, params dynamodb.EndpointParameters,
) (smithyendpoints.Endpoint, error) {
	if resolved := s.resolved.Load(); resolved != nil {
		return *resolved, nil
	}
	resolved, err := s.EndpointResolverV2.ResolveEndpoint(ctx, params)
	if err == nil {
		s.resolved.Store(&resolved)
	}
	return resolved, err
}

// fromMemory tells net/http that a request body is in memory, which the SDK's wrapping
// hides: net/http then writes head and body in one piece instead of two, and does not
// allocate 32 KiB to copy the body.
type fromMemory struct{ http aws.HTTPClient }

func (c fromMemory) Do(r *http.Request) (*http.Response, error) {
	body, ok := r.Context().Value(bodyKey{}).(*requestBody)
	if !ok {
		return nil, errNoBody
	}
	r.Body = io.NopCloser(bytes.NewReader(body.bytes))
	return c.http.Do(r)
}

var errNoBody = errors.New("a request of the replicator has no body")

// sendReadyBody replaces the body that the SDK has serialized from the operation's
// input with the one in the context. It runs once per call, before the payload is hashed
// and signed; a retry rewinds the same body.
func sendReadyBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ReplicatorReadyBody",
		func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
			middleware.SerializeOutput, middleware.Metadata, error,
		) {
			body, ok := ctx.Value(bodyKey{}).(*requestBody)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, errNoBody
			}

			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				err := fmt.Errorf("the SDK serialized into a %T, not into an HTTP request", in.Request)
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			var err error
			if in.Request, err = request.SetStream(bytes.NewReader(body.bytes)); err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}

			return next.HandleSerialize(ctx, in)
		}), middleware.After)
}

// The inputs only satisfy the SDK's own validation: sendReadyBody replaces what the SDK
// serializes from them.
var (
	anyBatch             = &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}}
	anyPut               = &dynamodb.PutItemInput{TableName: aws.String("-"), Item: map[string]types.AttributeValue{}}
	anyDelete            = &dynamodb.DeleteItemInput{TableName: aws.String("-"), Key: map[string]types.AttributeValue{}}
	anyBatchOfStatements = &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}}
	anyRead              = &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{}}
)

func (c *client) batchWriteItem(ctx context.Context, body *requestBody) ([]types.WriteRequest, error) {
	out, err := c.dynamodb.BatchWriteItem(body.in(ctx), anyBatch)
	if err != nil {
		return nil, err
	}
	for _, unprocessed := range out.UnprocessedItems {
		return unprocessed, nil // a call writes to one table
	}
	return nil, nil
}

func (c *client) putItem(ctx context.Context, body *requestBody) (stored bool, err error) {
	_, err = c.dynamodb.PutItem(body.in(ctx), anyPut)
	return err == nil, exceptCondition(err)
}

func (c *client) deleteItem(ctx context.Context, body *requestBody) error {
	_, err := c.dynamodb.DeleteItem(body.in(ctx), anyDelete)
	return exceptCondition(err)
}

func (c *client) batchExecuteStatement(
	ctx context.Context, body *requestBody, statements int,
) ([]statementCode, error) {
	body.statements, body.succeeded = statements, false
	out, err := c.dynamodb.BatchExecuteStatement(body.in(ctx), anyBatchOfStatements)
	if err != nil || body.succeeded {
		return nil, err
	}

	codes := make([]statementCode, len(out.Responses))
	for i := range out.Responses {
		if failed := out.Responses[i].Error; failed != nil {
			codes[i] = failed.Code
			if codes[i] == "" {
				codes[i] = "unknown"
			}
		}
	}

	return codes, nil
}

func (c *client) batchGetItem(ctx context.Context, body *requestBody) (items, unprocessed []itemRead, err error) {
	out, err := c.dynamodb.BatchGetItem(body.in(ctx), anyRead)
	if err != nil {
		return nil, nil, err
	}
	for _, found := range out.Responses {
		items = found // a call reads one table
	}
	for _, left := range out.UnprocessedKeys {
		unprocessed = left.Keys
	}

	return items, unprocessed, nil
}

// exceptCondition returns err unless it says that a condition did not hold.
func exceptCondition(err error) error {
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

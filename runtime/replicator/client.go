package replicator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client is a table: it sends bodies that are ready through the DynamoDB client
// of the AWS SDK. Endpoint, signature, retries and the reading of the response
// are the SDK's own; only the request body is ours.
type client struct {
	dynamodb *dynamodb.Client
	http     aws.HTTPClient
}

// bodyKey is the context key of the request body.
type bodyKey struct{}

// newClient returns a client with the region, credentials and endpoint of options.
func newClient(options dynamodb.Options) *client {
	c := &client{http: options.HTTPClient}
	options.APIOptions = append(options.APIOptions, sendReadyBody)
	options.HTTPClient = fromMemory{options.HTTPClient}
	options.EndpointResolverV2 = &sameEndpoint{EndpointResolverV2: dynamodb.NewDefaultEndpointResolverV2()}
	c.dynamodb = dynamodb.New(options)
	return c
}

// connect opens the first connection before there is anything to send. The root
// certificates and the handshake take ten milliseconds of a processor: Lambda gives
// a whole one to a function that starts, and the smallest a fourteenth of one
// afterwards. Source: Serverless Land, "Utilize initialization phase".
//
// It asks for the endpoint's root, without credentials; any answer will do. When
// there is none until ctx ends, the first batch meets the same problem and reports
// it. Without TLS there is nothing to save. Where writes go is not decided here: the
// client resolves its endpoint itself.
func (c *client) connect(ctx context.Context) {
	o := c.dynamodb.Options()
	endpoint, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, dynamodb.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil || endpoint.URI.Scheme != "https" {
		return
	}
	root := url.URL{Scheme: endpoint.URI.Scheme, Host: endpoint.URI.Host, Path: "/"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, root.String(), http.NoBody)
	if err != nil {
		return
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return
	}
	// A connection is used again once its answer has been read.
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}

// sameEndpoint resolves the endpoint once instead of with every request: it only
// depends on the client's options, which do not change.
type sameEndpoint struct {
	dynamodb.EndpointResolverV2
	resolved atomic.Pointer[smithyendpoints.Endpoint]
}

func (s *sameEndpoint) ResolveEndpoint(ctx context.Context, params dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	if resolved := s.resolved.Load(); resolved != nil {
		return *resolved, nil
	}
	resolved, err := s.EndpointResolverV2.ResolveEndpoint(ctx, params)
	if err == nil {
		s.resolved.Store(&resolved)
	}
	return resolved, err
}

// fromMemory tells net/http that a request body lies in memory, which it cannot
// see through the wrapping of the SDK: then it writes head and body in one piece
// instead of two, and allocates no 32 KiB to copy the second.
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

// attempts is how often the SDK sends one write request before it is left to the
// writer's next round: enough for a broken connection, too few to hold up others.
const attempts = 3

// newRetryer returns a retryer that gives up after maxAttempts. Retries cost no
// tokens: the deadline of the invocation is their limit.
func newRetryer(maxAttempts int) aws.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = maxAttempts
		s.RateLimiter = ratelimit.None
		s.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return backoff(attempt), nil
		})
	})
}

// answerTimeout is how long to wait for the first byte of an answer. DynamoDB's
// own limit is not documented; it answers in milliseconds, and a connection that
// was forgotten somewhere on the way never does.
const answerTimeout = 5 * time.Second

// writeBufferBytes is the memory of a connection that a request is written from. A
// request that fits is written in one piece, and without the 32 KiB that net/http
// allocates to copy a larger body. It holds 25 items of 2.5 KB.
const writeBufferBytes = 64 << 10

// newHTTPClient returns the HTTP client for all requests of the process, of which
// inFlight are under way at once.
func newHTTPClient(inFlight int) aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		// Fewer idle connections than requests in flight means a new connection
		// for most requests.
		t.MaxIdleConnsPerHost = inFlight
		t.WriteBufferSize = writeBufferBytes
		t.ResponseHeaderTimeout = answerTimeout
		// The connections of a first batch resume the session of the one before it
		// instead of each checking the same certificates.
		t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	})
}

// sendReadyBody replaces the body that the SDK has serialized from the operation's
// input by the one in the context. It runs once per call, before the payload is
// hashed and signed; a retry rewinds the same body.
func sendReadyBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ReplicatorReadyBody",
		func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			body, ok := ctx.Value(bodyKey{}).(*requestBody)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, errNoBody
			}
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("the SDK serialized into a %T, not into an HTTP request", in.Request)
			}
			var err error
			if in.Request, err = request.SetStream(bytes.NewReader(body.bytes)); err != nil {
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

// exceptCondition returns err unless it says that a condition did not hold.
func exceptCondition(err error) error {
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

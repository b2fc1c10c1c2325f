// Package rawdynamodb makes the DynamoDB client of the AWS SDK send ready bodies. The endpoint,
// the signature, the retries and the errors are the SDK's own; only the body of a request is the
// caller's, and of an answer where the caller wants it.
package rawdynamodb

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
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// bodyKey is the context key of the request body.
type bodyKey struct{}

// New returns a client with the region, credentials and endpoint of options. Each call needs a
// context of [Body.In]. The call's input only has to satisfy the SDK's own validation. answers
// handles the answers: [SkipSuccesses] or [KeepAnswers].
func New(options dynamodb.Options, answers func(*middleware.Stack) error) *dynamodb.Client {
	options.APIOptions = append(options.APIOptions, sendReadyBody, answers)
	options.HTTPClient = fromMemory{options.HTTPClient}
	options.EndpointResolverV2 = &sameEndpoint{EndpointResolverV2: dynamodb.NewDefaultEndpointResolverV2()}

	return dynamodb.New(options)
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
	body, ok := r.Context().Value(bodyKey{}).(*Body)
	if !ok {
		return nil, errNoBody
	}
	r.Body = io.NopCloser(bytes.NewReader(body.Bytes))
	return c.http.Do(r)
}

var errNoBody = errors.New("a request has no ready body")

// sendReadyBody replaces the body that the SDK has serialized from the operation's
// input with the one in the context. It runs once per call, before the payload is hashed
// and signed; a retry rewinds the same body.
func sendReadyBody(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ReadyBody",
		func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
			middleware.SerializeOutput, middleware.Metadata, error,
		) {
			body, ok := ctx.Value(bodyKey{}).(*Body)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, errNoBody
			}

			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				err := fmt.Errorf("the SDK serialized into a %T, not into an HTTP request", in.Request)
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			var err error
			if in.Request, err = request.SetStream(bytes.NewReader(body.Bytes)); err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}

			return next.HandleSerialize(ctx, in)
		}), middleware.After)
}

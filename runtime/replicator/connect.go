package replicator

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// connect opens the first connection before there is anything to send. Reading the root
// certificates and the handshake cost a processor ten milliseconds. Lambda gives a
// starting function a whole processor, and later the smallest function a fourteenth of
// one. Source: Serverless Land, "Utilize initialization phase".
//
// connect requests the endpoint's root, without credentials, and accepts any answer. When
// none arrives before ctx ends, the first batch meets the same problem and reports it.
// Without TLS there is nothing to save. connect does not decide where writes go: the
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

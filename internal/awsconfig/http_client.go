package awsconfig

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// AnswerTimeout is the longest wait for the first byte of an answer. DynamoDB answers in
// milliseconds and documents no limit of its own; a connection that the network has
// dropped never answers.
const AnswerTimeout = 5 * time.Second

// writeBufferBytes is the size of a connection's write buffer. A request that fits is
// written in one piece, without the 32 KiB that net/http allocates to copy a larger body.
// 25 items of 2.5 KB fit.
const writeBufferBytes = 64 << 10

// NewHTTPClient returns the HTTP client for all requests of the process, with at most
// inFlight of them in flight.
func NewHTTPClient(inFlight int) aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		// Fewer idle connections than requests in flight means a new connection
		// for most requests.
		t.MaxIdleConnsPerHost = inFlight
		t.WriteBufferSize = writeBufferBytes
		t.ResponseHeaderTimeout = AnswerTimeout
		// The connections of a first batch resume the session of the one before it
		// instead of each checking the same certificates.
		t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	})
}

package replicator

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/replicatedtable/cdk-go/internal/test/outside"
)

// outsideClient sends the requests of a bubble from outside of it: connections that stay open
// would stop the bubble's clock.
type outsideClient struct {
	outside outside.Runner
	// answered is told of every answer, from inside the bubble.
	answered func(body []byte, status int)
}

func (c *outsideClient) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}

	// A context of the bubble cannot be waited for outside of it.
	request := r.Clone(context.Background())
	request.Body = io.NopCloser(bytes.NewReader(body))
	var response http.Response
	c.outside.Run(func() { response, err = exchange(request) })
	if err != nil {
		return nil, err
	}
	c.answered(body, response.StatusCode)

	return &response, nil
}

// exchange sends a request and returns the response with its body in memory.
func exchange(r *http.Request) (http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return http.Response{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	inMemory := *response
	inMemory.Body = io.NopCloser(bytes.NewReader(body))

	return inMemory, err
}

package replicator

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
)

// outside runs functions outside of a synctest bubble. The bubble's clock stops while one of
// them runs: a test in fake time can so use a real process, whose answers cost no fake time.
type outside chan func()

func newOutside(t *testing.T) outside {
	t.Helper()
	o := make(outside)
	go func() {
		for f := range o {
			go f()
		}
	}()
	t.Cleanup(func() { close(o) })
	return o
}

// run runs f and waits for it. A goroutine that waits for a mutex is not durably blocked, so
// the clock does not advance.
func (o outside) run(f func()) {
	var running sync.Mutex
	running.Lock()
	o <- func() {
		defer running.Unlock() // also when f ends the test
		f()
	}
	running.Lock()
}

// outsideClient sends the requests of a bubble from outside of it: connections that stay open
// would stop the bubble's clock.
type outsideClient struct {
	outside outside
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
	c.outside.run(func() { response, err = exchange(request) })
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

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
)

// api calls the example's HTTP API.
type api struct {
	client *http.Client
	// base is the URL that the paths are appended to.
	base string
	// host is the Host header by which an emulator tells APIs apart; empty on
	// real AWS, where every API has a name of its own.
	host string
}

func newAPI(c *cdk.Cloud, o *stackOutputs) *api {
	// An emulator starts a function's process at the first call.
	client := &http.Client{Timeout: 30 * time.Second}
	if c.Real {
		return &api{client: client, base: strings.TrimSuffix(o.APIURL, "/")}
	}
	return &api{client: client, base: c.Endpoint, host: apiHost(o.APIID)}
}

// apiHost is the host name of an HTTP API on an emulator.
func apiHost(id string) string { return id + ".execute-api.localhost" }

func (a *api) post(ctx context.Context, u user) error {
	_, err := a.call(ctx, http.MethodPost, "/", u, http.StatusCreated)
	return err
}

// usersPath is the path that queries the lossless target for a state, or a city in it.
func usersPath(state, city string) string {
	path := "/users?state=" + url.QueryEscape(state)
	if city != "" {
		path += "&city=" + url.QueryEscape(city)
	}
	return path
}

func (a *api) usersOf(ctx context.Context, path string) ([]user, error) {
	body, err := a.call(ctx, http.MethodGet, path, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var answer struct{ Users []user }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("GET /users: %w: %s", err, body)
	}
	return answer.Users, nil
}

func (a *api) delete(ctx context.Context, email string) error {
	_, err := a.call(ctx, http.MethodDelete, "/users/"+url.PathEscape(email), nil, http.StatusNoContent)
	return err
}

// call returns the answer's body when its status is the one wanted.
func (a *api) call(ctx context.Context, method, path string, body any, want int) ([]byte, error) {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, &payload)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Host = a.host
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != want {
		return nil, fmt.Errorf("%s %s answered %s, want %d: %s", method, path, response.Status, want, answer)
	}
	return answer, nil
}

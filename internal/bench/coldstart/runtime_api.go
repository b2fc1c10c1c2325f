package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// runtimeAPI is a stub of Lambda's runtime API that has no invocations.
type runtimeAPI struct {
	address string
	server  *http.Server
	next    chan time.Time // when a function asked for its first invocation
}

func serveRuntimeAPI(ctx context.Context) (*runtimeAPI, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := &runtimeAPI{address: listener.Addr().String(), next: make(chan time.Time, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(_ http.ResponseWriter, r *http.Request) {
		api.next <- time.Now()
		<-r.Context().Done() // until the function's process has ended
	})
	api.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = api.server.Serve(listener) }() // it ends when the server is closed
	return api, nil
}

func (a *runtimeAPI) close() { _ = a.server.Close() } // nothing is under way

// startTimeout is more than any start takes.
const startTimeout = 10 * time.Second

// start starts a function, waits until it asks for an invocation, ends it, and
// returns how long that took.
func (a *runtimeAPI) start(ctx context.Context, f function, binary string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = f.environment(a.address)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	var result error
	go func() {
		result = cmd.Wait()
		close(ended)
	}()
	select {
	case asked := <-a.next:
		cancel() // ends the process
		<-ended
		return asked.Sub(begin), nil
	case <-ended:
		return 0, errors.Join(errors.New("it ended before it asked for an invocation"), result, context.Cause(ctx))
	}
}

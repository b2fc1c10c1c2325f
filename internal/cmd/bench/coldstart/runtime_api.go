package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// runtimeAPI is a stub of Lambda's runtime API.
type runtimeAPI struct {
	address     string
	server      *http.Server
	next        chan time.Time // when a function asked for an invocation
	invocations chan []byte    // the payloads that wait for a function
	answers     chan answer
}

// answer is a function's answer to an invocation.
type answer struct {
	at     time.Time
	failed bool
}

func serveRuntimeAPI(ctx context.Context) (*runtimeAPI, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := &runtimeAPI{
		address: listener.Addr().String(),
		next:    make(chan time.Time, 2), invocations: make(chan []byte, 1), answers: make(chan answer, 1),
	}

	const invocation = "/2018-06-01/runtime/invocation/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+invocation+"next", func(w http.ResponseWriter, r *http.Request) {
		api.next <- time.Now()
		select {
		case payload := <-api.invocations:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(answerTimeout).UnixMilli(), 10))
			_, _ = w.Write(payload)
		case <-r.Context().Done(): // the function's process has ended
		}
	})
	mux.HandleFunc("POST "+invocation+"1/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		api.answers <- answer{time.Now(), r.PathValue("outcome") != "response"}
		w.WriteHeader(http.StatusAccepted)
	})
	api.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = api.server.Serve(listener) }() // it ends when the server is closed
	return api, nil
}

func (a *runtimeAPI) close() { _ = a.server.Close() } // nothing is in flight

// More than any start and any answer needs.
const (
	startTimeout  = 10 * time.Second
	answerTimeout = 10 * time.Second
)

// process is a function that has asked for an invocation.
type process struct {
	id    int
	took  time.Duration // from its start to that
	asked time.Time
	// ended is closed when the process has ended.
	ended <-chan struct{}
	// end ends the process and waits for it.
	end func()
}

// start starts a function and waits until it asks for an invocation.
func (a *runtimeAPI) start(ctx context.Context, f function, binary string, e dynamoDB) (process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = f.environment(a.address, e)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		cancel()
		return process{}, err
	}
	ended := make(chan struct{})
	var result error
	go func() {
		result = cmd.Wait()
		close(ended)
	}()
	end := func() {
		cancel()
		<-ended
	}

	select {
	case asked := <-a.next:
		return process{cmd.Process.Pid, asked.Sub(begin), asked, ended, end}, nil
	case <-ended:
		cancel()
		return process{}, errors.Join(errors.New("it ended before it asked for an invocation"), result)
	case <-time.After(startTimeout):
		end()
		return process{}, fmt.Errorf("it did not ask for an invocation within %v", startTimeout)
	}
}

// invoke sends a function an invocation and returns how long it took, from the
// function's request for it to the answer.
func (a *runtimeAPI) invoke(p process, payload []byte) (time.Duration, error) {
	a.invocations <- payload
	var got answer
	select {
	case got = <-a.answers:
	case <-p.ended:
		return 0, errors.New("it ended before its answer")
	case <-time.After(answerTimeout):
		return 0, fmt.Errorf("it did not answer within %v", answerTimeout)
	}
	if got.failed {
		return 0, errors.New("the invocation failed")
	}

	select {
	case <-a.next: // it asks for another one
		return got.at.Sub(p.asked), nil
	case <-p.ended:
		return 0, errors.New("it ended after its answer")
	case <-time.After(startTimeout):
		return 0, errors.New("it did not ask for another invocation")
	}
}

package incidents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

// function is a Lambda function: a process of the replicator's main, and the API that it gets
// its invocations from.
type function struct {
	program string
	env     []string
	log     string // file
	api     *httptest.Server

	next chan invocation

	mu      sync.Mutex
	running *exec.Cmd
	exited  chan struct{}
	waits   map[string]chan result
	count   int
	read    int64 // bytes of the log
}

type invocation struct {
	id      string
	payload []byte
}

type result struct {
	answer []byte
	err    error
}

func newFunction(t testing.TB, program, log string, env []string) *function {
	f := &function{program: program, log: log, next: make(chan invocation), waits: map[string]chan result{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case i := <-f.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = w.Write(i.payload)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(r.Body)
		if err == nil && r.PathValue("outcome") == "error" {
			err = errors.New(string(answer))
		}
		w.WriteHeader(http.StatusAccepted)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waits[r.PathValue("id")] <- result{answer, err}
	})
	f.api = httptest.NewServer(mux)
	f.env = append(slices.Clone(env), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(f.api.URL, "http://"))
	t.Cleanup(func() {
		f.stop()
		f.api.CloseClientConnections()
		f.api.Close()
	})
	return f
}

// start starts the process unless it runs.
func (f *function) start() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running != nil {
		return nil
	}
	log, err := os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process, exited := exec.Command(f.program), make(chan struct{})
	process.Stdout, process.Stderr, process.Env = log, log, f.env
	if err := process.Start(); err != nil {
		return err
	}
	go func() {
		_ = process.Wait() // it is killed
		close(exited)
	}()
	f.running, f.exited = process, exited
	return nil
}

// stop ends the process: its memory is lost, as when Lambda replaces it.
func (f *function) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == nil {
		return
	}
	_ = f.running.Process.Kill()
	<-f.exited
	f.running = nil
}

// invoke invokes the function, and starts it first when it does not run.
func (f *function) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if err := f.start(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.count++
	id, wait, exited := fmt.Sprintf("request-%d", f.count), make(chan result, 1), f.exited
	f.waits[id] = wait
	f.mu.Unlock()

	select {
	case f.next <- invocation{id, payload}:
	case <-exited:
		return nil, f.ended()
	}
	select {
	case r := <-wait:
		return r.answer, r.err
	case <-exited:
		return nil, f.ended()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ended notes that the process has ended by itself.
func (f *function) ended() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = nil
	log, _ := os.ReadFile(f.log)
	return fmt.Errorf("the function's process ended by itself: %s", log)
}

// metrics returns what the function has reported since the last call. The log is a file, which
// has all that the process wrote before it answered.
func (f *function) metrics() ([]emf.Sample, error) {
	log, err := os.Open(f.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if _, err := log.Seek(f.read, io.SeekStart); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(log)
	if err != nil {
		return nil, err
	}
	f.read += int64(len(content))
	samples, _, err := emf.Read(content)
	return samples, err
}

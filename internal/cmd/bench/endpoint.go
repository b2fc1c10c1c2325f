package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/endpoint"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// delayVariable is the endpoint's delay.
const delayVariable = "REPLICATEDTABLE_BENCH_DELAY"

// listening is the endpoint's first message.
type listening struct{ URL string }

// settle tells the endpoint to settle the requests since the last command, and what follows.
type settle struct {
	// Keep keeps the items for the next run.
	Keep bool
	// Live carries out the next requests before they are answered.
	Live bool
}

// settled is the endpoint's answer: the totals, or why there are none.
type settled struct {
	Totals endpoint.Totals
	Error  string
}

// serveEndpoint is the process of the DynamoDB endpoint.
func serveEndpoint(ctx context.Context, getenv func(string) string, commands io.Reader, answers io.Writer) error {
	delay, err := time.ParseDuration(getenv(delayVariable))
	if err != nil {
		return err
	}
	// The timer of the answers sleeps in the kernel, and blocks a processor there.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	// Garbage is collected between runs, so that a run has the CPU for itself.
	debug.SetGCPercent(-1)

	e := endpoint.New(delay, tables()...)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listener) }() // it ends when the server is closed

	decoder, encoder := json.NewDecoder(commands), json.NewEncoder(answers)
	if err := encoder.Encode(listening{"http://" + listener.Addr().String()}); err != nil {
		return err
	}
	for {
		var command settle
		if err := decoder.Decode(&command); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}

		var answer settled
		if answer.Totals, err = e.Settle(ctx, command.Keep); err != nil {
			answer.Error = err.Error()
		}
		e.Live(command.Live)
		runtime.GC()
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
}

// tables returns the target tables of all cases.
func tables() []spec.Table {
	tables := []spec.Table{orders.Colliding().Targets[0].Table}
	for _, t := range orders.Several(severalTargets).Targets { // with the one of Unique
		tables = append(tables, t.Table)
	}
	return tables
}

// endpointProcess is the endpoint as the parent sees it.
type endpointProcess struct {
	*process.Process
	url string
}

func startEndpoint(ctx context.Context, delay time.Duration) (*endpointProcess, error) {
	var first listening
	p, err := process.Start(ctx, endpointRole, &first, delayVariable+"="+delay.String())
	if err != nil {
		return nil, err
	}

	return &endpointProcess{p, first.URL}, nil
}

// settle returns the totals of the requests since the last call.
func (e *endpointProcess) settle(next settle) (endpoint.Totals, error) {
	var answer settled
	if err := e.Call(next, &answer); err != nil {
		return endpoint.Totals{}, fmt.Errorf("ask the endpoint: %w", err)
	}
	if answer.Error != "" {
		return endpoint.Totals{}, errors.New(answer.Error)
	}
	return answer.Totals, nil
}

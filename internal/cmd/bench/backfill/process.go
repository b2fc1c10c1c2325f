package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/stub"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
)

// The variables of the processes.
const (
	delayVariable      = "REPLICATEDTABLE_BENCH_DELAY"
	variantVariable    = "REPLICATEDTABLE_BENCH_VARIANT"
	urlVariable        = "REPLICATEDTABLE_BENCH_URL"
	writeUnitsVariable = "REPLICATEDTABLE_BENCH_WRITE_UNITS"
)

// listening is the endpoint's first message.
type listening struct{ URL string }

// begin tells the endpoint to fill the source table. It answers with the totals since the last command.
type begin struct{ Items int }

// begun is the endpoint's answer.
type begun struct {
	Totals stub.Totals
	// Pages are those of the source table.
	Pages int
}

// serveEndpoint is the process of the DynamoDB endpoint.
func serveEndpoint(ctx context.Context, getenv func(string) string, commands io.Reader, answers io.Writer) error {
	delay, err := time.ParseDuration(getenv(delayVariable))
	if err != nil {
		return err
	}
	// The timer of the answers blocks a processor.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	s, err := stub.New(delay)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() { _ = s.Serve(listener) }() // it ends when the listener is closed

	decoder, encoder := json.NewDecoder(commands), json.NewEncoder(answers)
	if err := encoder.Encode(listening{"http://" + listener.Addr().String()}); err != nil {
		return err
	}
	for {
		var command begin
		if err := decoder.Decode(&command); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := encoder.Encode(begun{s.Begin(command.Items), s.Pages(command.Items)}); err != nil {
			return err
		}
	}
}

// measured is what a filler measures of its run.
type measured struct {
	Wall, CPU time.Duration
	PeakRSS   int64 // bytes
	Error     string
}

// serveFiller is the process of one run of one variant. The answer to each command is a run.
func serveFiller(ctx context.Context, getenv func(string) string, commands io.Reader, answers io.Writer) error {
	v, err := findVariant(getenv(variantVariable))
	if err != nil {
		return err
	}
	writeUnits, err := strconv.ParseFloat(getenv(writeUnitsVariable), 64)
	if err != nil {
		return err
	}
	decoder, encoder := json.NewDecoder(commands), json.NewEncoder(answers)
	if err := encoder.Encode(struct{}{}); err != nil { // it is ready
		return err
	}
	if err := decoder.Decode(&struct{}{}); err != nil {
		return err
	}
	m, err := measure(func() error { return v.fill(ctx, clientOptions(getenv(urlVariable)), writeUnits) })
	if err != nil {
		m.Error = err.Error()
	}

	return encoder.Encode(m)
}

func measure(fill func() error) (m measured, err error) {
	before, err := process.CPUTime()
	if err != nil {
		return m, err
	}
	start := time.Now()
	err = fill()
	m.Wall = time.Since(start)
	if err != nil {
		return m, err
	}
	after, err := process.CPUTime()
	if err != nil {
		return m, err
	}
	m.CPU = after - before
	m.PeakRSS, err = process.PeakRSS()

	return m, err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// variantVariable names the variant that a handler process is.
const variantVariable = "REPLICATEDTABLE_BENCH_VARIANT"

// command tells a handler process to do one run.
type command struct {
	// Payload is the file with the payload. The process keeps the last one.
	Payload string
}

// measured is what a handler process measures of its run.
type measured struct {
	Wall, CPU   time.Duration
	Allocations uint64
	Allocated   uint64 // bytes
	PeakRSS     int64  // bytes, since the process began
	Error       string
}

// invocationTimeout is the deadline of a run: Lambda's longest.
const invocationTimeout = 15 * time.Minute

// serveHandler is the process of one variant.
func serveHandler(ctx context.Context, getenv func(string) string, commands io.Reader, answers io.Writer) error {
	v, err := findVariant(getenv(variantVariable))
	if err != nil {
		return err
	}
	s, err := spec.Parse(getenv(spec.EnvironmentVariable))
	if err != nil {
		return err
	}
	h, err := v.handler(ctx, s)
	if err != nil {
		return err
	}

	decoder, encoder := json.NewDecoder(commands), json.NewEncoder(answers)
	if err := encoder.Encode(struct{}{}); err != nil { // it is ready
		return err
	}
	var payload []byte
	for last := ""; ; {
		var c command
		if err := decoder.Decode(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if c.Payload != last {
			if payload, err = os.ReadFile(c.Payload); err != nil {
				return err
			}
			last = c.Payload
		}
		m, err := invoke(ctx, h, payload)
		if err != nil {
			m.Error = err.Error()
		}
		if err := encoder.Encode(m); err != nil {
			return err
		}
	}
}

// invoke does one run.
func invoke(ctx context.Context, h lambda.Handler, payload []byte) (measured, error) {
	ctx, cancel := context.WithTimeout(ctx, invocationTimeout)
	defer cancel()

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, err := process.CPUTime()
	if err != nil {
		return measured{}, err
	}

	start := time.Now()
	answer, err := h.Invoke(ctx, payload)
	m := measured{Wall: time.Since(start)}
	if err != nil {
		return m, err
	}

	cpuAfter, err := process.CPUTime()
	if err != nil {
		return m, err
	}
	m.CPU = cpuAfter - cpu
	runtime.ReadMemStats(&after)
	m.Allocations, m.Allocated = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	if bytes.Contains(answer, []byte("itemIdentifier")) {
		return m, errors.New("not everything was applied")
	}
	m.PeakRSS, err = process.PeakRSS()

	return m, err
}

// startHandler starts the process of a variant in the environment of its function.
func startHandler(ctx context.Context, v variant, s spec.Spec, url string) (*process.Process, error) {
	environment := []string{}
	for name, value := range s.Environment(v.memory) {
		if v.tuned || name == spec.EnvironmentVariable {
			environment = append(environment, name+"="+value)
		}
	}

	var ready struct{}
	return process.Start(ctx, handlerRole, &ready, append(environment,
		variantVariable+"="+v.name,
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=bench",
		"AWS_SECRET_ACCESS_KEY=bench",
		"AWS_ENDPOINT_URL="+url,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", v.memory),
		// A function has neither of these files.
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)...)
}

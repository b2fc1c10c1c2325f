package cdk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Execution is an execution of a state machine.
type Execution struct {
	// Status is SUCCEEDED, FAILED, TIMED_OUT or ABORTED once it has ended.
	Status string `json:"status"`
	// Output is that of one that has succeeded, Error and Cause those of one that has failed.
	Output string `json:"output"`
	Error  string `json:"error"`
	Cause  string `json:"cause"`
}

// StartExecution starts an execution, and returns its ARN.
func (c *Cloud) StartExecution(ctx context.Context, stateMachineARN, input string) (string, error) {
	var started struct {
		ARN string `json:"executionArn"`
	}
	err := c.states(ctx, "StartExecution", map[string]string{"stateMachineArn": stateMachineARN, "input": input}, &started)

	return started.ARN, err
}

// AwaitExecution waits for the end of an execution.
func (c *Cloud) AwaitExecution(ctx context.Context, executionARN string) (Execution, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var e Execution
		err := c.states(ctx, "DescribeExecution", map[string]string{"executionArn": executionARN}, &e)
		if err != nil || e.Status != "RUNNING" {
			return e, err
		}
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-tick.C:
		}
	}
}

// AwaitFailedTask waits until a task of a child of an execution has failed with a cause that
// contains text. A task that is retried has failed, too.
func (c *Cloud) AwaitFailedTask(ctx context.Context, executionARN, text string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		causes, err := c.causesOfChildren(ctx, executionARN)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(causes, func(cause string) bool { return strings.Contains(cause, text) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the tasks failed with %q, and none with %q: %w", causes, text, ctx.Err())
		case <-tick.C:
		}
	}
}

// causesOfChildren returns why tasks of the children of an execution have failed.
func (c *Cloud) causesOfChildren(ctx context.Context, executionARN string) (causes []string, err error) {
	var runs struct {
		MapRuns []struct {
			ARN string `json:"mapRunArn"`
		} `json:"mapRuns"`
	}
	if err := c.states(ctx, "ListMapRuns", map[string]string{"executionArn": executionARN}, &runs); err != nil {
		return nil, err
	}
	for _, run := range runs.MapRuns {
		var children struct {
			Executions []struct {
				ARN string `json:"executionArn"`
			} `json:"executions"`
		}
		if err := c.states(ctx, "ListExecutions", map[string]string{"mapRunArn": run.ARN}, &children); err != nil {
			return nil, err
		}
		for _, child := range children.Executions {
			var history struct {
				Events []struct {
					Failed struct {
						Cause string `json:"cause"`
					} `json:"taskFailedEventDetails"`
				} `json:"events"`
			}
			if err := c.states(ctx, "GetExecutionHistory", map[string]string{"executionArn": child.ARN}, &history); err != nil {
				return nil, err
			}
			for _, event := range history.Events {
				if event.Failed.Cause != "" {
					causes = append(causes, event.Failed.Cause)
				}
			}
		}
	}

	return causes, nil
}

// states calls AWS Step Functions.
func (c *Cloud) states(ctx context.Context, operation string, in map[string]string, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, http.MethodPost, "states", "/", string(body), http.Header{
		"Content-Type": {"application/x-amz-json-1.0"},
		"X-Amz-Target": {"AWSStepFunctions." + operation},
	})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// executionInput is what the state machine of AddReconciler reads, and executionOutput what it
// writes.
type (
	executionInput struct {
		Operation reconciler.Operation `json:"operation"`
		// SourceTable and FunctionName say whose state machine it has to be: another one would work on
		// its own tables and end well.
		SourceTable  string  `json:"sourceTable"`
		FunctionName string  `json:"functionName,omitempty"`
		Segments     int     `json:"segments,omitempty"`
		WriteUnits   float64 `json:"writeUnits,omitempty"`
		ReadUnits    float64 `json:"readUnits,omitempty"`
		GraceSeconds int     `json:"graceSeconds,omitempty"`
		Strict       bool    `json:"strict,omitempty"`
		DryRun       bool    `json:"dryRun,omitempty"`
	}
	executionOutput struct {
		Passes []passCounts      `json:"passes"`
		Counts reconciler.Counts `json:"counts"`
	}
)

// The errors with which an execution fails by itself.
const (
	errorDifferences = "Differences"
	errorInput       = "InputError"
)

// onAWS starts an execution of the state machine of AddReconciler, and shows its progress until it
// ends. The execution goes on without the command.
func (c *command) onAWS(ctx context.Context, d *deployment) (int, error) {
	f := c.flags
	input, err := json.Marshal(executionInput{
		Operation: reconciler.Operation(c.name), SourceTable: d.spec.Source.TableName, FunctionName: d.functionName,
		Segments: f.segments, WriteUnits: f.writeUnits, ReadUnits: f.readUnits,
		GraceSeconds: int(f.grace / time.Second), Strict: f.strict, DryRun: f.dryRun,
	})
	if err != nil {
		return exitUnfinished, err
	}
	client := sfn.NewFromConfig(d.config)
	started, err := client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &f.onAWS, Input: aws.String(string(input)),
	})
	if err != nil {
		return exitUnfinished, err
	}
	c.note("started %s", aws.ToString(started.ExecutionArn))

	e := execution{c, d, client, started.ExecutionArn}
	out, err := e.await(ctx)
	if err != nil {
		return exitUnfinished, err
	}

	return e.result(out)
}

// execution is one execution of the state machine.
type execution struct {
	command    *command
	deployment *deployment
	client     *sfn.Client
	arn        *string
}

// pollInterval is how often the state of the execution is read.
const pollInterval = time.Second

// await shows the progress of the execution until it ends.
func (e execution) await(ctx context.Context) (*sfn.DescribeExecutionOutput, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for polls := 0; ; polls++ {
		out, err := e.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.arn})
		if err != nil || out.Status != types.ExecutionStatusRunning && out.Status != types.ExecutionStatusPendingRedrive {
			return out, err
		}
		if polls%int(lineInterval/pollInterval) == 0 {
			if err := e.show(ctx); err != nil {
				return nil, err
			}
		}
		select {
		case <-tick.C:
		case <-e.command.stopping:
			return nil, unfinished("the execution goes on without this command; to stop it: "+
				"aws stepfunctions stop-execution --execution-arn %s", *e.arn)
		}
	}
}

// show shows how many segments of the present pass are done.
func (e execution) show(ctx context.Context) error {
	runs, err := e.client.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: e.arn})
	if err != nil {
		return err
	}

	passes, latest := len(runs.MapRuns), (*types.MapRunListItem)(nil)
	for i, run := range runs.MapRuns {
		if latest == nil || run.StartDate.After(*latest.StartDate) {
			latest = &runs.MapRuns[i]
		}
	}
	if latest == nil {
		return nil
	}
	run, err := e.client.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: latest.MapRunArn})
	if err != nil {
		return err
	}

	n := run.ItemCounts
	if e.command.flags.json {
		e.command.emit("execution", struct{ Pass, Segments, Succeeded, Running, Failed int64 }{
			int64(passes), n.Total, n.Succeeded, n.Running, n.Failed})
	} else {
		e.command.note("pass %d: %d of %d segments done, %d in progress, %d failed",
			passes, n.Succeeded, n.Total, n.Running, n.Failed)
	}

	return nil
}

// result prints how the execution has ended.
func (e execution) result(out *sfn.DescribeExecutionOutput) (int, error) {
	text := fmt.Sprintf("the execution %s: %s %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
	switch {
	case out.Status == types.ExecutionStatusSucceeded:
		var o executionOutput
		if err := json.Unmarshal([]byte(aws.ToString(out.Output)), &o); err != nil {
			return exitUnfinished, fmt.Errorf("the output of the execution: %w", err)
		}
		e.command.warnOfEmpty(e.deployment.spec, o.Passes)
		e.command.result(o.Counts, exitDone)
		return exitDone, nil
	case aws.ToString(out.Error) == errorDifferences:
		e.end(out, exitDifferences)
		return exitDifferences, &failure{exitDifferences, aws.ToString(out.Cause)}
	case aws.ToString(out.Error) == errorInput:
		return exitUsage, usageError("the state machine refuses its input: %s", aws.ToString(out.Cause))
	default:
		e.end(out, exitUnfinished)
		return exitUnfinished, unfinished(
			"%s (aws stepfunctions redrive-execution --execution-arn %s continues it)", text, *e.arn)
	}
}

// end prints the last line of an execution that has failed. It has no output, so there are no counts:
// the cause has them as text.
func (e execution) end(out *sfn.DescribeExecutionOutput, code int) {
	if e.command.flags.json {
		e.command.emit("end", struct {
			ExitCode     int
			Error, Cause string
		}{code, aws.ToString(out.Error), aws.ToString(out.Cause)})
	}
}

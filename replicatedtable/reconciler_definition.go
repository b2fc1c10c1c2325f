package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// segmentsLabel is a part of the ARN of each child execution.
const segmentsLabel = "Segments"

// taskTimeoutSeconds ends a task whose function does not answer any longer, some time after the
// function's own timeout.
const taskTimeoutSeconds = 960

// object is a JSON object.
type object = map[string]any

// definition is the definition of the state machine, in Amazon States Language with JSONPath:
//
//	Begin ─► Plan ─► Choose ─┬─► Segments (a distributed map) ─► Plan
//	                         ├─► Succeeded
//	                         └─► Failed
//
// The function plans: it reads the input, chooses the next pass and its segments, adds the counts
// of a pass up, and says how the execution ends. In each child execution of the map, the function
// carries out one segment in slices, and the state between two slices has the progress. A slice that
// is retried may have written already: it tells the function so.
func (r *reconciler) definition(props ReconcilerProps) string {
	return encode(object{
		"StartAt": "Begin",
		"States": object{
			"Begin": object{"Type": "Pass", "Parameters": object{"Input.$": "$"}, "Next": "Plan"},
			"Plan": r.invoke("Choose", object{
				"Plan.$":         "$",
				"MaxConcurrency": *props.MaxConcurrency,
				"FunctionName":   *r.table.function.FunctionName(),
			}),
			"Choose": object{
				"Type": "Choice",
				"Choices": []any{
					object{"Variable": "$.Next", "StringEquals": "Pass", "Next": "Segments"},
					object{"Variable": "$.Next", "StringEquals": "Succeeded", "Next": "Succeeded"},
				},
				"Default": "Failed",
			},
			"Segments": object{
				"Type":           "Map",
				"Label":          segmentsLabel,
				"ItemsPath":      "$.Segments",
				"ItemSelector":   object{"Run.$": "$.Run", "Number.$": "$$.Map.Item.Value"},
				"MaxConcurrency": *props.MaxConcurrency,
				"ItemProcessor":  r.segmentDefinition(props),
				"ResultPath":     "$.Results",
				"Next":           "Plan",
			},
			"Succeeded": object{"Type": "Succeed", "OutputPath": "$.Output"},
			"Failed":    object{"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"},
		},
	})
}

// segmentDefinition is the definition of a child execution. Its result is short, because the
// results of all children are the output of one state.
func (r *reconciler) segmentDefinition(props ReconcilerProps) object {
	return object{
		"ProcessorConfig": object{"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
		"StartAt":         "Slice",
		"States": object{
			"Slice": r.invoke("Continue", object{
				"Slice.$":        "$",
				"MaxConcurrency": *props.MaxConcurrency,
				"Retries.$":      "$$.State.RetryCount",
				// Its RedriveCount is greater than 0 when the slice was stopped and is redriven.
				"Execution.$": "$$.Execution",
			}),
			"Continue": object{
				"Type":    "Choice",
				"Choices": []any{object{"Variable": "$.Done", "BooleanEquals": true, "Next": "Done"}},
				"Default": "Slice",
			},
			"Done": object{"Type": "Succeed", "OutputPath": "$.Result"},
		},
	}
}

// invoke is a state that invokes the function. Every error may pass: a table or Lambda that
// throttles, a permission that is missing. 20 retries, with random waits that grow up to five
// minutes, take more than half an hour, and at most 70 minutes.
func (r *reconciler) invoke(next string, payload object) object {
	return object{
		"Type":           "Task",
		"Resource":       "arn:" + *awscdk.Aws_PARTITION() + ":states:::lambda:invoke",
		"Parameters":     object{"FunctionName": *r.function.FunctionArn(), "Payload": payload},
		"OutputPath":     "$.Payload",
		"TimeoutSeconds": taskTimeoutSeconds,
		"Retry": []any{object{
			"ErrorEquals": []any{"States.ALL"}, "IntervalSeconds": 2, "BackoffRate": 2, "MaxDelaySeconds": 300,
			"MaxAttempts": 20, "JitterStrategy": "FULL",
		}},
		"Next": next,
	}
}

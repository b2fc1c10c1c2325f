package replicatedtable

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

const (
	// maxRecordAge is when the event source mapping gives up on a record. It
	// leaves 13 of the 24 hours that a stream keeps records (Amazon DynamoDB
	// Developer Guide, "Change data capture for DynamoDB Streams"), because the
	// failure queue gets only the position of the records: they have to be
	// fetched from the stream while they are there.
	maxRecordAge = 11 * time.Hour

	// retryUntilTooOld lets the age alone end the retries. Source: AWS Lambda API
	// Reference, CreateEventSourceMapping, MaximumRetryAttempts.
	retryUntilTooOld = -1
)

// newEventSourceMapping connects the source table's stream to the function.
//
// It is the CloudFormation resource itself: the construct for it would grant
// the role more on the failure queue than to send. The mapping needs what the
// role allows when it is created; it refers to the function, which waits for
// the role and its policy.
func newEventSourceMapping(t *replicatedTable, props ReplicatedTableProps, filter *spec.Condition) awslambda.CfnEventSourceMapping {
	return awslambda.NewCfnEventSourceMapping(t, jsii.String("EventSource"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:   t.function.FunctionName(),
		EventSourceArn: t.sourceTable.TableStreamArn(),
		// LATEST would miss what is written while the mapping is being created.
		StartingPosition:      jsii.String("TRIM_HORIZON"),
		BatchSize:             props.BatchSize,
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		// When an invocation reports nothing at all, the halves find the record.
		BisectBatchOnFunctionError: jsii.Bool(true),
		MaximumRetryAttempts:       jsii.Number(retryUntilTooOld),
		MaximumRecordAgeInSeconds:  jsii.Number(maxRecordAge.Seconds()),
		FilterCriteria:             filterCriteria(filter),
		DestinationConfig: &awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{
				Destination: t.failureQueue.QueueArn(),
			},
		},
		// What the alarm for a stream that nobody reads looks at.
		MetricsConfig: &awslambda.CfnEventSourceMapping_MetricsConfigProperty{
			Metrics: jsii.Strings("EventCount"),
		},
	})
}

// filterCriteria hands the filter to Lambda when patterns can express it exactly,
// so that records that do not matter cost no invocation.
func filterCriteria(filter *spec.Condition) *awslambda.CfnEventSourceMapping_FilterCriteriaProperty {
	patterns := eventPatterns(filter)
	if patterns == nil {
		return nil
	}
	filters := make([]*awslambda.CfnEventSourceMapping_FilterProperty, len(patterns))
	for i := range patterns {
		filters[i] = &awslambda.CfnEventSourceMapping_FilterProperty{Pattern: &patterns[i]}
	}
	return &awslambda.CfnEventSourceMapping_FilterCriteriaProperty{Filters: &filters}
}

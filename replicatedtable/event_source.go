package replicatedtable

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

const (
	// maxRecordAge is the age at which the event source mapping gives up on a
	// record. The failure queue gets only the position of the records, which have to
	// be fetched from the stream. A stream keeps them for 24 hours (Amazon DynamoDB
	// Developer Guide, "Change data capture for DynamoDB Streams"), so 13 remain.
	maxRecordAge = 11 * time.Hour

	// retryUntilTooOld lets the age alone end the retries. Source: AWS Lambda API
	// Reference, CreateEventSourceMapping, MaximumRetryAttempts.
	retryUntilTooOld = -1
)

// newEventSourceMapping connects the source table's stream to the function.
//
// It is the CloudFormation resource itself: the CDK's construct would grant the role
// more on the failure queue than to send. The event source mapping needs the role's
// permissions when it is created. It refers to the function, which waits for the
// role and its policy.
func newEventSourceMapping(t *replicatedTable, props ReplicatedTableProps) awslambda.CfnEventSourceMapping {
	return awslambda.NewCfnEventSourceMapping(t, jsii.String("EventSource"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:   t.function.FunctionName(),
		EventSourceArn: t.sourceTable.TableStreamArn(),
		// LATEST would miss the changes from before the event source mapping is ready.
		StartingPosition:      jsii.String("TRIM_HORIZON"),
		BatchSize:             props.BatchSize,
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		// When an invocation fails without a report, halving the batch finds the record.
		BisectBatchOnFunctionError: jsii.Bool(true),
		MaximumRetryAttempts:       jsii.Number(retryUntilTooOld),
		MaximumRecordAgeInSeconds:  jsii.Number(maxRecordAge.Seconds()),
		FilterCriteria:             filterCriteria(t.replication.Targets),
		DestinationConfig: &awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{
				Destination: t.failureQueue.QueueArn(),
			},
		},
		// UnreadStreamAlarm watches this metric.
		MetricsConfig: &awslambda.CfnEventSourceMapping_MetricsConfigProperty{
			Metrics: jsii.Strings("EventCount"),
		},
	})
}

// filterCriteria is the filter for Lambda, so that records that no target needs cost
// no invocation. It is nil when a target needs all records, and when patterns cannot
// express the filters exactly.
func filterCriteria(targets []spec.Target) *awslambda.CfnEventSourceMapping_FilterCriteriaProperty {
	patterns := eventPatterns(commonFilter(targets))
	if patterns == nil {
		return nil
	}

	filters := make([]*awslambda.CfnEventSourceMapping_FilterProperty, len(patterns))
	for i := range patterns {
		filters[i] = &awslambda.CfnEventSourceMapping_FilterProperty{Pattern: &patterns[i]}
	}
	return &awslambda.CfnEventSourceMapping_FilterCriteriaProperty{Filters: &filters}
}

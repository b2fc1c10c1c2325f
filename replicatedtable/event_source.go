package replicatedtable

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
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

	// longestRecordAge is the greatest age that a caller can choose: it leaves 12 hours.
	longestRecordAge = 12 * time.Hour

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
func newEventSourceMapping(t *replicatedTable, props ReplicatedTableProps, s sizes) awslambda.CfnEventSourceMapping {
	settings := &awslambda.CfnEventSourceMappingProps{
		FunctionName:          t.function.FunctionName(),
		EventSourceArn:        t.sourceTable.TableStreamArn(),
		StartingPosition:      jsii.String(string(props.StartingPosition)),
		BatchSize:             props.BatchSize,
		ParallelizationFactor: props.ParallelizationFactor,
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		// When an invocation fails without a report, halving the batch finds the record.
		BisectBatchOnFunctionError: jsii.Bool(true),
		MaximumRetryAttempts:       props.RetryAttempts,
		MaximumRecordAgeInSeconds:  jsii.Number(s.recordAge()),
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
	}
	if props.MaxBatchingWindow != nil {
		settings.MaximumBatchingWindowInSeconds = props.MaxBatchingWindow.ToSeconds(nil)
	}
	if props.Enabled != nil {
		settings.Enabled = props.Enabled
	}
	if props.FilterEncryption != nil && settings.FilterCriteria != nil {
		// What the CDK's construct does: Lambda itself decrypts the filter.
		props.FilterEncryption.GrantDecrypt(awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil))
		settings.KmsKeyArn = props.FilterEncryption.KeyArn()
	}

	return awslambda.NewCfnEventSourceMapping(t, jsii.String("EventSource"), settings)
}

// setFilter replaces the filter for Lambda with that of all targets. Without a filter,
// there is nothing to encrypt.
func (t *replicatedTable) setFilter(targets []spec.Target) {
	filter := filterCriteria(targets)
	t.eventSourceMapping.SetFilterCriteria(filter)
	if filter == nil {
		t.eventSourceMapping.SetKmsKeyArn(nil)
	}
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

package replicatedtable

import (
	"cmp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

const (
	defaultMemoryMiB      = 256
	defaultTimeoutMinutes = 1
	defaultBatchSize      = 1000
	defaultArchitecture   = "arm64"
)

// withDefaults returns a copy in which every optional prop that the CDK needs is
// set. What a target can leave out gets its default in toTarget.
func (p ReplicatedTableProps) withDefaults() ReplicatedTableProps {
	p.RemovalPolicy = cmp.Or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN)
	p.MemorySize = cmp.Or(p.MemorySize, jsii.Number(defaultMemoryMiB))
	p.BatchSize = cmp.Or(p.BatchSize, jsii.Number(defaultBatchSize))
	p.LogRetention = cmp.Or(p.LogRetention, awslogs.RetentionDays_ONE_MONTH)
	p.LoggingFormat = cmp.Or(p.LoggingFormat, awslambda.LoggingFormat_JSON)
	p.Description = cmp.Or(p.Description, jsii.String("Applies the changes of a source table to its target tables"))
	// LATEST would miss the changes from before the event source mapping is ready.
	p.StartingPosition = cmp.Or(p.StartingPosition, awslambda.StartingPosition_TRIM_HORIZON)
	p.RetryAttempts = cmp.Or(p.RetryAttempts, jsii.Number(retryUntilTooOld))
	if p.Timeout == nil {
		p.Timeout = awscdk.Duration_Minutes(jsii.Number(defaultTimeoutMinutes))
	}
	if p.Alarms == nil {
		p.Alarms = &AlarmsProps{}
	}
	if p.Architecture == nil {
		p.Architecture = awslambda.Architecture_ARM_64()
	}

	return p
}

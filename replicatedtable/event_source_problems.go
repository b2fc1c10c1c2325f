package replicatedtable

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// eventSourceProblems lists the rules that the settings of the event source mapping break.
func eventSourceProblems(props *ReplicatedTableProps, s sizes) []spec.Problem {
	return slices.Concat(
		batchSizeRange.problems("BatchSize", s.batchSize),
		windowRange.problems("MaxBatchingWindow", s.windowSeconds),
		parallelizationRange.problems("ParallelizationFactor", s.parallelization),
		choiceProblems("StartingPosition", props.StartingPosition,
			awslambda.StartingPosition_TRIM_HORIZON, awslambda.StartingPosition_LATEST),
		s.durationProblems("MaxRecordAge", recordAgeRange, s.recordAgeSeconds),
		retryRange.problems("RetryAttempts", s.retryAttempts),
	)
}

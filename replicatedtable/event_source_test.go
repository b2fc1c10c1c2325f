package replicatedtable

import "testing"

func TestTheEventSourceMappingLosesNothing(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.users.EventSourceMapping())
	r.want(t, "EventSourceArn", getAtt(logicalID(k.stack, k.users.SourceTable()), "StreamArn"))
	r.want(t, "FunctionName", ref(logicalID(k.stack, k.users.Function())))
	r.want(t, "StartingPosition", "TRIM_HORIZON")
	r.want(t, "FunctionResponseTypes", []any{"ReportBatchItemFailures"})
	r.want(t, "BisectBatchOnFunctionError", true)
	r.want(t, "BatchSize", 1000)
	r.want(t, "MaximumRetryAttempts", -1)
	r.want(t, "MaximumRecordAgeInSeconds", 11*60*60)
	r.want(t, "MetricsConfig", map[string]any{"Metrics": []any{"EventCount"}})
	r.want(t, "DestinationConfig", map[string]any{"OnFailure": map[string]any{
		"Destination": getAtt(logicalID(k.stack, k.users.FailureQueue()), "Arn"),
	}})
}

func TestAFilterThatLambdaCanEvaluateIsHandedToItForBothImages(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.active.EventSourceMapping())
	const conditions = `{"active":{"BOOL":[true]},"address":{"M":{"country":{"S":[{"prefix":"U"}]}}}}`
	r.want(t, "FilterCriteria", map[string]any{"Filters": []any{
		map[string]any{"Pattern": `{"dynamodb":{"NewImage":` + conditions + `}}`},
		map[string]any{"Pattern": `{"dynamodb":{"OldImage":` + conditions + `}}`},
	}})
	if k.specOf(t, k.active).Targets[0].Filter == nil {
		t.Error("the function does not get the filter: it would put records that Lambda passes for their old image")
	}
}

func TestAFilterThatLambdaCannotEvaluateIsTheFunctionsAlone(t *testing.T) {
	k := allKinds(t)
	for _, table := range []ReplicatedTable{k.users, k.cities} {
		k.resource(table.EventSourceMapping()).want(t, "FilterCriteria", nil)
	}
	if k.specOf(t, k.cities).Targets[0].Filter == nil {
		t.Error("the function does not get the filter")
	}
}

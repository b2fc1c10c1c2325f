package replicatedtable

import (
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

func TestFailuresAreKeptEncryptedAndReachedByTLSOnly(t *testing.T) {
	k := allKinds(t)
	for _, c := range []constructs.IConstruct{k.users.FailureQueue(), k.users.FailureDeadLetterQueue()} {
		id := logicalID(k.stack, c)
		r := k.template.Resources[id]
		r.want(t, "SqsManagedSseEnabled", true)
		r.want(t, "MessageRetentionPeriod", 14*24*60*60)
		r.want(t, "MaximumMessageSize", 1024*1024)
		k.synthesized.HasResourceProperties(jsii.String("AWS::SQS::QueuePolicy"), map[string]any{
			"Queues": []any{ref(id)},
			"PolicyDocument": map[string]any{"Statement": []any{map[string]any{
				"Effect":    "Deny",
				"Action":    "sqs:*",
				"Principal": map[string]any{"AWS": "*"},
				"Resource":  getAtt(id, "Arn"),
				"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
			}}},
		})
	}

	queue := k.resource(k.users.FailureQueue())
	queue.want(t, "RedrivePolicy", map[string]any{
		"deadLetterTargetArn": getAtt(logicalID(k.stack, k.users.FailureDeadLetterQueue()), "Arn"),
		"maxReceiveCount":     5,
	})
}

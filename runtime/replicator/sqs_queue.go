package replicator

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// sqsQueue is a queue of Amazon SQS.
type sqsQueue struct {
	// client creates the client on first use: most functions never need it.
	client func() *sqs.Client
	url    string
}

func (q *sqsQueue) send(ctx context.Context, bodies []string) map[int]error {
	entries := make([]types.SendMessageBatchRequestEntry, len(bodies))
	for i := range bodies {
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &bodies[i]}
	}

	out, err := q.client().SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	errs := map[int]error{}
	for i := range bodies {
		errs[i] = err
	}
	if err != nil {
		return errs
	}

	for i, entry := range entries {
		errs[i] = ownError("the queue's answer does not mention the message")
		for _, accepted := range out.Successful {
			if aws.ToString(accepted.Id) == *entry.Id {
				delete(errs, i)
			}
		}
		for _, refused := range out.Failed {
			if aws.ToString(refused.Id) == *entry.Id {
				errs[i] = &smithy.GenericAPIError{Code: aws.ToString(refused.Code), Message: aws.ToString(refused.Message)}
			}
		}
	}

	return errs
}

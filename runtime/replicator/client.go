package replicator

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
)

// client is a table: it sends ready bodies through the DynamoDB client of the AWS SDK.
// The endpoint, the signature, the retries and the reading of the answer are the SDK's
// own; only the request body is ours.
type client struct {
	dynamodb *dynamodb.Client
	http     aws.HTTPClient
}

// newClient returns a client with the region, credentials and endpoint of options.
func newClient(options dynamodb.Options) *client {
	return &client{dynamodb: rawdynamodb.New(options, rawdynamodb.SkipSuccesses), http: options.HTTPClient}
}

// The inputs only satisfy the SDK's own validation: package rawdynamodb replaces what the SDK
// serializes from them.
var (
	anyBatch             = &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}}
	anyPut               = &dynamodb.PutItemInput{TableName: aws.String("-"), Item: map[string]types.AttributeValue{}}
	anyDelete            = &dynamodb.DeleteItemInput{TableName: aws.String("-"), Key: map[string]types.AttributeValue{}}
	anyBatchOfStatements = &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{}}
	anyRead              = &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{}}
)

func (c *client) batchWriteItem(ctx context.Context, body *rawdynamodb.Body) ([]types.WriteRequest, error) {
	out, err := c.dynamodb.BatchWriteItem(body.In(ctx), anyBatch)
	if err != nil {
		return nil, err
	}
	for _, unprocessed := range out.UnprocessedItems {
		return unprocessed, nil // a call writes to one table
	}
	return nil, nil
}

func (c *client) putItem(ctx context.Context, body *rawdynamodb.Body) (stored bool, err error) {
	_, err = c.dynamodb.PutItem(body.In(ctx), anyPut)
	return err == nil, exceptCondition(err)
}

func (c *client) deleteItem(ctx context.Context, body *rawdynamodb.Body) error {
	_, err := c.dynamodb.DeleteItem(body.In(ctx), anyDelete)
	return exceptCondition(err)
}

func (c *client) batchExecuteStatement(
	ctx context.Context, body *rawdynamodb.Body, statements int,
) ([]statementCode, error) {
	body.Statements, body.Succeeded = statements, false
	out, err := c.dynamodb.BatchExecuteStatement(body.In(ctx), anyBatchOfStatements)
	if err != nil || body.Succeeded {
		return nil, err
	}

	codes := make([]statementCode, len(out.Responses))
	for i := range out.Responses {
		if failed := out.Responses[i].Error; failed != nil {
			codes[i] = failed.Code
			if codes[i] == "" {
				codes[i] = "unknown"
			}
		}
	}

	return codes, nil
}

func (c *client) batchGetItem(ctx context.Context, body *rawdynamodb.Body) (items, unprocessed []itemRead, err error) {
	out, err := c.dynamodb.BatchGetItem(body.In(ctx), anyRead)
	if err != nil {
		return nil, nil, err
	}
	for _, found := range out.Responses {
		items = found // a call reads one table
	}
	for _, left := range out.UnprocessedKeys {
		unprocessed = left.Keys
	}

	return items, unprocessed, nil
}

// exceptCondition returns err unless it says that a condition did not hold.
func exceptCondition(err error) error {
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

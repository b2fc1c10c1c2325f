// Package article re-implements the stream function of "Learn how to use
// DynamoDB Streams with AWS Lambda and Go", as the yardstick of this module's
// tests and benchmarks: what it loses must not be lost here, and what it costs
// is what this module is compared with.
//
// It behaves as the article's function does, faults included. Do not use it.
package article

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Function copies stream records into a table.
type Function struct {
	Client    *dynamodb.Client
	TableName string
	Log       *slog.Logger
}

// Handle puts the strings and booleans of every record's new image into the
// table, one request after the other. It has no answer: an error is logged and
// the record is gone.
func (f *Function) Handle(ctx context.Context, event events.DynamoDBEvent) {
	for _, record := range event.Records {
		item := map[string]types.AttributeValue{}
		for name, value := range record.Change.NewImage {
			switch value.DataType() {
			case events.DataTypeString:
				item[name] = &types.AttributeValueMemberS{Value: value.String()}
			case events.DataTypeBoolean:
				item[name] = &types.AttributeValueMemberBOOL{Value: value.Boolean()}
			default:
				// Every other type is left out, as in the article.
			}
		}
		if _, err := f.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &f.TableName, Item: item}); err != nil {
			f.Log.Error("could not put the item", slog.Any("error", err))
		}
	}
}

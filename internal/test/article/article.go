// Package article re-implements the stream function of "Learn how to use DynamoDB
// Streams with AWS Lambda and Go", as the yardstick of this module's tests and
// benchmarks: they show that this module keeps the data that the article's function
// loses, and compare the cost.
//
// It behaves like the article's function, faults included. Do not use it.
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

// Handle puts the strings and booleans of every record's new image into the table,
// one request after the other. It has no answer: it logs an error and loses the
// record.
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
				// The article drops every other type.
			}
		}
		if _, err := f.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &f.TableName, Item: item}); err != nil {
			f.Log.Error("could not put the item", slog.Any("error", err))
		}
	}
}

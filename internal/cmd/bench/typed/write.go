package typed

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Unprocessed writes are retried this often, after a random wait below a bound that
// starts at baseBackoff and doubles.
const (
	attempts    = 6
	baseBackoff = 50 * time.Millisecond
)

var errUnprocessed = errors.New("the table left writes unprocessed in every attempt")

// BatchWrite sends one batch of at most 25 writes to a table until nothing of it is unprocessed.
func BatchWrite(ctx context.Context, client *dynamodb.Client, table string, requests []types.WriteRequest) error {
	pending := map[string][]types.WriteRequest{table: requests}
	for attempt := range attempts {
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: pending})
		if err != nil {
			return err
		}
		if pending = out.UnprocessedItems; len(pending) == 0 {
			return nil
		}
		select {
		case <-time.After(rand.N(baseBackoff << attempt)): // #nosec G404 -- jitter needs no secrecy
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errUnprocessed
}

// sendGuarded sends one write that replaces only an older version. A delete also
// requires that the same source item owns the target item.
func (f *Function) sendGuarded(ctx context.Context, w write) error {
	names := map[string]string{"#v": f.VersionAttribute}
	version := &types.AttributeValueMemberS{Value: w.chain.version}
	values := item{":v": version}

	var err error
	if w.put != nil {
		w.put[f.VersionAttribute] = version
		_, err = f.Client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &f.TableName, Item: w.put,
			ConditionExpression:      aws.String("attribute_not_exists(#v) OR #v < :v"),
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
	} else {
		names["#owner"] = f.SourceKey
		values[":owner"] = &types.AttributeValueMemberS{Value: w.chain.source}
		_, err = f.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &f.TableName, Key: w.delete,
			ConditionExpression:      aws.String("#owner = :owner AND #v < :v"),
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
	}
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return nil // the table has something newer
	}

	return err
}

package faults_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

var table = aws.String("table")

// setup returns a table, an injector in front of it, and a client of the
// injector that does not retry.
func setup(t *testing.T, seed uint64, rules ...faults.Rule) (*memorydb.DB, *faults.Injector, *dynamodb.Client) {
	t.Helper()
	db := memorydb.New()
	create(t, client(db))
	injector := faults.New(db, seed, rules...)
	return db, injector, client(injector)
}

func client(http faults.Client) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		HTTPClient: http, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// retrying retries by the SDK's own rules, at most 20 times.
func retrying() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = 20, ratelimit.None })
}

func create(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

type attributes = map[string]types.AttributeValue

func key(pk string) attributes { return attributes{"pk": &types.AttributeValueMemberS{Value: pk}} }

func put(ctx context.Context, c *dynamodb.Client, pk string) error {
	item := key(pk)
	// More than one attribute: the SDK writes them in random order.
	item["a"], item["b"] = &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true}
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item})
	return err
}

// batch puts items and returns the keys of the unprocessed ones.
func batch(ctx context.Context, c *dynamodb.Client, pks ...string) ([]string, error) {
	var writes []types.WriteRequest
	for _, pk := range pks {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: key(pk)}})
	}
	out, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{*table: writes},
	})
	if err != nil {
		return nil, err
	}
	var unprocessed []string
	for _, w := range out.UnprocessedItems[*table] {
		unprocessed = append(unprocessed, w.PutRequest.Item["pk"].(*types.AttributeValueMemberS).Value)
	}
	return unprocessed, nil
}

// stored returns how many items the table has.
func stored(db *memorydb.DB) int { return len(db.Items(*table)) }

// with selects the writes whose JSON contains a text.
func with(text string) func(faults.Write) bool {
	return func(w faults.Write) bool { return strings.Contains(string(w.Attributes), text) }
}

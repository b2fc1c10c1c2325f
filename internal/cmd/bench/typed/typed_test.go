package typed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/typed"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

func image(id, group string) string {
	return fmt.Sprintf(`{"id":{"S":%q},"group":{"S":%q},"secret":{"S":"x"}}`, id, group)
}

func record(event, id string, sequence int, images string) string {
	return fmt.Sprintf(`{"eventName":%q,"eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/s/stream/l",`+
		`"dynamodb":{"Keys":{"id":{"S":%q}},%s,"SequenceNumber":"%d"}}`, event, id, images, sequence)
}

// A yardstick that loses data would be a cheap one.
func TestMovesAndDeletesArriveUnconditionalAndConditional(t *testing.T) {
	for _, versionAttribute := range []string{"", "version"} {
		t.Run("version attribute "+versionAttribute, func(t *testing.T) {
			db := memorydb.New()
			f := &typed.Function{
				Client:           newClient(t, db),
				TableName:        "t",
				SourceKey:        "id",
				PartitionKey:     "group",
				SortKey:          "id",
				Excluded:         "secret",
				VersionAttribute: versionAttribute,
			}
			for _, batch := range [][]string{
				{
					record("INSERT", "a", 8, `"NewImage":`+image("a", "1")),
					record("INSERT", "b", 9, `"NewImage":`+image("b", "1")),
					record("INSERT", "c", 10, `"NewImage":`+image("c", "1")),
				},
				{
					record("MODIFY", "a", 11, `"OldImage":`+image("a", "1")+`,"NewImage":`+image("a", "2")),
					record("MODIFY", "a", 12, `"OldImage":`+image("a", "2")+`,"NewImage":`+image("a", "3")),
					record("REMOVE", "b", 13, `"OldImage":`+image("b", "1")),
				},
			} {
				var event events.DynamoDBEvent
				for _, r := range batch {
					var decoded events.DynamoDBEventRecord
					if err := json.Unmarshal([]byte(r), &decoded); err != nil {
						t.Fatal(err)
					}
					event.Records = append(event.Records, decoded)
				}
				response, err := f.Handle(t.Context(), event)
				if err != nil || len(response.BatchItemFailures) > 0 {
					t.Fatal(response, err)
				}
			}
			version := func(sequence int) string {
				if versionAttribute == "" {
					return ""
				}
				return fmt.Sprintf(`,"version":{"S":"l/%040d"}`, sequence)
			}
			want := []string{
				`{"group":{"S":"1"},"id":{"S":"c"}` + version(10) + `}`,
				`{"group":{"S":"3"},"id":{"S":"a"}` + version(12) + `}`,
			}
			if got := db.Items("t"); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func newClient(t *testing.T, db *memorydb.DB) *dynamodb.Client {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{Region: "local", HTTPClient: db,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		})})
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("t"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("group"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("group"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("id"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

package enginetest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func TestDynamoDBLocalKeepsTheTablesOfEachAccessKeyApart(t *testing.T) {
	endpoint := enginetest.DynamoDBLocal(t)
	if again := enginetest.DynamoDBLocal(t); again != endpoint {
		t.Errorf("the second caller got %s, the first %s: want one engine per test binary", again, endpoint)
	}
	first, second := client(endpoint, "first"), client(endpoint, "second")
	_, err := first.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String("users"),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("email"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("email"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		client *dynamodb.Client
		want   []string
	}{
		{"first", first, []string{"users"}},
		{"second", second, nil},
	} {
		out, err := row.client.ListTables(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out.TableNames, row.want) {
			t.Errorf("access key %s sees tables %v, want %v", row.name, out.TableNames, row.want)
		}
	}
}

// notInstalled is a test that notes how it ends. It goes on where a real one ends.
type notInstalled struct {
	testing.TB

	ended string
}

func (n *notInstalled) Fatalf(string, ...any) { n.ended = "failed" }
func (n *notInstalled) Skipf(string, ...any)  { n.ended = "skipped" }

func TestAMissingToolSkipsATestOrFailsItWhereEnginesAreRequired(t *testing.T) {
	for value, want := range map[string]string{"": "skipped", "required": "failed"} {
		t.Setenv(enginetest.RequiredVariable, value)
		missing := &notInstalled{TB: t}
		if enginetest.Require(missing, tools.Tool{}); missing.ended != want {
			t.Errorf("with %s=%q the test %s, want %s", enginetest.RequiredVariable, value, missing.ended, want)
		}
	}
}

func client(endpoint, accessKeyID string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		APIOptions:   awsconfig.APIOptions,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: "test"}, nil
		}),
	})
}

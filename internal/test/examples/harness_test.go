// Package examples_test deploys examples and checks what they promise. The tests of
// examples/users are in internal/cmd/demo.
package examples_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// arrivalTimeout is how long a change may take from one table to another. MiniStack needs
// less than a second.
const arrivalTimeout = 60 * time.Second

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startMiniStack starts a local cloud that ends with the test.
func startMiniStack(t *testing.T) (root string, cloud *cdk.Cloud) {
	t.Helper()
	root = enginetest.Require(t, tools.Node, tools.Python)
	server, err := engine.StartMiniStack(t.Context(), root)
	check(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return root, &cdk.Cloud{Endpoint: server.Endpoint, Log: server.Log}
}

// newApp builds the app in a folder of the repository, and prepares the cloud for it.
func newApp(t *testing.T, root string, cloud *cdk.Cloud, folder string) *cdk.App {
	t.Helper()
	app, err := cdk.NewApp(cloud, root, folder)
	check(t, err)
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	check(t, app.Synth(t.Context()))
	check(t, app.Bootstrap(t.Context()))
	return app
}

// deploy deploys a stack and returns its outputs.
func deploy(t *testing.T, app *cdk.App, stack string) map[string]string {
	t.Helper()
	content, err := app.Deploy(t.Context(), stack)
	check(t, err)
	var outputs map[string]map[string]string
	check(t, json.Unmarshal(content, &outputs))
	return outputs[stack]
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// table is a table of the cloud.
type table struct {
	t      *testing.T
	client *dynamodb.Client
	name   string
}

func newTable(t *testing.T, cloud *cdk.Cloud, name string) *table {
	t.Helper()
	client, err := cloud.DynamoDB(t.Context())
	check(t, err)
	return &table{t: t, client: client, name: name}
}

func (b *table) put(items ...item) {
	b.t.Helper()
	for _, i := range items {
		_, err := b.client.PutItem(b.t.Context(), &dynamodb.PutItemInput{TableName: &b.name, Item: i})
		check(b.t, err)
	}
}

func (b *table) delete(key item) {
	b.t.Helper()
	_, err := b.client.DeleteItem(b.t.Context(), &dynamodb.DeleteItemInput{TableName: &b.name, Key: key})
	check(b.t, err)
}

// await waits until the table has these items and nothing else.
func (b *table) await(t *testing.T, want ...item) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), arrivalTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		found := b.items(t)
		if sameItems(found, want) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after %s, %s has %s, want %s", arrivalTimeout, b.name, toJSON(found), toJSON(want))
		case <-tick.C:
		}
	}
}

func (b *table) items(t *testing.T) []item {
	t.Helper()
	page, err := b.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.name, ConsistentRead: aws.Bool(true)})
	check(t, err)
	return page.Items
}

// sameItems compares items in any order. Their keys are unique.
func sameItems(found, want []item) bool {
	for _, i := range want {
		if !slices.ContainsFunc(found, func(f item) bool { return reflect.DeepEqual(f, i) }) {
			return false
		}
	}
	return len(found) == len(want)
}

func toJSON(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

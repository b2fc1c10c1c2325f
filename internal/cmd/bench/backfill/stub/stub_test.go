package stub_test

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/stub"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

type item = map[string]types.AttributeValue

// start starts a server with so many items. A client needs a moment between its request and the answer.
func start(t *testing.T, items int) (*stub.Server, *dynamodb.Client) {
	t.Helper()
	s, err := stub.New(time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s.Begin(items)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() { _ = s.Serve(listener) }()
	return s, dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://" + listener.Addr().String()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	})
}

// scan returns the order IDs of a table, and the units that the answers say.
func scan(t *testing.T, client *dynamodb.Client, table string, segments, limit int32) (ids []string, units float64) {
	t.Helper()
	for segment := range segments {
		input := &dynamodb.ScanInput{
			TableName: &table, Segment: &segment, TotalSegments: &segments, ConsistentRead: aws.Bool(true),
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		}
		if limit > 0 {
			input.Limit = &limit
		}
		for pages := dynamodb.NewScanPaginator(client, input); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			units += *page.ConsumedCapacity.CapacityUnits
			for _, one := range page.Items {
				ids = append(ids, one[orders.OrderID].(*types.AttributeValueMemberS).Value)
			}
		}
	}
	return ids, units
}

func TestAScanShowsEveryItemOnce(t *testing.T) {
	s, client := start(t, 0)
	for _, tt := range []struct {
		why                    string
		items                  int
		segments, limit, pages int32
	}{
		{"one page", 10, 1, 0, 1},
		{"segments, some of them without items; a last page that is not full", 1500, 4, 0, 2},
		{"limits that do not divide a page", 1500, 1, 400, 2},
	} {
		for _, table := range []string{orders.Source, orders.ByCustomer} {
			s.Begin(tt.items)
			ids, units := scan(t, client, table, tt.segments, tt.limit)
			slices.Sort(ids)
			if len(slices.Compact(slices.Clone(ids))) != tt.items || len(ids) != tt.items || ids[0] != orders.ID(0) ||
				ids[tt.items-1] != orders.ID(tt.items-1) {
				t.Errorf("%s: %s has %d items", tt.why, table, len(ids))
			}
			totals := s.Begin(tt.items)
			if totals.ReadUnits != units || units == 0 || totals.WriteUnits != 0 {
				t.Errorf("%s: %+v, the answers say %g units", tt.why, totals, units)
			}
		}
		if got := s.Pages(tt.items); got != int(tt.pages) {
			t.Errorf("%s: %d pages, want %d", tt.why, got, tt.pages)
		}
	}
}

func TestWritesAreCountedByItem(t *testing.T) {
	s, client := start(t, 10)
	var statements []types.BatchStatementRequest
	var writes []types.WriteRequest
	for range 3 {
		statements = append(statements, types.BatchStatementRequest{Statement: aws.String("INSERT")})
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{}}},
			types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item{}}})
	}
	answers, err := client.BatchExecuteStatement(t.Context(), &dynamodb.BatchExecuteStatementInput{
		Statements: statements, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil || len(answers.Responses) != 3 || *answers.ConsumedCapacity[0].CapacityUnits != 3 {
		t.Errorf("statements: %+v, %v", answers, err)
	}
	_, err = client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{orders.ByCustomer: writes},
	})
	if err != nil {
		t.Error(err)
	}
	input := &dynamodb.PutItemInput{TableName: aws.String(orders.ByCustomer), Item: item{}}
	if _, err = client.PutItem(t.Context(), input); err != nil {
		t.Error(err)
	}
	if got := s.Begin(0); got != (stub.Totals{Requests: 3, WriteUnits: 10}) {
		t.Errorf("%+v", got)
	}
	if _, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err == nil {
		t.Error("what is not expected is not an error")
	}
}

func TestAReadShowsWhatAScanShows(t *testing.T) {
	s, client := start(t, 2000)
	text := func(number int) *types.AttributeValueMemberS {
		return &types.AttributeValueMemberS{Value: orders.ID(number)}
	}
	s.Begin(1500)
	out, err := client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{orders.Source: {Keys: []item{
			{orders.OrderID: text(1400)}, {orders.OrderID: text(3)}, {orders.OrderID: text(1500)},
		}}},
	})
	found := out.Responses[orders.Source]
	if err != nil || len(found) != 2 || found[0][orders.OrderID].(*types.AttributeValueMemberS).Value != orders.ID(1400) {
		t.Errorf("%+v, %v", found, err)
	}
	if got := s.Begin(0); got != (stub.Totals{Requests: 1, ReadUnits: 1.5}) {
		t.Errorf("%+v", got)
	}
}

// Each write counts one unit.
func TestAnItemNeedsOneWriteUnit(t *testing.T) {
	for number := range 2000 {
		item := orders.Item(number, 0, orders.Large)
		if size, err := memorydb.ItemSize(json.RawMessage(item)); err != nil || size > 1024 {
			t.Fatalf("order %d has %d bytes: %v", number, size, err)
		}
	}
}

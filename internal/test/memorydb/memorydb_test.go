package memorydb_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

var table = aws.String("strings")

// client returns the AWS SDK's client of a DB with an empty table.
func client(t testing.TB, options dynamodb.Options) *dynamodb.Client {
	t.Helper()
	options.Region = "us-east-1"
	options.APIOptions = awsconfig.APIOptions
	options.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
	})
	c := dynamodb.New(options)
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type attributes = map[string]types.AttributeValue

func str(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

func TestTheSDKUnderstandsTheAnswers(t *testing.T) {
	db := memorydb.New()
	server := httptest.NewServer(db)
	defer server.Close()
	for name, options := range map[string]dynamodb.Options{
		"without a socket": {HTTPClient: memorydb.New()},
		"over HTTP":        {BaseEndpoint: &server.URL},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, options)
			item := attributes{
				"pk": str("x"), "n": &types.AttributeValueMemberN{Value: "1.50"},
				"set": &types.AttributeValueMemberBS{Value: [][]byte{{0}}},
			}
			if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
				t.Fatal(err)
			}
			got, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: attributes{"pk": str("x")}})
			if err != nil {
				t.Fatal(err)
			}
			if n, ok := got.Item["n"].(*types.AttributeValueMemberN); !ok || n.Value != "1.5" || len(got.Item) != 3 {
				t.Errorf("got %v", got.Item)
			}
			scan, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: table, ConsistentRead: aws.Bool(true)})
			if err != nil || scan.Count != 1 {
				t.Errorf("scan: %v, %v", scan, err)
			}
			_, err = c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
				TransactItems: []types.TransactWriteItem{{ConditionCheck: &types.ConditionCheck{
					TableName: table, Key: attributes{"pk": str("x")}, ConditionExpression: aws.String("attribute_not_exists(#pk)"),
					ExpressionAttributeNames:            map[string]string{"#pk": "pk"},
					ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
				}}},
			})
			canceled := (*types.TransactionCanceledException)(nil)
			if !errors.As(err, &canceled) || *canceled.CancellationReasons[0].Code != "ConditionalCheckFailed" ||
				len(canceled.CancellationReasons[0].Item) != 3 || canceled.ErrorMessage() == "" {
				t.Errorf("a canceled transaction: %v", err)
			}
			batch, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{
					*table: {{DeleteRequest: &types.DeleteRequest{Key: attributes{"pk": str("x")}}}},
				},
			})
			if err != nil || len(batch.UnprocessedItems) != 0 {
				t.Errorf("batch: %v, %v", batch, err)
			}
			_, err = c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: table, Key: attributes{"pk": str("x")},
				ConditionExpression: aws.String("attribute_exists(#pk)"), ExpressionAttributeNames: map[string]string{"#pk": "pk"}})
			conditionFailed := (*types.ConditionalCheckFailedException)(nil)
			if !errors.As(err, &conditionFailed) || conditionFailed.ErrorMessage() == "" {
				t.Errorf("a failed condition: %v", err)
			}
			_, err = c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("missing"), Item: item})
			if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) {
				t.Errorf("a missing table: %v", err)
			}
		})
	}
}

func TestWhatIsNotImplementedIsRefused(t *testing.T) {
	c := client(t, dynamodb.Options{HTTPClient: memorydb.New()})
	_, returnValues := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: table, Item: attributes{"pk": str("x")}, ReturnValues: types.ReturnValueAllOld})
	_, bareName := c.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: table, Item: attributes{"pk": str("x")}, ConditionExpression: aws.String("attribute_exists(pk)")})
	_, operation := c.Query(t.Context(), &dynamodb.QueryInput{TableName: table})
	for _, err := range []error{returnValues, bareName, operation} {
		if err == nil {
			t.Error("a request was answered as if all of it were implemented")
		}
	}
}

// What DynamoDB makes of these is not documented, and DynamoDB Local takes them:
// a caller that sends them has a bug that should be seen.
func TestAmbiguousJSONIsRefused(t *testing.T) {
	e := inMemory(memorydb.New())
	e.createTables(t, "ambiguous")
	for _, item := range []string{
		`{"pk":{"S":"x"},"a":{"S":"1"},"a":{"S":"2"}}`,
		`{"pk":{"S":"x"},"a":{"S":"\ud800"}}`,
	} {
		if a := e.mustSend(t, "ambiguous", "PutItem", `{"TableName":"strings","Item":`+item+`}`); a.outcome() != malformed {
			t.Errorf("%s: got %s, want %s", item, a.outcome(), malformed)
		}
	}
}

func TestABatchOver16MBIsRefused(t *testing.T) {
	e := inMemory(memorydb.New())
	e.createTables(t, "large")
	write := putRequest(`{"pk":{"S":"x"}}`)
	a := e.mustSend(t, "large", "BatchWriteItem", `{"RequestItems":{"strings":[`+write+strings.Repeat(" ", 16<<20)+`]}}`)
	if a.outcome() != invalid {
		t.Errorf("got %s, want %s", a.outcome(), invalid)
	}
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	db := memorydb.New()
	c := client(t, dynamodb.Options{HTTPClient: db})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: attributes{"pk": str("x")}}); err == nil {
		t.Error("the request succeeded")
	}
	if items := db.Items(*table); len(items) != 0 {
		t.Errorf("the request was executed: %v", items)
	}
}

func TestItemsIsTheScanInCanonicalForm(t *testing.T) {
	db := memorydb.New()
	e := inMemory(db)
	e.createTables(t, "items")
	e.mustSend(t, "items", "PutItem", `{"TableName":"strings","Item":{"pk":{"S":"b"},"a":{"N":"1e1"}}}`)
	e.mustSend(t, "items", "PutItem", `{"TableName":"strings","Item":{"pk":{"S":"a"},"a":{"SS":["y","x"]}}}`)
	got, want := fmt.Sprint(db.Items("strings")), `[{"a":{"N":"10"},"pk":{"S":"b"}} {"a":{"SS":["x","y"]},"pk":{"S":"a"}}]`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if items := db.Items("missing"); items != nil {
		t.Errorf("items of a missing table: %v", items)
	}
	if _, err := memorydb.Canonical([]byte(`{"a":{"N":"x"}}`)); err == nil {
		t.Error("canonical form of an item that DynamoDB refuses")
	}
}

// TestConcurrentConditionalWritesLeaveOneWinner runs in a bubble, where a wait
// for anything outside of it would be a deadlock.
func TestConcurrentConditionalWritesLeaveOneWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memorydb.New()
		c := client(t, dynamodb.Options{HTTPClient: db})
		var wins sync.Map
		var workers sync.WaitGroup
		for i := range 20 {
			workers.Go(func() {
				_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
					TableName: table, Item: attributes{"pk": str("x"), "by": str(strconv.Itoa(i))},
					ConditionExpression:      aws.String("attribute_not_exists(#pk)"),
					ExpressionAttributeNames: map[string]string{"#pk": "pk"}})
				if err == nil {
					wins.Store(i, true)
				}
			})
		}
		workers.Wait()
		count := 0
		for range wins.Range {
			count++
		}
		if items := db.Items(*table); count != 1 || len(items) != 1 {
			t.Errorf("%d writes won, items %v", count, items)
		}
	})
}

// FuzzCanonical checks that the canonical form has a fixed point and is JSON.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"a":{"M":{"b":{"NS":["1e5","-0.1"]},"a":{"L":[{"BOOL":true},{"NULL":true},{"B":"AA=="}]}}}}`))
	f.Fuzz(func(t *testing.T, item []byte) {
		once, err := memorydb.Canonical(item)
		if err != nil {
			return
		}
		if !json.Valid([]byte(once)) {
			t.Fatalf("%s has the canonical form %s", item, once)
		}
		if twice, err := memorydb.Canonical([]byte(once)); err != nil || twice != once {
			t.Fatalf("%s\n once %s\ntwice %s %v", item, once, twice, err)
		}
	})
}

func BenchmarkDB(b *testing.B) {
	const guarded = "attribute_not_exists(#v) OR (#o0 = :o0 AND #v.#seq < :seq) OR " +
		"(NOT #o0 = :o0 AND (#v.#at < :at OR (#v.#at = :at AND #v.#seq < :seq)))"
	const item = `{"pk":{"S":"x"},"email":{"S":"a@b.c"},"state":{"S":"WA"},"city":{"S":"Seattle"},"age":{"N":"42"},` +
		`"v":{"M":{"at":{"N":"1700000000"},"seq":{"S":"2026-01-02T03:04:05.678/0000000000000000000000000000000000000001"}}}}`
	var batchWrites []string
	for i := range 25 {
		batchWrites = append(batchWrites, putRequest(strings.Replace(item, `"x"`, fmt.Sprintf(`"x%d"`, i), 1)))
	}
	for name, s := range map[string]step{
		"PutItem": put("strings", item, ok),
		"PutItemGuarded": {"PutItem", `{"TableName":"strings","Item":` + item + conditionMembers(guarded,
			`{"#v":"v","#seq":"seq","#at":"at","#o0":"email"}`,
			`{":o0":{"S":"a@b.c"},":at":{"N":"1700000000"},`+
				`":seq":{"S":"2026-01-02T03:04:05.678/0000000000000000000000000000000000000002"}}`) + `}`, ok},
		"BatchWriteItem25": batch("strings", batchWrites, ok),
	} {
		b.Run(name, func(b *testing.B) {
			db := memorydb.New()
			inMemory(db).createTables(b, "bench")
			header := http.Header{"X-Amz-Target": {"DynamoDB_20120810." + s.operation}}
			b.ReportAllocs()
			for b.Loop() {
				request := &http.Request{Method: http.MethodPost, Header: header,
					ContentLength: int64(len(s.body)), Body: io.NopCloser(strings.NewReader(s.body))}
				//nolint:bodyclose // it is in memory
				if response, err := db.Do(request); err != nil || response.StatusCode != http.StatusOK {
					b.Fatal(response, err)
				}
			}
		})
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
)

// api is the handler under test, with its log.
type api struct {
	handler
	log *bytes.Buffer
}

// newAPI makes a handler over two empty tables of DynamoDB Local, keyed as the
// stack keys them.
func newAPI(t testing.TB) api {
	t.Helper()
	a := newAPIAt(t, enginetest.DynamoDBLocal(t))
	name := strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())
	a.tables.source, a.tables.target = name+"-source", name+"-target"
	a.createTable(t, a.tables.source, "email")
	a.createTable(t, a.tables.target, "state", "city")
	return a
}

// newAPIAt makes a handler whose tables are wherever endpoint says.
func newAPIAt(t testing.TB, endpoint string) api {
	t.Helper()
	log := new(bytes.Buffer)
	return api{
		log: log,
		handler: handler{
			log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			tables: tables{
				source: "source",
				target: "target",
				client: dynamodb.New(dynamodb.Options{
					BaseEndpoint: &endpoint,
					Region:       "us-east-1",
					Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
					// As many attempts as in the function, without the waiting.
					Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
						o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
					}),
				}),
			},
		},
	}
}

// createTable makes a table with string keys, partition key first, and deletes
// it when the test ends.
func (a api) createTable(t testing.TB, name string, keys ...string) {
	t.Helper()
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	for i, key := range keys {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &key, AttributeType: types.ScalarAttributeTypeS,
		})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{
			AttributeName: &key, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i],
		})
	}
	if _, err := a.tables.client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := a.tables.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
}

// replicated puts into the target table what the replicator would put for u.
func (a api) replicated(t testing.TB, u user) {
	t.Helper()
	it := item(u)
	it["replicatedtable:version"] = &types.AttributeValueMemberN{Value: "1"}
	a.putItem(t, a.tables.target, it)
}

func (a api) putItem(t testing.TB, table string, it map[string]types.AttributeValue) {
	t.Helper()
	if _, err := a.tables.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatal(err)
	}
}

// item is what a table holds of u, without the members that are empty.
func item(u user) map[string]types.AttributeValue {
	it := map[string]types.AttributeValue{}
	for name, value := range map[string]string{"email": u.Email, "state": u.State, "city": u.City} {
		if value != "" {
			it[name] = &types.AttributeValueMemberS{Value: value}
		}
	}
	return it
}

// request is a request as the gateway hands it over. The target may have a
// query string.
func request(method, target string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "$default"}
	r.RawPath, r.RawQueryString, _ = strings.Cut(target, "?")
	r.RequestContext.HTTP.Method = method
	r.RequestContext.RequestID = "request-1"
	return r
}

func (a api) send(r events.APIGatewayV2HTTPRequest) answered {
	got, err := a.Handle(context.Background(), r)
	if err != nil {
		panic("Handle returned an error although it says that it never does: " + err.Error())
	}
	return answered{got}
}

func (a api) do(method, target string) answered { return a.send(request(method, target)) }

func (a api) post(body string) answered {
	r := request("POST", "/")
	r.Body = body
	return a.send(r)
}

// answered is an answer as the gateway gets it.
type answered struct {
	events.APIGatewayV2HTTPResponse
}

// want checks status, headers and body; bodies are compared as JSON values.
func (a answered) want(t testing.TB, status int, body string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("status is %d, want %d; body: %s", a.StatusCode, status, a.Body)
	}
	if got := a.Headers["Content-Type"]; got != "application/json" {
		t.Errorf("Content-Type is %q, want application/json", got)
	}
	if body == "" || a.Body == "" {
		if a.Body != body {
			t.Errorf("body is %q, want %q", a.Body, body)
		}
		return
	}
	var got, want any
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
		t.Fatalf("body %q: %v", a.Body, err)
	}
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatalf("wanted body %q: %v", body, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("body is %s, want %s", a.Body, body)
	}
}

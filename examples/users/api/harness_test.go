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
)

// api is the handler under test, with its log.
type api struct {
	handler
	log *bytes.Buffer
}

// newAPI makes a handler over two empty tables, keyed as the stack keys them.
func newAPI(t testing.TB) api {
	t.Helper()
	a := newAPIAt(dynamoDB(t))
	name := strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())
	a.tables.source, a.tables.target = name+"-source", name+"-target"
	a.createTable(t, a.tables.source, "email")
	a.createTable(t, a.tables.target, "state", sortKey)
	return a
}

// unreachable is an endpoint for tests in which no request may reach a table.
const unreachable = "http://127.0.0.1:1"

// newAPIAt makes a handler whose tables are wherever endpoint says.
func newAPIAt(endpoint string) api {
	log := new(bytes.Buffer)
	return api{log: log, handler: handler{
		log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		tables: tables{source: "source", target: "target", client: dynamodb.New(dynamodb.Options{
			BaseEndpoint: &endpoint,
			Region:       "us-east-1",
			Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
			// As many attempts as in the function, without the waiting.
			Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			}),
		})},
	}}
}

// createTable makes a table with string keys, partition key first, and deletes it when
// the test ends.
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
		_, err := a.tables.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
		if err != nil {
			t.Error(err)
		}
	})
}

// replicated puts into the target table what the replicator would put for a user.
func (a api) replicated(t testing.TB, u user) {
	t.Helper()
	u.Zipcode = ""
	item := u.item()
	item[sortKey] = text(sortKeyOf(u))
	a.putItem(t, a.tables.target, item)
}

func (a api) putItem(t testing.TB, table string, item map[string]types.AttributeValue) {
	t.Helper()
	_, err := a.tables.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
	if err != nil {
		t.Fatal(err)
	}
}

// request is a request as the gateway sends it. The target may have a query string.
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
		panic("Handle returned an error although every failure is an answer: " + err.Error())
	}
	return answered{got}
}

func (a api) do(method, target string) answered { return a.send(request(method, target)) }

func (a api) post(body string) answered { return a.send(bodyOf(body)) }

func bodyOf(body string) events.APIGatewayV2HTTPRequest {
	r := request("POST", "/")
	r.Body = body
	return r
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

// wantError checks an answer that tells the caller what is at fault.
func (a answered) wantError(t testing.TB, status int, field, message string) {
	t.Helper()
	body, err := json.Marshal(map[string]map[string]string{"error": {"field": field, "message": message}})
	if err != nil {
		t.Fatal(err)
	}
	a.want(t, status, string(body))
}

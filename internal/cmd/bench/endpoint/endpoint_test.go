package endpoint_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/endpoint"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

var table = spec.Table{
	TableName: "t",
	KeySchema: spec.KeySchema{PartitionKey: spec.Attribute{Name: "k", Type: spec.String}},
}

func send(t *testing.T, e *endpoint.Endpoint, operation, body string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "{}" {
		t.Fatalf("%s: %d %s", operation, w.Code, w.Body)
	}
	return len(body)
}

func TestSettleCountsAndKeepsTheLastItems(t *testing.T) {
	e := endpoint.New(0, table)
	sent := send(t, e, "BatchWriteItem", `{"RequestItems":{"t":[`+
		`{"PutRequest":{"Item":{"k":{"S":"a"},"v":{"S":"`+strings.Repeat("x", 1100)+`"}}}},`+
		`{"PutRequest":{"Item":{"k":{"S":"b"}}}}]}}`)
	sent += send(t, e, "PutItem", `{"TableName":"t","Item":{"k":{"S":"a"},"v":{"N":"1"}}}`)
	sent += send(t, e, "DeleteItem", `{"TableName":"t","Key":{"k":{"S":"b"}}}`)
	got, err := e.Settle(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	want := endpoint.Totals{
		Requests:   3,
		Single:     2,
		Bytes:      sent,
		WriteUnits: 2 + 1 + 2 + 1,
		Items:      map[string][]string{"t": {`{"k":{"S":"a"},"v":{"N":"1"}}`}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err = e.Settle(t.Context(), false); err != nil || got.Requests != 0 || len(got.Items["t"]) != 0 {
		t.Errorf("the next run starts with nothing: got %+v, %v", got, err)
	}
}

func TestWhatDynamoDBRefusesIsAnError(t *testing.T) {
	for _, tt := range []struct{ name, operation, body, want string }{
		{"a key twice", "BatchWriteItem", `{"RequestItems":{"t":[{"DeleteRequest":{"Key":{"k":{"S":"a"}}}},` +
			`{"PutRequest":{"Item":{"k":{"S":"a"}}}}]}}`, "duplicates"},
		{"a condition that does not hold", "PutItem", `{"TableName":"t","Item":{"k":{"S":"a"}},` +
			`"ConditionExpression":"#k = :k","ExpressionAttributeNames":{"#k":"k"},` +
			`"ExpressionAttributeValues":{":k":{"S":"a"}}}`, "ConditionalCheckFailed"},
		{"a read", "Query", `{"TableName":"t"}`, "Query"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := endpoint.New(0, table)
			send(t, e, tt.operation, tt.body)
			if _, err := e.Settle(t.Context(), false); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

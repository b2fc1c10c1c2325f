package memorydb_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// engine answers DynamoDB's JSON protocol.
type engine struct {
	endpoint string
	client   interface {
		Do(*http.Request) (*http.Response, error)
	}
}

// engines are what the suite runs over: the in-memory table, and DynamoDB Local
// as the judge of the expected answers.
var engines = map[string]func(testing.TB) engine{
	"memorydb":       func(testing.TB) engine { return inMemory(memorydb.New()) },
	"DynamoDB Local": local,
}

func inMemory(db *memorydb.DB) engine { return engine{"http://memorydb", db} }

func local(t testing.TB) engine {
	t.Helper()
	return engine{enginetest.DynamoDBLocal(t), http.DefaultClient}
}

// answer is what a caller can act on.
type answer struct {
	status int
	code   string // of an error, behind the "#"
	body   []byte
}

// outcome is the error's code. The outcome of statements is that of each, with commas, and
// that of a canceled transaction has the codes of its reasons.
func (a answer) outcome() string {
	if a.status != http.StatusOK {
		return strings.Join(append([]string{a.code}, a.reasons()...), " ")
	}

	var answered struct {
		Responses []struct{ Error struct{ Code string } }
	}
	if json.Unmarshal(a.body, &answered) != nil || len(answered.Responses) == 0 {
		return "OK" // no statements
	}
	outcomes := make([]string, len(answered.Responses))
	for i, r := range answered.Responses {
		outcomes[i] = cmp.Or(r.Error.Code, "OK")
	}

	return strings.Join(outcomes, ",")
}

// reasons returns the codes of the reasons of a canceled transaction, with commas, or nothing.
func (a answer) reasons() []string {
	var canceled struct {
		CancellationReasons []struct{ Code string }
	}
	if json.Unmarshal(a.body, &canceled) != nil || canceled.CancellationReasons == nil {
		return nil
	}
	codes := make([]string, len(canceled.CancellationReasons))
	for i, r := range canceled.CancellationReasons {
		codes[i] = r.Code
	}

	return []string{strings.Join(codes, ",")}
}

// send sends a request. Every caller has an account of its own: DynamoDB Local
// keeps the tables of each access key apart.
func (e engine) send(ctx context.Context, account, operation, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+
		"/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	response, err := e.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return answer{}, err
	}
	if a.status != http.StatusOK {
		var refused struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal(a.body, &refused); err != nil {
			return answer{}, fmt.Errorf("the error answer %s: %w", a.body, err)
		}
		_, a.code, _ = strings.Cut(refused.Type, "#")
	}
	return a, nil
}

func (e engine) mustSend(t testing.TB, account, operation, body string) answer {
	t.Helper()
	a, err := e.send(t.Context(), account, operation, body)
	if err != nil {
		t.Fatalf("%s %.300s: %v", operation, body, err)
	}
	return a
}

// createTables creates the tables that the cases use.
func (e engine) createTables(t testing.TB, account string) {
	t.Helper()
	for name, types := range map[string]string{
		"strings": "S", "numbers": "N", "binaries": "B", "sorted": "SN", "texts": "SS",
	} {
		var definitions, schema []string
		for i, typ := range types {
			attribute, keyType := "pk", "HASH"
			if i == 1 {
				attribute, keyType = "sk", "RANGE"
			}
			definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, attribute, string(typ)))
			schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, attribute, keyType))
		}
		body := fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[%s],"KeySchema":[%s]}`,
			name, strings.Join(definitions, ","), strings.Join(schema, ","))
		if a := e.mustSend(t, account, "CreateTable", body); a.status != http.StatusOK {
			t.Fatalf("create table: %s", a.body)
		}
	}
}

// items reads a table through Scan, in canonical form.
func (e engine) items(t *testing.T, account, table string) []string {
	t.Helper()
	items, start := []string{}, ""
	for {
		a := e.mustSend(t, account, "Scan", fmt.Sprintf(`{"TableName":%q,"ConsistentRead":true%s}`, table, start))
		var page struct {
			Count, ScannedCount int
			Items               []json.RawMessage
			LastEvaluatedKey    json.RawMessage
		}
		err := json.Unmarshal(a.body, &page)
		if err != nil || a.status != http.StatusOK || page.Count != len(page.Items) || page.ScannedCount != page.Count {
			t.Fatalf("scan: %v %s", err, a.body)
		}
		for _, item := range page.Items {
			items = append(items, canonical(t, item))
		}
		if page.LastEvaluatedKey == nil {
			slices.Sort(items)
			return items
		}
		start = fmt.Sprintf(`,"ExclusiveStartKey":%s`, page.LastEvaluatedKey)
	}
}

func canonical(t *testing.T, item []byte) string {
	t.Helper()
	text, err := memorydb.Canonical(item)
	if err != nil {
		t.Fatalf("%s: %v", item, err)
	}
	return text
}

// remove deletes items of a table.
func (e engine) remove(t *testing.T, account, table string, items []string) {
	t.Helper()
	for _, text := range items {
		var item map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		key := map[string]json.RawMessage{"pk": item["pk"]}
		if table == "sorted" || table == "texts" {
			key["sk"] = item["sk"]
		}
		keyJSON, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		request := fmt.Sprintf(`{"TableName":%q,"Key":%s}`, table, keyJSON)
		if a := e.mustSend(t, account, "DeleteItem", request); a.status != http.StatusOK {
			t.Fatalf("delete: %s", a.body)
		}
	}
}

package memorydb_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// sized is an item of a size.
func sized(pk string, size int) string {
	return fmt.Sprintf(`{"pk":{"S":%q},"a":{"S":%q}}`, pk, strings.Repeat("a", size-len("pk")-len(pk)-len("a")))
}

// metered is the step with a request for its capacity.
func metered(s step) step {
	s.body = strings.TrimSuffix(s.body, "}") + `,"ReturnConsumedCapacity":"TOTAL"}`
	return s
}

func read(operation, members string) step {
	return step{operation, `{"TableName":"strings",` + members + `}`, ok}
}

func TestConsumedCapacityIsThatOfDynamoDB(t *testing.T) {
	const account = "capacity"
	memory, local := inMemory(memorydb.New()), local(t)
	memory.createTables(t, account)
	local.createTables(t, account)
	const keys = `"Keys":[{"pk":{"S":"x"}},{"pk":{"S":"y"}}]`
	for i, s := range []step{
		put("strings", sized("x", 4096), ok),
		put("strings", sized("y", 5000), ok),
		put("strings", sized("z", 1024), ok),
		put("strings", sized("z", 100), ok), // the old item is the larger one
		batch("strings", []string{putRequest(sized("z", 2000)), putRequest(sized("w", 100))}, ok),
		batch("strings", []string{putRequest(sized("z", 100)), deleteRequest(`{"pk":{"S":"w"}}`)}, ok),
		remove("strings", `{"pk":{"S":"none"}}`, ok),
		read("GetItem", `"Key":{"pk":{"S":"x"}}`),
		read("GetItem", `"Key":{"pk":{"S":"x"}},"ConsistentRead":true`),
		read("GetItem", `"Key":{"pk":{"S":"y"}},"ConsistentRead":true`),
		read("GetItem", `"Key":{"pk":{"S":"y"}}`),
		read("GetItem", `"Key":{"pk":{"S":"y"}},"ConsistentRead":true,"ProjectionExpression":"#p","ExpressionAttributeNames":{"#p":"pk"}`),
		read("GetItem", `"Key":{"pk":{"S":"none"}},"ConsistentRead":true`),
		read("GetItem", `"Key":{"pk":{"S":"none"}}`),
		{"BatchGetItem", `{"RequestItems":{"strings":{` + keys + `}}}`, ok},
		{"BatchGetItem", `{"RequestItems":{"strings":{"ConsistentRead":true,` + keys + `}}}`, ok},
		read("Scan", `"ConsistentRead":true`),
		read("Scan", `"ProjectionExpression":"#p","ExpressionAttributeNames":{"#p":"pk"}`),
		read("Scan", `"ConsistentRead":true,"Limit":3,"ProjectionExpression":"#p","ExpressionAttributeNames":{"#p":"pk"}`),
	} {
		s = metered(s)
		got := consumed(t, memory.mustSend(t, account, s.operation, s.body))
		if want := consumed(t, local.mustSend(t, account, s.operation, s.body)); got != want {
			t.Errorf("step %d, %s %.200s: %v units, want %v", i, s.operation, s.body, got, want)
		}
	}
}

// DynamoDB Local returns no capacity of statements, that of any transaction as if its items were
// larger, and none of reads in batches of what does not exist. These are the rules of the developer
// guide, "DynamoDB read and write operations" and "Capacity management for transactions".
func TestConsumedCapacityThatDynamoDBLocalGetsWrong(t *testing.T) {
	const account = "rules"
	e := inMemory(memorydb.New())
	e.createTables(t, account)
	exists := conditionMembers("attribute_exists(#pk)", `{"#pk":"pk"}`, "")
	insert := func(pk string, size int) string {
		return statement(`INSERT INTO "strings" VALUE {'pk':?,'a':?}`, fmt.Sprintf(`{"S":%q}`, pk),
			fmt.Sprintf(`{"S":%q}`, strings.Repeat("a", size)))
	}
	transaction := fmt.Sprintf(`{"ClientRequestToken":"t","TransactItems":[%s,%s,%s]}`, act("Put", "strings", sized("x", 1000)),
		act("Delete", "strings", `{"pk":{"S":"z"}}`), act("ConditionCheck", "strings", `{"pk":{"S":"y"}}`, exists))
	e.mustSend(t, account, "PutItem", put("strings", sized("y", 5000), ok).body)
	for _, c := range []struct {
		name string
		step
		want string
	}{
		{"a put, a delete of nothing and a check of 5 KB, each twice", step{"TransactWriteItems", transaction, ok},
			`[{"TableName":"strings","CapacityUnits":14,"WriteCapacityUnits":14}]`},
		{"the same again only reads", step{"TransactWriteItems", transaction, ok},
			`[{"TableName":"strings","CapacityUnits":8,"ReadCapacityUnits":8}]`},
		{"two tables", transact(ok, act("Put", "numbers", `{"pk":{"N":"1"}}`), act("Delete", "strings", `{"pk":{"S":"z"}}`),
			act("Put", "numbers", `{"pk":{"N":"2"}}`)),
			`[{"TableName":"numbers","CapacityUnits":4,"WriteCapacityUnits":4},` +
				`{"TableName":"strings","CapacityUnits":2,"WriteCapacityUnits":2}]`},
		{"inserts, one of an item of 5 KB that exists", execute(ok, insert("s", 2000), insert("y", 100), insert("u", 100)),
			`[{"TableName":"strings","CapacityUnits":2},{"TableName":"strings","CapacityUnits":5},` +
				`{"TableName":"strings","CapacityUnits":1}]`},
		{"reads of what does not exist",
			step{"BatchGetItem", `{"RequestItems":{"strings":{"Keys":[{"pk":{"S":"n"}},{"pk":{"S":"o"}}]}}}`, ok},
			`[{"TableName":"strings","CapacityUnits":1}]`},
		{"a page without items", step{"Scan", `{"TableName":"sorted"}`, ok}, `{"TableName":"sorted","CapacityUnits":0.5}`},
	} {
		var of struct{ ConsumedCapacity json.RawMessage }
		a := e.mustSend(t, account, c.operation, metered(c.step).body)
		if err := json.Unmarshal(a.body, &of); err != nil || a.status != http.StatusOK {
			t.Fatalf("%s: %v %s", c.name, err, a.body)
		}
		if got := string(of.ConsumedCapacity); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

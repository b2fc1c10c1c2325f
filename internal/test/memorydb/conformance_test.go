package memorydb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// step is one request and the outcome it must have.
type step struct {
	operation string
	body      string
	want      string // "OK" or the error's code
}

func put(table, item, want string) step {
	return step{"PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, item), want}
}

func remove(table, key, want string) step {
	return step{"DeleteItem", fmt.Sprintf(`{"TableName":%q,"Key":%s}`, table, key), want}
}

// putIf puts an item with the key "x" under a condition with names and values.
func putIf(condition, names, values, want string) step {
	return step{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"},"won":{"BOOL":true}}` +
		conditionMembers(condition, names, values) + `}`, want}
}

// removeIf deletes the item with a key under a condition with names and values.
func removeIf(key, condition, names, values, want string) step {
	return step{"DeleteItem", fmt.Sprintf(`{"TableName":"strings","Key":{"pk":{"S":%q}}%s}`,
		key, conditionMembers(condition, names, values)), want}
}

func conditionMembers(condition, names, values string) string {
	members := `,"ConditionExpression":` + quote(condition)
	if names != "" {
		members += `,"ExpressionAttributeNames":` + names
	}
	if values != "" {
		members += `,"ExpressionAttributeValues":` + values
	}
	return members
}

func batch(table string, writes []string, want string) step {
	return step{"BatchWriteItem", fmt.Sprintf(`{"RequestItems":{%q:[%s]}}`, table, strings.Join(writes, ",")), want}
}

func putRequest(item string) string   { return `{"PutRequest":{"Item":` + item + `}}` }
func deleteRequest(key string) string { return `{"DeleteRequest":{"Key":` + key + `}}` }

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has JSON
	}
	return string(quoted)
}

const (
	ok          = "OK"
	invalid     = "ValidationException"
	malformed   = "SerializationException"
	failed      = "ConditionalCheckFailedException"
	noTable     = "ResourceNotFoundException"
	noOperation = "UnknownOperationException"
	tableInUse  = "ResourceInUseException"
)

// conformanceCase is a sequence of requests and what the table holds after it.
type conformanceCase struct {
	name  string
	why   string // the rule, where the name does not say it
	table string
	steps []step
	// want are the items of table after the last step, as canonical JSON.
	want []string
	// localDeviates says how DynamoDB Local is known to answer every step
	// differently from DynamoDB. It is tested too: it may be repaired one day.
	localDeviates string
}

func TestAnswersAreThoseOfDynamoDB(t *testing.T) {
	cases := slices.Concat(itemCases(), keyCases(), numberCases(), sizeCases(),
		conditionCases(), batchCases(), statementCases(), transactCases(), scanCases(), protocolCases())
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			testCases(t, open(t), cases, name == "DynamoDB Local")
		})
	}
}

// testCases runs the cases over one engine; local is true for DynamoDB Local.
func testCases(t *testing.T, e engine, cases []conformanceCase, local bool) {
	t.Helper()
	const account = "conformance"
	e.createTables(t, account)
	for _, c := range cases {
		deviates := local && c.localDeviates != ""
		t.Run(c.name, func(t *testing.T) {
			var got []string
			defer func() { e.remove(t, account, c.table, got) }()
			for i, s := range c.steps {
				a := e.mustSend(t, account, s.operation, s.body)
				if deviates {
					if a.outcome() == s.want {
						t.Errorf("step %d: it deviates no longer (%s): %s %.200s", i, c.localDeviates, s.operation, s.body)
					}
				} else if a.outcome() != s.want {
					t.Errorf("step %d: %s %.200s\n got %.200s %.300s\nwant %s: %s",
						i, s.operation, s.body, a.outcome(), a.body, s.want, c.why)
				}
			}
			got = e.items(t, account, c.table)
			want := slices.Clone(c.want)
			if slices.Sort(want); !deviates && !slices.Equal(got, want) {
				t.Errorf("%s\n got %.500q\nwant %.500q", c.why, got, want)
			}
		})
	}
}

func TestAGottenItemIsTheOneThatWasPut(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "gotten"
			e.createTables(t, account)
			e.mustSend(t, account, "PutItem",
				`{"TableName":"sorted","Item":{"sk":{"N":"1.50"},"pk":{"S":"x"},"a":{"NS":["2","1.0"]}}}`)
			get := func(key string) string {
				request := `{"TableName":"sorted","ConsistentRead":true,"Key":` + key + `}`
				return string(bytes.TrimSpace(e.mustSend(t, account, "GetItem", request).body))
			}
			var found struct{ Item json.RawMessage }
			if err := json.Unmarshal([]byte(get(`{"pk":{"S":"x"},"sk":{"N":"15e-1"}}`)), &found); err != nil {
				t.Fatal(err)
			}
			if got, want := canonical(t, found.Item), `{"a":{"NS":["1","2"]},"pk":{"S":"x"},"sk":{"N":"1.5"}}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := get(`{"pk":{"S":"x"},"sk":{"N":"2"}}`); got != `{}` {
				t.Errorf("an item that does not exist: got %s, want {}", got)
			}
		})
	}
}

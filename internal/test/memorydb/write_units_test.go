package memorydb_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

func TestWriteUnitsAreThoseOfDynamoDB(t *testing.T) {
	const account = "units"
	db := memorydb.New()
	memory, local := inMemory(db), local(t)
	memory.createTables(t, account)
	local.createTables(t, account)
	item := func(size int) string {
		return `{"pk":{"S":"x"},"a":{"S":"` + strings.Repeat("a", size-len("pk")-len("x")-len("a")) + `"}}`
	}
	for i, s := range []step{
		put("strings", item(10), ok),
		put("strings", item(1024), ok),
		put("strings", item(1025), ok),
		put("strings", item(100), ok), // the old item is the larger one
		put("strings", item(4*1024+1), ok),
		remove("strings", `{"pk":{"S":"x"}}`, ok),
		remove("strings", `{"pk":{"S":"nothing"}}`, ok),
		// Every item that these delete exists: for another, DynamoDB charges 1 here as
		// well ("BatchWriteItem" in its API reference), but DynamoDB Local 2.
		put("strings", `{"pk":{"S":"y"}}`, ok),
		batch("strings", []string{putRequest(item(2000)), deleteRequest(`{"pk":{"S":"y"}}`)}, ok),
		batch("strings", []string{deleteRequest(`{"pk":{"S":"x"}}`), putRequest(`{"pk":{"S":"z"}}`)}, ok),
	} {
		before := db.WriteUnits("strings")
		memory.mustSend(t, account, s.operation, s.body)
		got := db.WriteUnits("strings") - before

		body := strings.TrimSuffix(s.body, "}") + `,"ReturnConsumedCapacity":"TOTAL"}`
		if want := consumed(t, local.mustSend(t, account, s.operation, body)); float64(got) != want {
			t.Errorf("step %d, %s: %d write units, want %v", i, s.operation, got, want)
		}
	}
	if units := db.WriteUnits("missing"); units != 0 {
		t.Errorf("a missing table has used %d write units", units)
	}
}

// consumed returns the write units in an answer.
func consumed(t *testing.T, a answer) float64 {
	t.Helper()
	type capacity struct{ CapacityUnits float64 }
	var of struct{ ConsumedCapacity json.RawMessage }
	if err := json.Unmarshal(a.body, &of); err != nil || a.status != http.StatusOK {
		t.Fatalf("%v %s", err, a.body)
	}
	var one capacity
	if json.Unmarshal(of.ConsumedCapacity, &one) == nil {
		return one.CapacityUnits
	}
	var list []capacity
	if err := json.Unmarshal(of.ConsumedCapacity, &list); err != nil || len(list) != 1 {
		t.Fatalf("%v %s", err, a.body)
	}

	return list[0].CapacityUnits
}

func TestAnItemThatDynamoDBRefusesHasNoSize(t *testing.T) {
	if size, err := memorydb.ItemSize([]byte(`{"pk":{"S":"é"},"n":{"N":"12"}}`)); err != nil || size != 2+2+1+2 {
		t.Errorf("got %d, %v", size, err)
	}
	if size, err := memorydb.ItemSize([]byte(`{"pk":{"TIME":"now"}}`)); err == nil {
		t.Errorf("an item of an unknown type has %d bytes", size)
	}
}

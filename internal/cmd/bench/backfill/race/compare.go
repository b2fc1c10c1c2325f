package race

import (
	"strings"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// compare counts what is wrong in the target table. The items are canonical JSON: their texts are equal
// if they are.
func compare(db *memorydb.DB) Outcome {
	want := map[string]string{} // target items by order ID
	for _, item := range db.Items(orders.Source) {
		before, rest, _ := strings.Cut(item, `"`+orders.InternalNote+`":{`)
		_, after, _ := strings.Cut(rest, "},")
		want[text(item, orders.OrderID)] = before + after
	}
	var o Outcome
	right := 0
	for _, item := range db.Items(orders.ByCustomer) {
		wanted := want[text(item, orders.OrderID)]
		switch {
		case text(item, orders.CustomerID) != text(wanted, orders.CustomerID):
			o.Orphans++
		case item != wanted:
			o.Stale++
		default:
			right++
		}
	}
	o.Missing = len(want) - right - o.Stale

	return o
}

// text returns the text of an attribute that is a string.
func text(item, name string) string {
	_, rest, _ := strings.Cut(item, `"`+name+`":{"S":"`)
	value, _, _ := strings.Cut(rest, `"`)

	return value
}

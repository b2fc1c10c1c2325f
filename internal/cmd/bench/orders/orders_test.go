package orders_test

import (
	"encoding/json"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// maxPayload is the largest payload of an invocation. Source: AWS Lambda Developer
// Guide, "Lambda quotas": 6 MB, synchronous.
const maxPayload = 6 << 20

func TestOrdersHaveTheirSize(t *testing.T) {
	for _, size := range []orders.Size{orders.Small, orders.Large} {
		for _, payload := range [][]byte{orders.Inserts(1000, size), orders.Changes(200, 5, size), orders.Checks(100, size)} {
			var event struct {
				Records []struct {
					DynamoDB struct{ NewImage json.RawMessage } `json:"dynamodb"`
				}
			}
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Fatal(err)
			}
			for _, r := range event.Records {
				got, err := memorydb.ItemSize(r.DynamoDB.NewImage)
				if err != nil {
					t.Fatal(err)
				}
				if got > int(size) || got < int(size)*7/8 {
					t.Fatalf("an order of %d bytes has %d: %s", size, got, r.DynamoDB.NewImage)
				}
			}
		}
	}
}

func Test8000SmallOrdersAlmostFillAPayload(t *testing.T) {
	if got := len(orders.Inserts(8000, orders.Small)); got > maxPayload || got < maxPayload*90/100 {
		t.Errorf("the payload has %d bytes of %d", got, maxPayload)
	}
}

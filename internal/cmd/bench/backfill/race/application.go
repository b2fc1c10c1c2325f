package race

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// application writes to the source table.
type application struct {
	db      *memorydb.DB
	random  *rand.Rand
	orders  []string // by number; "" for none
	writes  int
	records chan eventsource.Record
}

func newApplication(db *memorydb.DB, seed uint64) *application {
	return &application{
		db: db, random: rand.New(rand.NewPCG(seed, 0)), // #nosec G404 -- to be repeated, not to be secret
		records: make(chan eventsource.Record, maxBehind),
	}
}

// begin puts the orders that are there before the race. A few more come later.
func (a *application) begin(ctx context.Context, items int) error {
	a.orders = make([]string, items+items/20)
	for number := range items {
		a.orders[number] = orders.Item(number, 0, orders.Small)
		if err := a.put(ctx, number); err != nil {
			return err
		}
	}

	return nil
}

// work makes one write whenever one is due.
func (a *application) work(ctx context.Context, due <-chan struct{}) error {
	for range due {
		number := a.random.IntN(len(a.orders))
		before := a.orders[number]
		a.writes++
		if a.orders[number] = a.next(number); a.orders[number] == "" {
			body := fmt.Sprintf(`{"TableName":%q,"Key":{%q:{"S":%q}}}`, orders.Source, orders.OrderID, orders.ID(number))
			if err := request(ctx, a.db, "DeleteItem", body); err != nil {
				return err
			}
		} else if err := a.put(ctx, number); err != nil {
			return err
		}

		record, err := eventsource.ParseRecord([]byte(orders.Record(a.writes, number, before, a.orders[number])))
		if err != nil {
			return err
		}
		select {
		case a.records <- record:
		case <-ctx.Done():
			return ctx.Err()
		}
	}

	return nil
}

// next returns the next state of an order: usually with another customer, who is one of three, so that
// orders come back to where they were.
func (a *application) next(number int) string {
	if a.orders[number] != "" && a.random.IntN(6) == 0 {
		return ""
	}
	first := fmt.Sprintf("cus-%05d", number%1000)
	other := fmt.Sprintf("cus-%05d", (number+a.random.IntN(3))%1000)

	return strings.Replace(orders.Item(number, a.writes, orders.Small), first, other, 1)
}

func (a *application) put(ctx context.Context, number int) error {
	return request(ctx, a.db, "PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, orders.Source, a.orders[number]))
}

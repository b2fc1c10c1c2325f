package examples_test

import (
	"context"
	"encoding/json"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// tableID and roleID are the logical IDs of the team's table and of the function's role.
const (
	tableID = "TableCD117FA1"
	roleID  = "OrdersRoleF1878990"
)

// The team's stack is deployed as it was before anybody thought of views, without a
// stream. Then the example is deployed, and the table keeps its orders.
func TestOrderViewsHaveWhatIsWrittenSinceTheStreamWasEnabled(t *testing.T) {
	root, cloud := startMiniStack(t)
	app := newApp(t, root, cloud, "examples/orders")
	check(t, cloud.CreateStack(t.Context(), "Orders", withoutStream(t, app)))
	name, err := cloud.PhysicalID(t.Context(), "Orders", tableID)
	check(t, err)

	orders := newTable(t, cloud, name)
	untouched, changed, deleted := newOrder("o-1001"), newOrder("o-1002"), newOrder("o-1003")
	orders.put(untouched.item(), changed.item(), deleted.item())

	deploy(t, app, "Orders")
	between := newOrder("o-1004")
	orders.put(between.item())

	outputs := deploy(t, app, "OrderViews")
	views := &orderViews{
		byCustomer: newTable(t, cloud, outputs["ByCustomerTableName"]),
		byStatus:   newTable(t, cloud, outputs["ByStatusTableName"]),
	}

	t.Run("orders from before the stream are missing, later ones are there", func(t *testing.T) {
		views.await(t, between)
		orders.await(t, untouched.item(), changed.item(), deleted.item(), between.item())
	})

	t.Run("new, changed and deleted orders are followed", func(t *testing.T) {
		moved, gone := newOrder("o-1005"), newOrder("o-1006")
		orders.put(moved.item(), gone.item())
		views.await(t, between, moved, gone)

		moved.status, moved.customer = "SHIPPED", "c-8"
		between.total = "17.25"
		orders.put(moved.item(), between.item())
		orders.delete(gone.key())
		views.await(t, between, moved)

		orders.delete(moved.key())
		views.await(t, between)
	})

	t.Run("a change of an order from before brings it, and no other", func(t *testing.T) {
		changed.status = "SHIPPED"
		orders.delete(deleted.key())
		orders.put(changed.item())
		views.await(t, between, changed)
		orders.await(t, untouched.item(), changed.item(), between.item())
	})

	// MiniStack takes every answer of a function for success, and so the order is lost there.
	t.Run("without the right to write, the function says so and the views stay", func(t *testing.T) {
		const action = "dynamodb:BatchWriteItem"
		role, err := cloud.PhysicalID(t.Context(), "OrderViews", roleID)
		check(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), arrivalTimeout)
		defer cancel()

		giveBack, err := cloud.TakeAway(ctx, role, action)
		check(t, err)
		orders.put(newOrder("o-1007").item())
		check(t, cloud.AwaitDenial(ctx, role, action))
		views.await(t, between, changed)

		check(t, giveBack())
		later := newOrder("o-1008")
		orders.put(later.item())
		views.await(t, between, changed, later)
	})
}

// withoutStream is the template of the team's stack as it was before the views: its table
// has no stream, and nobody asks for outputs.
func withoutStream(t *testing.T, app *cdk.App) []byte {
	t.Helper()
	content, err := app.Template("Orders")
	check(t, err)
	var template struct{ Resources map[string]map[string]any }
	check(t, json.Unmarshal(content, &template))
	table := template.Resources[tableID]
	delete(table["Properties"].(map[string]any), "StreamSpecification")
	before, err := json.Marshal(map[string]any{"Resources": map[string]any{tableID: table}})
	check(t, err)

	return before
}

// order is an order, and what the example makes of it.
type order struct{ id, customer, day, status, total string }

func newOrder(id string) order {
	return order{id: id, customer: "c-7", day: "2026-11-02", status: "OPEN", total: "34.5"}
}

func (o order) key() item { return item{"orderId": text(o.id)} }

// item is the order in the team's table.
func (o order) item() item {
	line := map[string]types.AttributeValue{"sku": text("mug"), "count": number("2")}
	return item{
		"orderId": text(o.id), "customerId": text(o.customer), "day": text(o.day), "status": text(o.status),
		"total": number(o.total),
		"lines": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberM{Value: line}}},
	}
}

func (o order) byCustomer() item {
	i := maps.Clone(o.item())
	i["dayOrder"] = text(compositekey.Join("#", o.day, o.id))
	return i
}

func (o order) byStatus() item {
	return item{
		"statusDay": text(compositekey.Join("#", o.status, o.day)), "orderId": text(o.id),
		"customerId": text(o.customer), "total": number(o.total),
	}
}

// orderViews are the tables that follow the team's.
type orderViews struct{ byCustomer, byStatus *table }

// await waits until both views have these orders and nothing else.
func (v *orderViews) await(t *testing.T, orders ...order) {
	t.Helper()
	var byCustomer, byStatus []item
	for _, o := range orders {
		byCustomer = append(byCustomer, o.byCustomer())
		byStatus = append(byStatus, o.byStatus())
	}
	v.byCustomer.await(t, byCustomer...)
	v.byStatus.await(t, byStatus...)
}

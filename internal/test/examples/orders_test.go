package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// The logical IDs of the team's table, and of both functions with their roles.
const (
	tableID    = "TableCD117FA1"
	functionID = "OrdersFunction520DBA95"
	roleID     = "OrdersRoleF1878990"

	reconcilerRoleID = "OrdersReconcilerRole985BB38F"
)

// The team's stack is deployed as it was before anybody thought of views, without a
// stream. Then the example is deployed, and the table keeps its orders.
func TestOrderViewsFollowATableThatHasOrders(t *testing.T) {
	root, cloud := startMiniStack(t)
	app := newApp(t, root, cloud, "examples/orders")
	check(t, cloud.CreateStack(t.Context(), "Orders", withoutStream(t, app)))
	name, err := cloud.PhysicalID(t.Context(), "Orders", tableID)
	check(t, err)

	orders := newTable(t, cloud, name)
	lost, later := newOrder("o-1007"), newOrder("o-1008")
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
		orders.put(lost.item())
		check(t, cloud.AwaitDenial(ctx, action))
		check(t, cloud.AwaitLine(ctx, `"_aws"`, `"SystemicFailures":1`))
		views.await(t, between, changed)

		check(t, giveBack())
		orders.put(later.item())
		views.await(t, between, changed, later)
	})

	reconcile := func(t *testing.T, input string) cdk.Execution {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), executionTimeout)
		defer cancel()
		started, err := cloud.StartExecution(ctx, outputs["ReconcilerArn"], input)
		check(t, err)
		execution, err := cloud.AwaitExecution(ctx, started)
		check(t, err)
		return execution
	}

	t.Run("the documented backfill brings the orders from before, and the lost one", func(t *testing.T) {
		got := reconcile(t, documentedInput(t, root, "backfill"))
		want := map[string]float64{"Read": 5, "Put": 4, "There": 6}
		if counts := countsOf(t, got, want); !maps.Equal(counts, want) {
			t.Errorf("the counts are %v, want %v", counts, want)
		}
		views.await(t, untouched, between, changed, lost, later)
	})

	t.Run("the documented verification finds that all is right", func(t *testing.T) {
		got := reconcile(t, documentedInput(t, root, "verify"))
		want := map[string]float64{"Missing": 0, "Extra": 0, "Stale": 0, "WrongOwner": 0}
		if counts := countsOf(t, got, want); !maps.Equal(counts, want) {
			t.Errorf("the counts are %v, want %v", counts, want)
		}
	})

	t.Run("a verification fails on differences, and a repair mends them", func(t *testing.T) {
		stale := later
		stale.total = "0.5"
		views.byCustomer.delete(item{"customerId": text(untouched.customer), "dayOrder": untouched.byCustomer()["dayOrder"]})
		views.byStatus.put(stale.byStatus(), newOrder("o-0000").byStatus())

		// What differs is read again for a second instead of a minute.
		got := reconcile(t, `{"operation": "verify", "graceSeconds": 1}`)
		const want = "(found: 1 missing, 1 extra, 1 stale, 0 with a wrong owner, 0 unclaimed;"
		if got.Status != "FAILED" || got.Error != "Differences" || !strings.Contains(got.Cause, want) {
			t.Errorf("got %+v, want a failure that says %q", got, want)
		}

		repaired := reconcile(t, `{"operation": "repair", "graceSeconds": 1}`)
		countsOf(t, repaired, nil)
		views.await(t, untouched, between, changed, lost, later)
		countsOf(t, reconcile(t, documentedInput(t, root, "verify")), nil)
	})

	t.Run("a backfill that was interrupted also scans the views", func(t *testing.T) {
		const action = "dynamodb:Scan"
		role, err := cloud.PhysicalID(t.Context(), "OrderViews", reconcilerRoleID)
		check(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), executionTimeout)
		defer cancel()

		giveBack, err := cloud.TakeAway(ctx, role, action)
		check(t, err)
		started, err := cloud.StartExecution(ctx, outputs["ReconcilerArn"], `{"operation": "backfill", "segments": 2}`)
		check(t, err)
		check(t, cloud.AwaitFailedTask(ctx, started, "AccessDeniedException: "+action))
		check(t, giveBack())
		got, err := cloud.AwaitExecution(ctx, started)
		check(t, err)

		var output struct {
			Passes []struct {
				Target      string
				Interrupted int
			}
		}
		countsOf(t, got, nil)
		check(t, json.Unmarshal([]byte(got.Output), &output))
		var scanned []string
		for _, pass := range output.Passes {
			scanned = append(scanned, pass.Target)
		}
		if !slices.Equal(scanned, []string{"", views.byCustomer.name, views.byStatus.name}) || output.Passes[0].Interrupted == 0 {
			t.Errorf("the passes are %+v, want one over the orders that was interrupted, and one over each view", output.Passes)
		}
	})

	t.Run("an input that cannot be used says why", func(t *testing.T) {
		got := reconcile(t, `{"operation": "fill"}`)
		const want = `operation is "fill": use "backfill", "verify" or "repair"`
		if got.Status != "FAILED" || got.Error != "InputError" || got.Cause != want {
			t.Errorf("got %+v, want a failure that says %q", got, want)
		}
	})

	t.Run("every command of the runbook does what it says", func(t *testing.T) {
		all := []order{untouched, between, changed, lost, later}
		runRunbook(t, root, &incidents{cloud: cloud, orders: orders, views: views, all: all})
	})
}

// executionTimeout is how long an execution may take. Each starts some dozens of processes.
const executionTimeout = 3 * time.Minute

// countsOf returns those counts of an execution that has succeeded that want has.
func countsOf(t *testing.T, e cdk.Execution, want map[string]float64) map[string]float64 {
	t.Helper()
	if e.Status != "SUCCEEDED" {
		t.Fatalf("got %+v", e)
	}
	var output struct{ Counts map[string]float64 }
	check(t, json.Unmarshal([]byte(e.Output), &output))
	maps.DeleteFunc(output.Counts, func(name string, _ float64) bool {
		_, ok := want[name]
		return !ok
	})
	return output.Counts
}

// documentedInput is the input of the command in the example's documentation that starts an
// execution with this operation.
func documentedInput(t *testing.T, root, operation string) string {
	t.Helper()
	documentation, err := os.ReadFile(filepath.Join(root, "examples", "orders", "main.go"))
	check(t, err)
	input := fmt.Sprintf(`{"operation": %q}`, operation)
	command := fmt.Sprintf("aws stepfunctions start-execution --state-machine-arn \"$RECONCILER\" --input '%s'\n", input)
	if !strings.Contains(string(documentation), command) {
		t.Fatalf("the documentation of the example has no command %s", command)
	}
	return input
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

// Command orders is a CDK app that follows a table that a team has had for years.
//
// The stack Orders is the team's own. Its table has the key orderId, and an order in it is
//
//	{"orderId": "o-1001", "customerId": "c-7", "day": "2026-11-02", "status": "OPEN",
//	 "total": 34.5, "lines": [{"sku": "mug", "count": 2}]}
//
// Two questions need a scan of it: which orders does a customer have, and which orders of
// a day are still open? The stack OrderViews answers them from two tables that follow the
// first one. It needs one thing from the team: the stream, which is one line in
// orders_stack.go. Nothing is copied, renamed or replaced there. If another app defined the
// table, awsdynamodb.Table_FromTableAttributes would bring it here, with its stream's ARN.
//
//	                                          ┌───► by customer: customerId + day#orderId
//	 orders table ───stream───► replicator ───┤
//	 key: orderId                             └───► by status: status#day + orderId
//
//	└── stack Orders ──┘  └────────────────── stack OrderViews ──────────────────────┘
//
// # Deploy
//
// It needs Go 1.26, Node.js, credentials, version 2 of the CDK's command line and the AWS CLI.
// In this folder:
//
//	cdk bootstrap                   # once for an account and a Region
//	cdk deploy Orders               # enables the stream; the table keeps its items
//	cdk deploy OrderViews           # makes both tables, and fills them from now on
//
// A query for the open orders of a day has the partition key
// compositekey.Join("#", "OPEN", "2026-11-02"). "cdk destroy OrderViews" keeps the tables, as
// everything with the policy RETAIN, and the team's stack stays as it is.
//
// # Orders from before
//
// A stream holds the changes of the last 24 hours, and none from before it was enabled. So an
// order that was written earlier is missing from both tables. The reconciler puts it there, while
// the application and the stream go on. RECONCILER is the output ReconcilerArn:
//
//	aws stepfunctions start-execution --state-machine-arn "$RECONCILER" --input '{"operation": "backfill"}'
//
// That answers with the ARN of an execution, and this tells its status, and at the end its counts:
//
//	aws stepfunctions describe-execution --execution-arn "$EXECUTION"
//
// # Is it right?
//
// The next execution compares both tables with the orders table, in both directions. It succeeds
// when they agree. Otherwise it fails, its cause has the counts, and an alarm goes off:
//
//	aws stepfunctions start-execution --state-machine-arn "$RECONCILER" --input '{"operation": "verify"}'
//
// And this mends what differs:
//
//	aws stepfunctions start-execution --state-machine-arn "$RECONCILER" --input '{"operation": "repair"}'
//
// A prop of the reconciler, VerifySchedule, verifies every week or so.
package main

import (
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	orders := NewOrdersStack(app, "Orders")
	NewOrderViewsStack(app, "OrderViews", &OrderViewsStackProps{
		Orders:       orders.Table,
		Architecture: architecture(app),
	})
	app.Synth(nil)
}

// architecture is what the function is built for: arm64, or the machine that builds with
// "cdk deploy --context architecture=host", for an emulator that runs functions on it.
func architecture(app awscdk.App) awslambda.Architecture {
	if app.Node().TryGetContext(jsii.String("architecture")) == "host" && runtime.GOARCH == "amd64" {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

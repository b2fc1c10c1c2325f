package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/replicatedtable"
)

// OrderViewsStackProps are the properties of the stack.
type OrderViewsStackProps struct {
	awscdk.StackProps
	// Orders is the table to follow, of any stack in the same account and Region.
	Orders awsdynamodb.ITable
	// Architecture is what the function is built for.
	Architecture awslambda.Architecture
}

// NewOrderViewsStack defines the two tables that follow the orders table, the reconciler that
// fills them with the orders from before, and the outputs OrdersTableName,
// ByCustomerTableName, ByStatusTableName and ReconcilerArn.
func NewOrderViewsStack(scope constructs.Construct, id string, props *OrderViewsStackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, &props.StackProps)
	orders := replicatedtable.NewReplicatedTable(stack, jsii.String("Orders"), &replicatedtable.ReplicatedTableProps{
		Source: &replicatedtable.SourceProps{
			Table:        props.Orders,
			PartitionKey: text("orderId"),
		},
		Target:       byCustomer(),
		Architecture: props.Architecture,
	})
	byStatus := orders.AddTarget(jsii.String("ByStatus"), byStatusAndDay())
	reconciler := orders.AddReconciler(jsii.String("Reconciler"), nil)

	output := func(name string, value *string) {
		awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value})
	}
	output("OrdersTableName", orders.SourceTable().TableName())
	output("ByCustomerTableName", orders.Target().Table().TableName())
	output("ByStatusTableName", byStatus.Table().TableName())
	output("ReconcilerArn", reconciler.StateMachine().StateMachineArn())
	return stack
}

// byCustomer has the whole orders of a customer, in the order of their days.
func byCustomer() *replicatedtable.TargetProps {
	return &replicatedtable.TargetProps{
		PartitionKey: text("customerId"),
		SortKey:      text("dayOrder"),
		KeySources: &map[string]*replicatedtable.KeySource{
			"dayOrder": {Attributes: jsii.Strings("day", "orderId"), Separator: jsii.String("#")},
		},
		// Customers rarely read their old orders.
		TableProps: &awsdynamodb.TablePropsV2{
			TableClass: awsdynamodb.TableClass_STANDARD_INFREQUENT_ACCESS,
		},
	}
}

// byStatusAndDay has what a list of orders shows. An order whose status changes moves.
func byStatusAndDay() *replicatedtable.TargetProps {
	return &replicatedtable.TargetProps{
		PartitionKey: text("statusDay"),
		SortKey:      text("orderId"),
		KeySources: &map[string]*replicatedtable.KeySource{
			"statusDay": {Attributes: jsii.Strings("status", "day"), Separator: jsii.String("#")},
		},
		Projection: &replicatedtable.Projection{
			Type:       replicatedtable.ProjectionType_INCLUDE,
			Attributes: jsii.Strings("customerId", "total"),
		},
	}
}

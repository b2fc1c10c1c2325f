package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// OrdersStack is the stack that the team has. It knows nothing of the views.
type OrdersStack struct {
	awscdk.Stack
	// Table has an item for each order.
	Table awsdynamodb.ITable
}

// NewOrdersStack defines the orders table.
func NewOrdersStack(scope constructs.Construct, id string) *OrdersStack {
	stack := awscdk.NewStack(scope, &id, nil)
	table := awsdynamodb.NewTable(stack, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey: text("orderId"),
		BillingMode:  awsdynamodb.BillingMode_PAY_PER_REQUEST,
		// The one line that the views need. CloudFormation enables the stream in place.
		Stream: awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
	})

	return &OrdersStack{Stack: stack, Table: table}
}

// text is a key attribute of type string.
func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newSourceTable defines the table with the stream. The stream carries both images,
// because only the two together show that a key changed.
func newSourceTable(t *replicatedTable, props ReplicatedTableProps) awsdynamodb.TableV2 {
	table := tableProps(props.Source, props)
	table.DynamoStream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES
	return awsdynamodb.NewTableV2(t, jsii.String("Source"), table)
}

func newTargetTable(t *replicatedTable, props ReplicatedTableProps) awsdynamodb.TableV2 {
	return awsdynamodb.NewTableV2(t, jsii.String("Target"), tableProps(props.Target, props))
}

func tableProps(keys *KeySchema, props ReplicatedTableProps) *awsdynamodb.TablePropsV2 {
	return &awsdynamodb.TablePropsV2{
		PartitionKey: keys.PartitionKey,
		SortKey:      keys.SortKey,
		Billing:      awsdynamodb.Billing_OnDemand(nil),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: props.RemovalPolicy,
	}
}

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newSourceTable defines the table with the stream. The stream carries both images,
// because only the two together show that a key changed.
func newSourceTable(t *replicatedTable, props *SourceProps) awsdynamodb.TableV2 {
	table := t.tableProps(props.PartitionKey, props.SortKey)
	table.DynamoStream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES
	return awsdynamodb.NewTableV2(t, jsii.String("Source"), table)
}

func newTargetTable(t *replicatedTable, id *string, props *TargetProps) awsdynamodb.TableV2 {
	return awsdynamodb.NewTableV2(t, id, t.tableProps(props.PartitionKey, props.SortKey))
}

func (t *replicatedTable) tableProps(partitionKey, sortKey *awsdynamodb.Attribute) *awsdynamodb.TablePropsV2 {
	return &awsdynamodb.TablePropsV2{
		PartitionKey: partitionKey,
		SortKey:      sortKey,
		Billing:      awsdynamodb.Billing_OnDemand(nil),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: t.removalPolicy,
	}
}

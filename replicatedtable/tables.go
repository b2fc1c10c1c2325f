package replicatedtable

import (
	"cmp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// newSourceTable returns the table of props, or defines one with the stream. The stream
// carries both images, because only the two together show that a key changed.
func newSourceTable(t *replicatedTable, props *SourceProps) awsdynamodb.ITable {
	if props.Table != nil {
		return props.Table
	}
	settings := t.tableProps(props.TableProps)
	settings.PartitionKey, settings.SortKey = props.PartitionKey, props.SortKey
	settings.DynamoStream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES

	return awsdynamodb.NewTableV2(t, jsii.String("Source"), &settings)
}

// newTargetTable returns the table of props, or defines one that is called id.
func newTargetTable(t *replicatedTable, id *string, props *TargetProps) awsdynamodb.ITable {
	if props.Table != nil {
		return props.Table
	}
	settings := t.tableProps(props.TableProps)
	settings.PartitionKey, settings.SortKey = props.PartitionKey, props.SortKey

	return awsdynamodb.NewTableV2(t, id, &settings)
}

// tableProps returns a copy of a table's settings with the construct's defaults.
func (t *replicatedTable) tableProps(props *awsdynamodb.TablePropsV2) awsdynamodb.TablePropsV2 {
	var settings awsdynamodb.TablePropsV2
	if props != nil {
		settings = *props
	}

	settings.RemovalPolicy = cmp.Or(settings.RemovalPolicy, t.settings.RemovalPolicy)
	if settings.Billing == nil {
		settings.Billing = awsdynamodb.Billing_OnDemand(nil)
	}
	//nolint:staticcheck // callers may still set the deprecated one, and the CDK refuses both
	if settings.PointInTimeRecovery == nil && settings.PointInTimeRecoverySpecification == nil {
		settings.PointInTimeRecoverySpecification = &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		}
	}
	if settings.DeletionProtection == nil && settings.RemovalPolicy != awscdk.RemovalPolicy_DESTROY {
		settings.DeletionProtection = jsii.Bool(true)
	}

	return settings
}

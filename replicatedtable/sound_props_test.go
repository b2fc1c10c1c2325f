package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// uniqueProps are sound: the target key contains the source key.
func uniqueProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &KeySchema{PartitionKey: str("email")},
		Target: &KeySchema{PartitionKey: str("state"), SortKey: str("email")},
	}
}

// compositeProps are sound: the sort key is a composite that contains the source key.
func compositeProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &KeySchema{PartitionKey: str("email")},
		Target: &KeySchema{PartitionKey: str("state"), SortKey: str("place")},
		KeySources: &map[string]KeySource{
			"place": KeySource_Composite(jsii.String("#"), jsii.String("address.city"), jsii.String("email")),
		},
	}
}

// lastWriterProps are sound: users of one city collide, and the last writer wins.
func lastWriterProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source:         &KeySchema{PartitionKey: str("email")},
		Target:         &KeySchema{PartitionKey: str("state"), SortKey: str("city")},
		OnKeyCollision: OnKeyCollision_LAST_WRITER_WINS,
	}
}

// everyProp sets every prop that a colliding target key can have. Lambda cannot
// evaluate its filter.
func everyProp() *ReplicatedTableProps {
	props := lastWriterProps()
	props.Projection = &Projection{
		Type:       ProjectionType_EXCLUDE,
		Attributes: jsii.Strings("zipcode"),
		Renames:    &map[string]*string{"name": jsii.String("title")},
	}
	props.Filter = Condition_Exists(jsii.String("verified"))
	props.VersionAttribute = jsii.String("v")
	props.ExpiredItems = ExpiredItems_DELETE
	props.WriteBrake = jsii.Bool(false)
	props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	props.MemorySize = jsii.Number(512)
	props.Timeout = awscdk.Duration_Seconds(jsii.Number(90))
	props.Architecture = awslambda.Architecture_X86_64()
	props.BatchSize = jsii.Number(100)
	props.LogRetention = awslogs.RetentionDays_ONE_WEEK

	return props
}

// guardedProps are sound: a unique target key with the version guard, which only such
// a key can have, and a filter that Lambda can evaluate.
func guardedProps() *ReplicatedTableProps {
	props := compositeProps()
	props.Filter = Condition_All(
		Condition_Equals(jsii.String("active"), Value_Boolean(jsii.Bool(true))),
		Condition_BeginsWith(jsii.String("address.country"), jsii.String("U")),
	)
	props.VersionGuard = jsii.Bool(true)
	props.ExpiredItems = ExpiredItems_KEEP

	return props
}

func str(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func num(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_NUMBER}
}

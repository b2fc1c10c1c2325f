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
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{PartitionKey: str("state"), SortKey: str("email")},
	}
}

// compositeProps are sound: the sort key is a composite that contains the source key.
func compositeProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{
			PartitionKey: str("state"),
			SortKey:      str("place"),
			KeySources:   &map[string]*KeySource{"place": joined("address.city", "email")},
		},
	}
}

// lastWriterProps are sound: users of one city collide, and the last writer wins.
func lastWriterProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{
			PartitionKey: str("state"),
			SortKey:      str("city"),
			Ordering:     Ordering_LastWriterWins(nil),
		},
	}
}

// everyProp sets every prop that a colliding target key can have. Lambda cannot
// evaluate its filter.
func everyProp() *ReplicatedTableProps {
	props := lastWriterProps()
	props.Target.Projection = &Projection{
		Type:       ProjectionType_EXCLUDE,
		Attributes: jsii.Strings("zipcode"),
		Renames:    &map[string]*string{"name": jsii.String("title")},
	}
	props.Target.Filter = Condition_Exists(jsii.String("verified"))
	props.Target.Ordering = Ordering_LastWriterWins(&VersionProps{Attribute: jsii.String("v")})
	props.Target.ExpiredItems = ExpiredItems_DELETE
	props.Target.WriteBrake = jsii.Bool(false)
	props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	props.MemorySize = jsii.Number(512)
	props.Timeout = awscdk.Duration_Seconds(jsii.Number(90))
	props.SetAsideAfter = awscdk.Duration_Minutes(jsii.Number(30))
	props.Architecture = awslambda.Architecture_X86_64()
	props.BatchSize = jsii.Number(100)
	props.LogRetention = awslogs.RetentionDays_ONE_WEEK

	return props
}

// guardedProps are sound: a unique target key with the version guard, which only such
// a key can have, and a filter that Lambda can evaluate.
func guardedProps() *ReplicatedTableProps {
	props := compositeProps()
	props.Target.Filter = Condition_All(
		Condition_Equals(jsii.String("active"), Value_Boolean(jsii.Bool(true))),
		Condition_BeginsWith(jsii.String("address.country"), jsii.String("U")),
	)
	props.Target.Ordering = Ordering_VersionGuard(nil)
	props.Target.ExpiredItems = ExpiredItems_KEEP

	return props
}

// from is the source that is one attribute.
func from(path string) *KeySource { return &KeySource{Attributes: jsii.Strings(path)} }

// joined is the source that joins attributes with a number sign.
func joined(paths ...string) *KeySource {
	return &KeySource{Attributes: jsii.Strings(paths...), Separator: jsii.String("#")}
}

func str(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func num(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_NUMBER}
}

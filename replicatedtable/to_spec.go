package replicatedtable

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// toSpec converts props as they are, sound or not: a nil becomes a zero value,
// which the rules refuse.
//
// Only deployment knows the names of the tables and the URL of the queue. Until
// then, texts of the greatest length stand in for them, different ones for the
// two tables.
func toSpec(props *ReplicatedTableProps) spec.Spec {
	return spec.Spec{
		Source: spec.Table{
			TableName: strings.Repeat("s", maxTableNameBytes),
			KeySchema: toKeySchema(props.Source),
		},
		Targets:         []spec.Target{toTarget(props)},
		FailureQueueURL: strings.Repeat("x", maxQueueURLBytes),
	}
}

const (
	// maxTableNameBytes is the greatest length of a table's name. Source: Amazon
	// DynamoDB Developer Guide, "Quotas", naming rules.
	maxTableNameBytes = 255

	// maxQueueURLBytes exceeds the length of any queue's URL, which is the endpoint,
	// the account and a name of at most 80 characters (Amazon SQS Developer Guide,
	// "Amazon SQS queue quotas").
	maxQueueURLBytes = 160
)

func toTarget(props *ReplicatedTableProps) spec.Target {
	target := spec.Target{
		Table: spec.Table{
			TableName: strings.Repeat("x", maxTableNameBytes),
			KeySchema: toKeySchema(props.Target),
		},
		KeySources:       toKeySources(props),
		Projection:       toProjection(props.Projection),
		OnKeyCollision:   spec.OnKeyCollision(props.OnKeyCollision),
		VersionAttribute: toVersionAttribute(props),

		WriteBrakeDisabled: props.WriteBrake != nil && !*props.WriteBrake,
	}
	if props.Filter != nil {
		filter := props.Filter.toSpec()
		target.Filter = &filter
	}
	if props.ExpiredItems != ExpiredItems_DELETE {
		target.ExpiredItems = spec.ExpiredItems(props.ExpiredItems)
	}

	return target
}

func toKeySchema(k *KeySchema) spec.KeySchema {
	if k == nil {
		return spec.KeySchema{}
	}

	schema := spec.KeySchema{PartitionKey: toAttribute(k.PartitionKey)}
	if k.SortKey != nil {
		sortKey := toAttribute(k.SortKey)
		schema.SortKey = &sortKey
	}
	return schema
}

// attributeTypes lacks every value that is not a type: it becomes the empty type,
// which the rules refuse.
var attributeTypes = map[awsdynamodb.AttributeType]spec.AttributeType{
	awsdynamodb.AttributeType_STRING: spec.String,
	awsdynamodb.AttributeType_NUMBER: spec.Number,
	awsdynamodb.AttributeType_BINARY: spec.Binary,
}

func toAttribute(a *awsdynamodb.Attribute) spec.Attribute {
	if a == nil {
		return spec.Attribute{}
	}
	return spec.Attribute{Name: toString(a.Name), Type: attributeTypes[a.Type]}
}

func toKeySources(props *ReplicatedTableProps) map[string]spec.KeySource {
	if props.KeySources == nil {
		return nil
	}

	sources := map[string]spec.KeySource{}
	for name, source := range *props.KeySources {
		if source == nil {
			source = keySource{}
		}
		sources[name] = source.toSpec(toKeySchema(props.Source))
	}
	return sources
}

func toProjection(p *Projection) spec.Projection {
	if p == nil {
		return spec.Projection{Type: spec.All}
	}

	projection := spec.Projection{Type: spec.ProjectionType(p.Type), Attributes: toStrings(p.Attributes)}
	if p.Renames != nil {
		projection.Renames = map[string]string{}
		for from, to := range *p.Renames {
			projection.Renames[from] = toString(to)
		}
	}
	return projection
}

// toVersionAttribute returns the empty name when nothing writes versions.
func toVersionAttribute(props *ReplicatedTableProps) string {
	switch {
	case props.VersionAttribute != nil:
		return *props.VersionAttribute
	case props.OnKeyCollision == OnKeyCollision_LAST_WRITER_WINS, isGuarded(props):
		return spec.DefaultVersionAttribute
	default:
		return ""
	}
}

// isGuarded reports whether the props ask for the version guard of unique target
// keys.
func isGuarded(props *ReplicatedTableProps) bool {
	return props.VersionGuard != nil && *props.VersionGuard
}

func toStrings(list *[]*string) []string {
	if list == nil {
		return nil
	}

	names := make([]string, len(*list))
	for i, name := range *list {
		names[i] = toString(name)
	}
	return names
}

func toString(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

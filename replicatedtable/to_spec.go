package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// replication is what the function is told, with the place of its tables, and with what
// messages call its targets: Target, AddTarget("ByCity").
type replication struct {
	spec.Spec
	place
	names []string
	// ids are the IDs of the targets.
	ids []string
	// sourceBytes and targetBytes are the greatest lengths of the tables' names.
	sourceBytes int
	targetBytes []int
	// tables are the paths of the tables' constructs, the source's first, empty for those
	// that the construct has yet to define.
	tables []string
	// environment holds the variables of the caller.
	environment map[string]string
	// recordAge is the age in seconds at which the event source mapping gives up on a record.
	recordAge float64
}

// toReplication converts props as they are, sound or not: a nil becomes a zero value,
// which the rules refuse.
func toReplication(props *ReplicatedTableProps, s sizes) replication {
	r := replication{Spec: spec.New(), place: s.place, recordAge: s.recordAge()}
	if props.Source != nil {
		r.Source.KeySchema = toKeySchema(props.Source.PartitionKey, props.Source.SortKey)
		r.Source.TableName, r.tables = tableName(s.source, props.Source.TableProps), []string{s.source.construct()}
		r.sourceBytes = s.place.nameBytes("Source", s.source, props.Source.TableProps)
	}
	if s.setAsideSeconds != nil {
		r.SetAsideSeconds = int(*s.setAsideSeconds)
	}
	r.LogLevel = spec.LogLevel(props.LogLevel)
	r.Metrics = spec.MetricsLevel(props.Metrics)
	r.environment = toVariables(props.Environment)
	return r.with("Target", "Target", props.Target, s.target)
}

// with returns r with one more target, whose table exists or is called id, and leaves r as
// it is.
func (r replication) with(name, id string, props *TargetProps, existing *existingTable) replication {
	if props == nil {
		props = &TargetProps{}
	}
	r.names, r.ids = append(slices.Clone(r.names), name), append(slices.Clone(r.ids), id)
	r.targetBytes = append(slices.Clone(r.targetBytes), r.nameBytes(id, existing, props.TableProps))
	target := toTarget(props)
	target.TableName = tableName(existing, props.TableProps)
	included := includedKeys(props, r.Source.KeySchema, target)
	target.Projection.Attributes = slices.DeleteFunc(target.Projection.Attributes, func(name string) bool {
		return slices.Contains(included, name)
	})
	if len(included) > 0 && len(target.Projection.Attributes) == 0 { // keys are all that is listed
		target.Projection = spec.Projection{Type: spec.KeysOnly, Renames: target.Projection.Renames}
	}
	r.Targets = append(slices.Clone(r.Targets), target)
	r.tables = append(slices.Clone(r.tables), existing.construct())

	return r
}

// warnings lists what is probably not meant in the last target.
func (r replication) warnings(props *TargetProps, existing *existingTable) []warning {
	name := r.names[len(r.names)-1]
	return slices.Concat(existing.targetWarnings(), mappingWarnings(name, r.Source.KeySchema, *r.last(), props))
}

// tableName returns the name of a table, if synthesis knows it.
func tableName(existing *existingTable, settings *awsdynamodb.TablePropsV2) string {
	switch {
	case existing != nil:
		return existing.name
	case settings != nil:
		return knownName(settings.TableName)
	default:
		return ""
	}
}

// nameTable sets the name of a table that only deployment knows.
func nameTable(t *spec.Table, table awsdynamodb.ITable) {
	if t.TableName == "" {
		t.TableName = *table.TableName()
	}
}

func toVariables(environment *map[string]*string) map[string]string {
	if environment == nil {
		return nil
	}

	variables := map[string]string{}
	for name, value := range *environment {
		variables[name] = toString(value)
	}
	return variables
}

// last is the target that was added last.
func (r replication) last() *spec.Target { return &r.Targets[len(r.Targets)-1] }

// maxQueueURLBytes exceeds the length of any queue's URL, which is the endpoint, the
// account and a name of at most 80 characters (Amazon SQS Developer Guide, "Amazon SQS
// queue quotas").
const maxQueueURLBytes = 160

// longest returns the spec for the rules. Only deployment knows the URL of the queue and
// most names of tables. Until then, different texts of the greatest length stand in for
// them.
func (r replication) longest() spec.Spec {
	s := r.Spec
	s.FailureQueueURL = strings.Repeat("x", maxQueueURLBytes)
	if !isKnown(s.Source.TableName) {
		s.Source.TableName = strings.Repeat("s", r.sourceBytes)
	}
	s.Targets = slices.Clone(s.Targets)
	for i := range s.Targets {
		if target := &s.Targets[i]; !isKnown(target.TableName) {
			target.TableName = fmt.Sprintf("%0*d", r.targetBytes[i], i)
		}
	}

	return s
}

// isKnown reports whether synthesis knows a table's name.
func isKnown(name string) bool { return name != "" && !isToken(name) }

func toTarget(props *TargetProps) spec.Target {
	target := spec.Target{
		Table:      spec.Table{KeySchema: toKeySchema(props.PartitionKey, props.SortKey)},
		KeySources: toKeySources(props.KeySources),
		Projection: toProjection(props.Projection),

		WriteBrakeDisabled: props.WriteBrake != nil && !*props.WriteBrake,
	}
	if props.Filter != nil {
		filter := props.Filter.toSpec()
		target.Filter = &filter
	}
	if props.Ordering != nil {
		props.Ordering.toSpec(&target)
	}
	if props.ExpiredItems != ExpiredItems_DELETE {
		target.ExpiredItems = spec.ExpiredItems(props.ExpiredItems)
	}

	return target
}

func toKeySchema(partitionKey, sortKey *awsdynamodb.Attribute) spec.KeySchema {
	schema := spec.KeySchema{PartitionKey: toAttribute(partitionKey)}
	if sortKey != nil {
		attribute := toAttribute(sortKey)
		schema.SortKey = &attribute
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

func toKeySources(props *map[string]*KeySource) map[string]spec.KeySource {
	if props == nil {
		return nil
	}

	sources := map[string]spec.KeySource{}
	for name, source := range *props {
		sources[name] = source.toSpec()
	}
	return sources
}

func toProjection(p *Projection) spec.Projection {
	if p == nil {
		return spec.Projection{Type: spec.All}
	}

	projection := spec.Projection{Type: spec.ProjectionType(p.Type)}
	for _, attribute := range toStrings(p.Attributes) {
		projection.Attributes = append(projection.Attributes, toName(&attribute))
	}
	if p.Renames != nil {
		projection.Renames = map[string]string{}
		for from, to := range *p.Renames {
			projection.Renames[toName(&from)] = toName(to)
		}
	}

	return projection
}

func toStrings(list *[]*string) []string {
	if list == nil {
		return nil
	}

	texts := make([]string, len(*list))
	for i, text := range *list {
		texts[i] = toString(text)
	}
	return texts
}

func toString(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

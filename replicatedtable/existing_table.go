package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// existingTable is what synthesis knows of a table that the construct does not define.
type existingTable struct {
	// name is empty if only deployment knows it.
	name string
	// path is that of the table's construct.
	path string
	// isDefined says that the app defines the table. The settings below are known then.
	isDefined bool
	// keys is nil if the names of the key attributes are tokens.
	keys *spec.KeySchema
	// hasStream says that the table has a stream, view is its view type, empty for a token.
	hasStream bool
	view      string
	// hasReplicas says that the table has replicas in other Regions.
	hasReplicas bool

	// streamARN may be empty for an imported table, and a token. A table that the app defines
	// may have one without a stream.
	streamARN string
	// problems says why the table cannot be used at all.
	problems []string
}

// readTable reads what synthesis knows of a table for a construct in scope. It returns
// nil when table is nil: then the construct defines the table.
func readTable(scope constructs.Construct, table awsdynamodb.ITable) *existingTable {
	if table == nil {
		return nil
	}

	e := &existingTable{
		path:      *table.Node().Path(),
		name:      knownName(table.TableName()),
		streamARN: toString(table.TableStreamArn()),
		problems:  foreignProblems(table, scope),
	}
	if problem := keyProblem(table.EncryptionKey()); problem != "" {
		e.problems = append(e.problems, problem)
	}
	switch resource := table.Node().DefaultChild().(type) {
	case awsdynamodb.CfnTable:
		e.define(table, resource.KeySchema(), resource.AttributeDefinitions(), resource.StreamSpecification())
		e.hasReplicas = slices.ContainsFunc(*table.Node().FindAll(constructs.ConstructOrder_PREORDER), isReplica)
	case awsdynamodb.CfnGlobalTable:
		// TableV2 computes its stream's settings late. StreamSpecification() panics then with
		// jsii-runtime-go v1.142.0, which reads them as a struct at once.
		stream := (*resource.CfnProperties())["streamSpecification"]
		e.define(table, resource.KeySchema(), resource.AttributeDefinitions(), stream)
		e.hasReplicas = len(objects(resolve(table, resource.Replicas()))) > 1
	}

	return e
}

// isReplica recognises what a Table defines for each of its ReplicationRegions.
func isReplica(c constructs.IConstruct) bool {
	resource, ok := c.(awscdk.CfnResource)
	return ok && *resource.CfnResourceType() == "Custom::DynamoDBReplica"
}

// define sets what the resource of a table says. Both kinds of resources have these
// properties in the same form.
func (e *existingTable) define(table awsdynamodb.ITable, keySchema, attributeDefinitions, stream any) {
	e.isDefined = true
	types := map[string]spec.AttributeType{}
	for _, definition := range objects(resolve(table, attributeDefinitions)) {
		types[text(definition, "attributeName")] = spec.AttributeType(text(definition, "attributeType"))
	}

	var keys spec.KeySchema
	for _, key := range objects(resolve(table, keySchema)) {
		name := text(key, "attributeName")
		attribute := spec.Attribute{Name: name, Type: types[name]}
		if text(key, "keyType") == "HASH" {
			keys.PartitionKey = attribute
		} else {
			keys.SortKey = &attribute
		}
	}
	if keys.PartitionKey.Name != "" && (keys.SortKey == nil || keys.SortKey.Name != "") {
		e.keys = &keys
	}

	if settings, ok := resolve(table, stream).(map[string]any); ok {
		e.hasStream, e.view = true, text(settings, "streamViewType")
	}
}

// resolve returns a property of a table's resource with what synthesis knows in place of
// tokens.
func resolve(table awsdynamodb.ITable, property any) any {
	if property == nil {
		return nil
	}
	return awscdk.Stack_Of(table).Resolve(property)
}

// objects returns the objects of a resolved list.
func objects(list any) []map[string]any {
	var found []map[string]any
	values, _ := list.([]any)
	for _, v := range values {
		if object, ok := v.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// text returns a string of a resolved object. It is empty where the object has none, and
// where only deployment knows it.
func text(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}

// knownName returns a table's name, or "" if only deployment knows it.
func knownName(name *string) string {
	if isKnown(toString(name)) {
		return *name
	}
	return ""
}

// foreignProblems says that a table is in another account or Region than scope, where
// both are known. The ARNs of an imported table say more than its construct.
func foreignProblems(table awsdynamodb.ITable, scope constructs.Construct) []string {
	stack := awscdk.Stack_Of(scope)
	account, region := *table.Env().Account, *table.Env().Region
	for _, arn := range []string{toString(table.TableStreamArn()), *table.TableArn()} {
		// arn:aws:dynamodb:REGION:ACCOUNT:table/NAME
		if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && !isToken(arn) {
			region, account = parts[3], parts[4]
		}
	}

	var problems []string
	for _, tt := range []struct{ what, table, stack string }{
		{"account", account, *stack.Account()},
		{"Region", region, *stack.Region()},
	} {
		if isKnown(tt.table) && isKnown(tt.stack) && tt.table != tt.stack {
			problems = append(problems, fmt.Sprintf("is in the %s %s, and the stack in %s: "+
				"define the ReplicatedTable in a stack of the table's account and Region", tt.what, tt.table, tt.stack))
		}
	}

	return problems
}

// construct is the path of the table's construct, empty if the ReplicatedTable defines it.
func (e *existingTable) construct() string {
	if e == nil {
		return ""
	}
	return e.path
}

// sourceWarnings says what the source table at path, which exists or is defined with
// settings, may do that replication does not expect.
func (e *existingTable) sourceWarnings(path string, settings *awsdynamodb.TablePropsV2, readers int) []warning {
	var warnings []warning
	if e != nil && e.hasReplicas || settings != nil && settings.Replicas != nil && len(*settings.Replicas) > 0 {
		warnings = append(warnings, warning{warningReplicas, fmt.Sprintf("the source table %s has replicas: "+
			"an item that expires is deleted in one Region, and the streams of the others do not say that it expired. "+
			"There, ExpiredItems_KEEP deletes the target item too", path)})
	}
	if readers > maxStreamReaders {
		warnings = append(warnings, warning{warningReaders, fmt.Sprintf("%d event source mappings of this app read "+
			"the stream of the source table %s, and a stream has room for %d readers: more are throttled. "+
			"One ReplicatedTable serves several targets: use AddTarget", readers, path, maxStreamReaders)})
	}
	return warnings
}

// targetWarnings says that an existing target table may have items.
func (e *existingTable) targetWarnings() []warning {
	if e == nil {
		return nil
	}
	return []warning{{warningTargetItems, fmt.Sprintf("the target table %s exists apart from this construct: items "+
		"that it has already stay until a change of the source table replaces or deletes them. Make sure that it is "+
		"empty, and that nothing else writes to it", e.path)}}
}

// sharedTargetWarnings says that another ReplicatedTable of the app has the table of the last
// target too. That works only while their items have different keys.
func (t *replicatedTable) sharedTargetWarnings(e *existingTable) []warning {
	if e == nil {
		return nil
	}
	var warnings []warning
	for _, c := range *t.Node().Root().Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if other, ok := c.(*replicatedTable); ok && other != t && slices.Contains(other.replication.tables[1:], e.path) {
			warnings = append(warnings, warning{warningShared, fmt.Sprintf("the target table %s is a target table of %s "+
				"too: where items of both have one key, each replaces and deletes those of the other. "+
				"Give each a table of its own", e.path, *other.Node().Path())})
		}
	}
	return warnings
}

// maxStreamReaders is the number of processes that can read a shard of a stream at the
// same time. Source: Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB
// Streams".
const maxStreamReaders = 2

// streamReaders counts the event source mappings that the app has defined for a stream
// so far.
func streamReaders(t *replicatedTable, e *existingTable, stream *string) int {
	if e == nil { // its stream is new
		return 1
	}
	readers := 0
	for _, c := range *t.Node().Root().Node().FindAll(constructs.ConstructOrder_PREORDER) {
		// Tokens are compared as they are: two stacks may have the same logical IDs.
		if mapping, ok := c.(awslambda.CfnEventSourceMapping); ok && toString(mapping.EventSourceArn()) == *stream {
			readers++
		}
	}
	return readers
}

package replicatedtable

import "github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

// TargetProps says what a target table is: its primary key, and what becomes of a
// source item in it.
type TargetProps struct {
	// PartitionKey is required, with its name and its type. The name has at most
	// 255 bytes.
	//
	// A source item that lacks one of the attributes the target key is derived from
	// has no target item, as with a global secondary index. NULL, the empty string and
	// empty binary count as absent.
	//
	// A target key that contains every attribute of the source key is unique. Any
	// other needs Ordering_LastWriterWins.
	PartitionKey *awsdynamodb.Attribute

	// SortKey has the same rules.
	// Default: the table has no sort key.
	SortKey *awsdynamodb.Attribute

	// Table is a table that exists or that the app defines: a Table, a TableV2 or an
	// imported one, also of another stack, in the account and the Region of this one.
	// PartitionKey and SortKey must be the table's own: synthesis compares them where the
	// app defines the table, and otherwise the first write fails and the stream waits.
	//
	// Only the function may write to it. Items that are there already stay until a change
	// of the source table replaces or deletes them, so synthesis warns. To acknowledge the
	// warning, call Annotations_Of(…).AcknowledgeWarning with the ReplicatedTable and the
	// warning's ID, "@replicatedtable/cdk-go:existingTarget".
	// Default: the construct defines a TableV2.
	Table awsdynamodb.ITable

	// TableProps are the settings of the table that the construct defines, in the CDK's
	// own struct. Its PartitionKey and SortKey must not be set: the construct sets them.
	// Not allowed with Table.
	// Default: on-demand capacity, point-in-time recovery, the construct's RemovalPolicy,
	// deletion protection when that is not DESTROY, and otherwise the CDK's defaults.
	TableProps *awsdynamodb.TablePropsV2

	// KeySources says, by the name of a target key attribute, what its value is
	// derived from: an attribute with another name, one inside a map, or several
	// joined attributes. A target key contains the attributes it is derived from: a
	// sort key joined from city and email contains email.
	//
	// Such a key attribute cannot have the name of a source key attribute, because a
	// target item carries that one too. If a source item has an attribute of this
	// name, its changes go to the failure queue, unless Projection excludes or
	// renames that attribute.
	//
	// A new value of KeySources, like one of Filter, applies only to later changes.
	// Target items under the old keys stay. To start with empty tables, give the
	// construct another ID.
	// Default: each is the source item's top-level attribute of the same name.
	KeySources *map[string]*KeySource

	// Projection selects the attributes that target items carry.
	// Default: all attributes.
	Projection *Projection

	// Filter keeps only the source items that meet a condition. An item that begins
	// to meet it gets a target item; an item that no longer meets it loses its own.
	//
	// Lambda's event filtering gets every filter that it can express exactly, so that
	// changes of other items cost no invocation: Condition_Equals and Condition_In
	// with strings, booleans and plain integers, and Condition_BeginsWith, joined into
	// at most two alternatives. With several targets, it gets the filters of all of
	// them, with at most two alternatives together, or none. Nothing else depends on
	// it.
	//
	// A new value of Filter applies only to later changes: it neither adds nor
	// deletes target items.
	// Default: all items.
	Filter Condition

	// Ordering gives every target item a version, and makes every write conditional on
	// a newer one: [Ordering_LastWriterWins] where two source items can have the same
	// target key, [Ordering_VersionGuard] where they cannot.
	// Default: the target key has to be unique, or synthesis fails, and a redelivery
	// may show an older state until the changes that follow are redelivered too.
	Ordering Ordering

	// ExpiredItems says what happens to the target item when DynamoDB deletes the
	// source item by its time to live. Any other deletion always deletes the target
	// item.
	// Default: DELETE.
	ExpiredItems ExpiredItems

	// WriteBrake stops the stream when the target table refuses puts because of its
	// own definition, such as a secondary index whose key has another type than the
	// attribute: more than 25 puts in a row for one reason, or 90 % of the puts of an
	// invocation that has more than 25. The records stay in the stream, the target
	// items stay as they were, and IteratorAgeAlarm goes off. Where other targets do not
	// fail, that lasts for the time of SetAsideAfter: then the target is set aside. The
	// function tries one put per invocation, and goes on when the table stores it.
	// Invocations of at most 25 puts give up that many records, each with its message,
	// before it is clear that the table is wrong; a new process counts from 0.
	//
	// When it is false, every refused record goes to the failure queue, and the target
	// item that showed its source item is deleted. A refusal that lies in the item, such
	// as its size, never stops the stream.
	// Default: true.
	WriteBrake *bool
}

// Projection selects the attributes of target items, besides the key attributes
// of both tables, which a target item always carries.
type Projection struct {
	// Type says how Attributes is read. Required.
	Type ProjectionType
	// Attributes are the paths of the top-level attributes to add (INCLUDE) or to
	// leave out (EXCLUDE). [AttributePath] says how a path names an attribute that has
	// dots in its name. Key attributes need not be added, and cannot be left out. Not
	// allowed with the other types.
	Attributes *[]*string
	// Renames maps the paths of carried top-level attributes in the source item to
	// those in the target item. Key attributes cannot be renamed: the source's
	// keep their names, and PartitionKey, SortKey and KeySources name the target's. If
	// a target item would have two attributes of one name, the change goes to the
	// failure queue.
	// Default: every attribute keeps its name.
	Renames *map[string]*string
}

// ProjectionType says which attributes a Projection selects.
type ProjectionType string

const (
	// ProjectionType_ALL selects all attributes.
	ProjectionType_ALL ProjectionType = "ALL"
	// ProjectionType_KEYS_ONLY selects no attribute besides the keys.
	ProjectionType_KEYS_ONLY ProjectionType = "KEYS_ONLY"
	// ProjectionType_INCLUDE selects the listed attributes.
	ProjectionType_INCLUDE ProjectionType = "INCLUDE"
	// ProjectionType_EXCLUDE selects all attributes but the listed ones.
	ProjectionType_EXCLUDE ProjectionType = "EXCLUDE"
)

// ExpiredItems says what a deletion by time to live does to the target item.
type ExpiredItems string

const (
	// ExpiredItems_DELETE deletes the target item.
	ExpiredItems_DELETE ExpiredItems = "DELETE"
	// ExpiredItems_KEEP keeps the target item in its last state. When an item with
	// the same source key is written later under another target key, the kept one
	// stays beside the new one.
	ExpiredItems_KEEP ExpiredItems = "KEEP"
)

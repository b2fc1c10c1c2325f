package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// ReplicatedTableProps configures a ReplicatedTable. Source and Target are
// required. The construct reads the props and never writes to them.
type ReplicatedTableProps struct {
	// Source is the primary key of the source table. Required.
	Source *KeySchema

	// Target is the primary key of the target table. Required.
	//
	// A source item that lacks one of the attributes the key is derived from has no
	// target item, as with a global secondary index. NULL, the empty string and empty
	// binary count as absent.
	//
	// A target key that contains every attribute of the source key is unique. Any
	// other needs OnKeyCollision.
	Target *KeySchema

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
	KeySources *map[string]KeySource

	// Projection selects the attributes that target items carry.
	// Default: all attributes.
	Projection *Projection

	// Filter keeps only the source items that meet a condition. An item that begins
	// to meet it gets a target item; an item that no longer meets it loses its own.
	//
	// Lambda's event filtering gets every filter that it can express exactly, so that
	// changes of other items cost no invocation: Condition_Equals and Condition_In
	// with strings, booleans and plain integers, and Condition_BeginsWith, joined into
	// at most two alternatives. Nothing else depends on it.
	//
	// A new value of Filter applies only to later changes: it neither adds nor
	// deletes target items.
	// Default: all items.
	Filter Condition

	// OnKeyCollision says what happens when two source items have the same target
	// key.
	// Default: the target key has to be unique, or synthesis fails. With a unique
	// target key, setting it fails too: nothing could collide.
	OnKeyCollision OnKeyCollision

	// VersionGuard adds a version to every target item of a unique target key, and
	// makes every write conditional on a newer version. So a redelivery never takes
	// a target item back to an older state, not even for a moment. Where an item was
	// deleted or moved away, no version is left: older changes that are redelivered
	// may show the item there again, until its deletion or move is redelivered too.
	//
	// It costs one request per item instead of one per 25. With OnKeyCollision,
	// which guards every write too, it is refused.
	// Default: false. A redelivery may show an older state until the changes that
	// follow are redelivered too.
	VersionGuard *bool

	// VersionAttribute names the attribute that OnKeyCollision and VersionGuard add
	// to every target item. Source items must not use it: a change of an item that
	// does goes to the failure queue. Without OnKeyCollision and VersionGuard it is
	// refused.
	// Default: "replicatedtable:version".
	VersionAttribute *string

	// ExpiredItems says what happens to the target item when DynamoDB deletes the
	// source item by its time to live. Any other deletion always deletes the target
	// item.
	// Default: DELETE.
	ExpiredItems ExpiredItems

	// WriteBrake stops the stream when the target table refuses puts because of its
	// own definition, such as a secondary index whose key has another type than the
	// attribute: more than 25 puts in a row for one reason, or 90 % of the puts of an
	// invocation that has more than 25. The records stay in the stream, the target
	// items stay as they were, and IteratorAgeAlarm goes off. The function tries one
	// put per invocation, and goes on when the table stores it. Invocations of at most
	// 25 puts give up that many records, each with its message, before it is clear
	// that the table is wrong; a new process counts from 0.
	//
	// When it is false, every refused record goes to the failure queue, and the target
	// item that showed its source item is deleted. A refusal that lies in the item, such
	// as its size, never stops the stream.
	// Default: true.
	WriteBrake *bool

	// RemovalPolicy says what happens to both tables, both queues and the log group
	// when they leave the stack: RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE.
	// SNAPSHOT is refused, because none of them has snapshots.
	// Default: RETAIN.
	RemovalPolicy awscdk.RemovalPolicy

	// MemorySize is the function's memory in MiB, a whole number from 128 to
	// 10240. More memory brings more CPU. The function's variables GOGC, GOMEMLIMIT
	// and GOMAXPROCS fit the Go runtime to it; Function().AddEnvironment replaces one.
	// Default: 256.
	MemorySize *float64

	// Timeout bounds one invocation of the function, from 10 seconds to 15
	// minutes in whole seconds. The function stops sending 2 seconds or a tenth
	// of the timeout before the end, whichever is more, and reports the rest.
	// Default: 1 minute.
	Timeout awscdk.Duration

	// Architecture is the function's instruction set.
	// Default: ARM_64.
	Architecture awslambda.Architecture

	// BatchSize is the largest number of records that one invocation receives, a
	// whole number from 1 to 10000. Lambda also ends a batch at 6 MB.
	// Default: 1000.
	BatchSize *float64

	// LogRetention is how long the function's logs are kept.
	// Default: ONE_MONTH.
	LogRetention awslogs.RetentionDays
}

// KeySchema is the primary key of a table.
type KeySchema struct {
	// PartitionKey is required, with its name and its type. The name has at most
	// 255 bytes.
	PartitionKey *awsdynamodb.Attribute
	// SortKey is optional. Default: the table has no sort key.
	SortKey *awsdynamodb.Attribute
}

// Projection selects the attributes of target items, besides the key attributes
// of both tables, which a target item always carries.
type Projection struct {
	// Type says how Attributes is read. Required.
	Type ProjectionType
	// Attributes names the top-level attributes to add (INCLUDE) or to leave
	// out (EXCLUDE). None may be a key attribute. Not allowed with the other types.
	Attributes *[]*string
	// Renames maps the names of carried top-level attributes in the source item to
	// their names in the target item. Key attributes cannot be renamed: the source's
	// keep their names, and Target and KeySources name the target's. If a target item
	// would have two attributes of one name, the change goes to the failure queue.
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

// OnKeyCollision says which of two source items with the same target key is kept.
type OnKeyCollision string

// OnKeyCollision_LAST_WRITER_WINS keeps the item whose change is the newest, by
// the time in the stream, which counts whole seconds. Every target item carries
// a version attribute and every write is conditional, which costs one request
// per item. Deleting or moving one source item never removes the target item of
// another. Two limits: between different source items, changes of the same
// second have no guaranteed order; and when the winner is deleted, an older loser
// may or may not come back.
const OnKeyCollision_LAST_WRITER_WINS OnKeyCollision = "LAST_WRITER_WINS"

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

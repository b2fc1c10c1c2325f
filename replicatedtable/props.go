package replicatedtable

import (
	"cmp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// ReplicatedTableProps configures a ReplicatedTable. Source and Target are
// required. The props stay the caller's: they are read, never written to.
type ReplicatedTableProps struct {
	// Source is the primary key of the source table. Required.
	Source *KeySchema

	// Target is the primary key of the target table. Required.
	//
	// An item without one of the attributes that it is made of has no target item,
	// as with a global secondary index; NULL, the empty string and empty binary count
	// as absent. A target key that contains every attribute
	// of the source key is unique; any other needs OnKeyCollision.
	Target *KeySchema

	// KeySources says what the target's key attributes are made of, by their names:
	// of an attribute with another name, of one inside a map, or of several that
	// are joined. A target key contains what it is made of: a sort key joined from
	// city and email contains email.
	//
	// Such a key attribute cannot have the name of a source key attribute, which a
	// target item carries too. A change of a source item that has an attribute of
	// its name goes to the failure queue, unless Projection leaves that one out or
	// renames it.
	//
	// A change of KeySources itself applies to what changes from then on, as one of
	// Filter does; what stands under the old keys stays there for ever. Give the
	// construct another ID with it, to begin with empty tables.
	// Default: each is the source item's top-level attribute of the same name.
	KeySources *map[string]KeySource

	// Projection selects the attributes that target items carry.
	// Default: all attributes.
	Projection *Projection

	// Filter keeps only the source items that meet a condition. An item that comes
	// to meet it gets a target item; one that no longer does loses it.
	//
	// What Lambda's own event filtering can express exactly is handed to it, so
	// that changes of items that do not matter cost no invocation: Condition_Equals
	// and Condition_In with strings, booleans and plain integers, and
	// Condition_BeginsWith, joined into at most two alternatives. That changes
	// nothing else.
	//
	// A change of Filter itself applies to what changes from then on: it neither
	// adds nor deletes target items.
	// Default: all items.
	Filter Condition

	// OnKeyCollision says what happens when two source items have one target key.
	// Default: the target key has to be unique, or synthesis fails. Setting it
	// for a unique target key is refused too: nothing could collide.
	OnKeyCollision OnKeyCollision

	// VersionGuard adds a version to every target item of a unique target key, and
	// to every write the condition that it is newer than what is there. So a
	// redelivery never takes a target item back to an older state, not even for a
	// moment. Where an item was deleted, or moved away, no version is left:
	// redelivered changes from before may show it there again, until its deletion
	// or move is redelivered too.
	//
	// It costs one request per item instead of one per 25. With OnKeyCollision,
	// which guards every write too, it is refused.
	// Default: false. A redelivery may show an older state until the changes that
	// follow are redelivered too.
	VersionGuard *bool

	// VersionAttribute names the attribute that OnKeyCollision and VersionGuard add
	// to every target item. It must be one that the source items do not use: a
	// change of an item that does goes to the failure queue. Without OnKeyCollision
	// and VersionGuard it is refused.
	// Default: "replicatedtable:version".
	VersionAttribute *string

	// ExpiredItems says what becomes of the target item when DynamoDB deletes the
	// source item by its time to live. Deletions by anybody else always delete the
	// target item.
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
	// Where WriteBrake is false, every refused record goes to the failure queue, and
	// the target item of its source item is deleted. What lies in an item, such as its
	// size, never stops the stream.
	// Default: true.
	WriteBrake *bool

	// RemovalPolicy is what becomes of both tables, both queues and the log group
	// when they leave the stack: RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE.
	// SNAPSHOT is refused, as none of them has snapshots.
	// Default: RETAIN.
	RemovalPolicy awscdk.RemovalPolicy

	// MemorySize is the function's memory in MiB, a whole number from 128 to
	// 10240. Lambda gives more CPU with more memory. The function's variables GOGC,
	// GOMEMLIMIT and GOMAXPROCS fit the Go runtime to it; Function().AddEnvironment
	// replaces one.
	// Default: 256.
	MemorySize *float64

	// Timeout bounds one invocation of the function, from 10 seconds to 15
	// minutes in whole seconds. The function stops sending 2 seconds or a tenth
	// of the timeout before the end, whichever is more, and reports what is left.
	// Default: 1 minute.
	Timeout awscdk.Duration

	// Architecture is the function's instruction set.
	// Default: ARM_64.
	Architecture awslambda.Architecture

	// BatchSize is the most records one invocation receives, a whole number from
	// 1 to 10000. Lambda also ends a batch at 6 MB.
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
// of both tables: a target item always carries those.
type Projection struct {
	// Type says how Attributes is read. Required.
	Type ProjectionType
	// Attributes names top-level attributes that are no key attributes: those to
	// add (INCLUDE) or to leave out (EXCLUDE). Not allowed with the other types.
	Attributes *[]*string
	// Renames gives top-level attributes that are carried, by their names in the
	// source item, another name in the target item. Key attributes are not renamed:
	// the source's keep their names, and KeySources names the target's. A change of
	// a source item that would then have two attributes of one name goes to the
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

// OnKeyCollision says which of two source items with one target key is kept.
type OnKeyCollision string

// OnKeyCollision_LAST_WRITER_WINS keeps the item whose change is the newest, by
// the time in the stream, which counts whole seconds. Every target item carries
// a version attribute and every write is conditional, which costs one request
// per item. Deleting or moving one source item never removes the target item of
// another. Two limits: between different source items, changes of the same
// second have no guaranteed order; and when the winner is deleted, an older loser
// may come back or not.
const OnKeyCollision_LAST_WRITER_WINS OnKeyCollision = "LAST_WRITER_WINS"

// ExpiredItems says what a deletion by time to live does to the target item.
type ExpiredItems string

const (
	// ExpiredItems_DELETE deletes the target item.
	ExpiredItems_DELETE ExpiredItems = "DELETE"
	// ExpiredItems_KEEP leaves the target item as it last was. When an item with
	// the same source key is written later under another target key, the kept one
	// stays beside the new one.
	ExpiredItems_KEEP ExpiredItems = "KEEP"
)

// The defaults of the props that are numbers.
const (
	defaultMemoryMiB      = 256
	defaultTimeoutMinutes = 1
	defaultBatchSize      = 1000
)

// withDefaults returns a copy in which every optional prop that CDK needs is
// set. Projection and VersionAttribute get their defaults in toSpec.
func (p ReplicatedTableProps) withDefaults() ReplicatedTableProps {
	p.RemovalPolicy = cmp.Or(p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN)
	p.MemorySize = cmp.Or(p.MemorySize, jsii.Number(defaultMemoryMiB))
	p.BatchSize = cmp.Or(p.BatchSize, jsii.Number(defaultBatchSize))
	p.LogRetention = cmp.Or(p.LogRetention, awslogs.RetentionDays_ONE_MONTH)
	if p.Timeout == nil {
		p.Timeout = awscdk.Duration_Minutes(jsii.Number(defaultTimeoutMinutes))
	}
	if p.Architecture == nil {
		p.Architecture = awslambda.Architecture_ARM_64()
	}
	return p
}

// sizes are the props with a range, in plain numbers. Nil is a value that is
// not set, or a token whose value only deployment knows: Lambda checks that one.
type sizes struct {
	memoryMiB, timeoutSeconds, batchSize *float64
}

// knownSizes reads the props with a range.
func knownSizes(props *ReplicatedTableProps) sizes {
	if props == nil {
		return sizes{}
	}
	s := sizes{memoryMiB: known(props.MemorySize), batchSize: known(props.BatchSize)}
	if props.Timeout != nil && !*props.Timeout.IsUnresolved() {
		s.timeoutSeconds = props.Timeout.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
	}
	return s
}

// known returns n unless it is a token.
func known(n *float64) *float64 {
	if n == nil || *awscdk.Token_IsUnresolved(n) {
		return nil
	}
	return n
}

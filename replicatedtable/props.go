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
	// Source is the source table. Required.
	Source *SourceProps

	// Target is the first target table. AddTarget adds more. Required.
	Target *TargetProps

	// RemovalPolicy says what happens to all tables, both queues and the log group
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

	// SetAsideAfter is how long one target table may fail as a whole while others do not,
	// as when a permission or the table is missing: from 1 minute to 10 hours in whole
	// seconds, known at synthesis. Until then the stream waits, so that a repair loses
	// nothing. From then on the other targets go on without it, and the keys of the items
	// that it misses go to the failure queue. When all targets fail, the stream waits.
	// Default: 15 minutes.
	SetAsideAfter awscdk.Duration

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

// SourceProps says what the source table is: its primary key, and either the table or
// the settings of the one that the construct defines.
type SourceProps struct {
	// PartitionKey is required, with its name and its type. The name has at most
	// 255 bytes.
	PartitionKey *awsdynamodb.Attribute
	// SortKey is optional. Default: the table has no sort key.
	SortKey *awsdynamodb.Attribute

	// Table is a table that exists or that the app defines: a Table, a TableV2 or an
	// imported one, also of another stack. It needs a stream with the view type
	// NEW_AND_OLD_IMAGES. An imported table needs its stream's ARN: use
	// Table_FromTableAttributes.
	//
	// PartitionKey and SortKey must be the table's own. Synthesis compares them where the
	// app defines the table; otherwise the function finds out with the first record, and
	// the stream waits. The target gets the changes that are in the stream when the event
	// source mapping begins to read it, which holds those of the last 24 hours, and all
	// later ones; items that were written earlier and do not change are missing from it.
	//
	// A stream has room for two readers, and one is best. The table must be in the
	// account and the Region of the stack.
	// Default: the construct defines a TableV2.
	Table awsdynamodb.ITable

	// TableProps are the settings of the table that the construct defines, in the CDK's
	// own struct. Its PartitionKey, SortKey and DynamoStream must not be set: the
	// construct sets them. Not allowed with Table.
	// Default: on-demand capacity, point-in-time recovery, the construct's RemovalPolicy,
	// deletion protection when that is not DESTROY, and otherwise the CDK's defaults.
	TableProps *awsdynamodb.TablePropsV2
}

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
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

	// SetAsideAfter is how long one target table may fail as a whole while others do not,
	// as when a permission or the table is missing: from 1 minute to 10 hours in whole
	// seconds, less than MaxRecordAge, known at synthesis. Until then the stream waits, so
	// that a repair loses nothing. From then on the other targets go on without it, and the
	// keys of the items that it misses go to the failure queue. When all targets fail, the
	// stream waits.
	// Default: 15 minutes.
	SetAsideAfter awscdk.Duration

	// Code is the function's code, built beforehand: a zip file or a folder with a program
	// called bootstrap for Linux and Architecture, such as
	// Code_FromAsset(jsii.String("function"), nil). Then synthesis builds nothing and needs
	// no go command. The program's main calls Start of the package runtime/replicator, in the
	// version of this module that the app has: a function refuses the configuration of a
	// version that it does not know.
	//
	// This builds a package main in the folder replicator, to the same bytes wherever the
	// same Go version runs it on the same sources:
	//
	//	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-s \
	//		-tags=lambda.norpc,nethttpomithttp2 -o function/bootstrap ./replicator
	//
	// Default: synthesis builds the function from source.
	Code awslambda.Code

	// FunctionName is the function's name: 1 to 64 letters, digits, hyphens and
	// underscores. Another name replaces the function.
	// Default: CloudFormation generates one.
	FunctionName *string

	// Description is the function's description, of at most 256 characters.
	// Default: "Applies the changes of a source table to its target tables".
	Description *string

	// Architecture is the function's instruction set.
	// Default: ARM_64.
	Architecture awslambda.Architecture

	// MemorySize is the function's memory in MiB, a whole number from 128 to
	// 10240. More memory brings more CPU. The function's variables GOGC, GOMEMLIMIT
	// and GOMAXPROCS fit the Go runtime to it; Environment replaces one.
	// Default: 256.
	MemorySize *float64

	// Timeout bounds one invocation of the function, from 10 seconds to 15
	// minutes in whole seconds. The function stops sending 2 seconds or a tenth
	// of the timeout before the end, whichever is more, and reports the rest.
	// Default: 1 minute.
	Timeout awscdk.Duration

	// Environment adds variables to the function's environment, or replaces GOGC,
	// GOMEMLIMIT and GOMAXPROCS. Names have at least two characters: letters, digits and
	// underscores, a letter first. REPLICATEDTABLE_SPEC is refused, and so are the names
	// that Lambda reserves. The function itself reads the variables of the AWS SDKs for
	// endpoints: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS,
	// AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT.
	//
	// Lambda allows 4 KB for all variables together, the function's own included. Where
	// the mapping has no room beside these, it goes into a layer. The length of a token is
	// not known at synthesis, and counts as 0.
	// Default: no further variables.
	Environment *map[string]*string

	// Layers are further layers of the function, such as those of extensions: at most 4 of
	// the 5 that Lambda allows, because the mapping may need one.
	// Default: no further layers.
	Layers *[]awslambda.ILayerVersion

	// Role is the role of the function and, on its behalf, of the event source mapping. It
	// must trust lambda.amazonaws.com. The construct attaches a policy with the permissions
	// that they need. It cannot attach one to a role that is imported as immutable: synthesis
	// warns, with the policy that the role needs. A role of another account is refused,
	// because Lambda takes none.
	// Default: the construct defines a role.
	Role awsiam.IRole

	// Tracing is the function's X-Ray tracing: ACTIVE, PASS_THROUGH or DISABLED. The first
	// two allow the role xray:PutTraceSegments and xray:PutTelemetryRecords on all
	// resources, because these actions have none. A trace shows invocations, and not the
	// requests to DynamoDB and SQS within them.
	// Default: DISABLED.
	Tracing awslambda.Tracing

	// Vpc is a VPC to connect the function to. DynamoDB and SQS must be reachable from its
	// subnets: by a gateway or interface endpoint for DynamoDB and an interface endpoint for
	// SQS, or through a NAT gateway. Otherwise all writes time out, and the stream waits.
	// The event source mapping reads the stream outside of the VPC.
	//
	// The role is allowed the actions on network interfaces that Lambda needs, on all
	// resources: ec2:CreateNetworkInterface, DescribeNetworkInterfaces, DescribeSubnets,
	// DeleteNetworkInterface, AssignPrivateIpAddresses and UnassignPrivateIpAddresses.
	// Default: none.
	Vpc awsec2.IVpc

	// VpcSubnets selects the subnets of Vpc. Public ones are refused, because a function has
	// no access to the internet there. Not allowed without Vpc.
	// Default: the private subnets of Vpc.
	VpcSubnets *awsec2.SubnetSelection

	// SecurityGroups are the function's security groups in Vpc. They must allow HTTPS to
	// DynamoDB and SQS. Not allowed without Vpc.
	// Default: a new one, which allows all outbound IPv4 traffic.
	SecurityGroups *[]awsec2.ISecurityGroup

	// ReservedConcurrentExecutions is the number of invocations that can run at the same
	// time, and that no other function of the account can use: a whole number from 0. 0
	// stops the function. With less than the shards of the stream times
	// ParallelizationFactor, some shards wait for others. A stream has about one shard for
	// each partition of its table, which is 10 GB or 1,000 writes per second.
	// Default: no reservation.
	ReservedConcurrentExecutions *float64

	// LogLevel is the lowest level of the lines that the function logs: DEBUG, INFO, WARN or
	// ERROR. Records in the failure queue are a WARN, batches that fail an ERROR.
	//
	// The function keeps to it itself. Lambda's own application log level is not a setting,
	// because it would also drop the function's metrics: Lambda counts a line without a level
	// as INFO.
	// Default: INFO.
	LogLevel awslambda.ApplicationLogLevel

	// LoggingFormat is the format of the lines that Lambda itself logs: TEXT or JSON. The
	// function always writes JSON, one object per line, and Lambda stores these lines as
	// they are with both formats. With JSON, Lambda's application log level is set to TRACE,
	// so that it drops none of them.
	// Default: JSON.
	LoggingFormat awslambda.LoggingFormat

	// SystemLogLevel is the lowest level of the lines that Lambda itself logs, such as the
	// report of an invocation: DEBUG, INFO or WARN. Not allowed with LoggingFormat TEXT.
	// Default: Lambda's, INFO.
	SystemLogLevel awslambda.SystemLogLevel

	// LogGroup is an existing log group for the function's logs. Its retention and its
	// removal policy are where it is defined. It has to be of the class STANDARD, unless Metrics
	// is NONE: CloudWatch reads no metrics in another one. Of an imported log group that is not
	// checked.
	// Default: the construct defines a log group.
	LogGroup awslogs.ILogGroup

	// LogRetention is how long the function's logs are kept. Not allowed with LogGroup.
	// Default: ONE_MONTH.
	LogRetention awslogs.RetentionDays

	// BatchSize is the largest number of records that one invocation receives, a
	// whole number from 1 to 10000. Lambda also ends a batch at 6 MB.
	// Default: 1000.
	BatchSize *float64

	// MaxBatchingWindow is how long Lambda waits for more records before it invokes the
	// function: up to 5 minutes in whole seconds. The target tables lag by it, and batches
	// are fewer and larger.
	//
	// Tumbling windows, in which Lambda hands a state from one batch to the next, are not a
	// setting: each change is applied by itself, and the function returns no state.
	// Default: 0, Lambda invokes the function as soon as there are records.
	MaxBatchingWindow awscdk.Duration

	// ParallelizationFactor is the number of batches of one shard that are processed at the
	// same time, a whole number from 1 to 10. The changes of one source item stay in order:
	// Lambda divides the records by their partition key.
	// Default: 1.
	ParallelizationFactor *float64

	// StartingPosition is where a new event source mapping begins to read the stream:
	// TRIM_HORIZON, its oldest record, or LATEST. With LATEST, the target tables miss the
	// changes that are written before the event source mapping is ready, which takes
	// minutes. Another value replaces the event source mapping, which then begins there.
	// Default: TRIM_HORIZON.
	StartingPosition awslambda.StartingPosition

	// MaxRecordAge is the age at which the event source mapping gives up on a record that
	// could not be applied: from 1 minute to 12 hours in whole seconds, known at synthesis.
	// The failure queue then gets the record's position in the stream. The record itself
	// stays there until it is 24 hours old, so at least 12 hours remain to fetch it. With
	// several targets, it has to be more than SetAsideAfter.
	// Default: 11 hours.
	MaxRecordAge awscdk.Duration

	// RetryAttempts is how often the event source mapping retries a batch before it gives up
	// on its records: a whole number from 0 to 10000, or -1 for as often as MaxRecordAge
	// allows. Giving up means the same as with MaxRecordAge. Every failure counts, also those
	// that the records have no part in, such as a throttled table or a missing permission:
	// with a small number, a short outage means records to fetch.
	// Default: -1.
	RetryAttempts *float64

	// FilterEncryption is a customer managed key with which Lambda encrypts the filter of the
	// event source mapping, which contains the names and values of Filter. The key's policy
	// allows Lambda kms:Decrypt; for an imported key, add that where the key is defined. It
	// has no effect while Lambda gets no filter.
	// Default: Lambda encrypts the filter with a key of its own.
	FilterEncryption awskms.IKey

	// Enabled says whether the event source mapping reads the stream. While it does not,
	// UnreadStreamAlarm goes off, and changes are lost once they are 24 hours old.
	// Default: true.
	Enabled *bool

	// Metrics says which metrics the function reports: BASIC, PER_TARGET or NONE. CloudWatch
	// bills each metric for the hours in which it gets values; README.md has the prices.
	// Default: BASIC.
	Metrics MetricsLevel

	// Alarms are the settings of the alarms.
	// Default: those about something to repair, without actions.
	Alarms *AlarmsProps
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

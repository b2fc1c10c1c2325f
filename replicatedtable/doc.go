// Package replicatedtable defines an AWS CDK construct that keeps a second
// DynamoDB table, or several, up to date with a first one, under other keys.
//
//	┌──────────────┐  stream  ┌──────────────────────┐  batch  ┌──────────┐  writes  ┌──────────────┐
//	│ source table ├─────────►│ event source mapping ├────────►│ function ├─────────►│ target table │
//	└──────────────┘          └──────────┬───────────┘         └────┬─────┘          └──────────────┘
//	               records it gives up on│                          │records it can never apply
//	                                     ▼                          ▼
//	                                  ┌────────────────────────────────┐  received too often  ┌───────────────────────────┐
//	                                  │         failure queue          ├─────────────────────►│ failure dead-letter queue │
//	                                  └────────────────────────────────┘                      └───────────────────────────┘
//
// An application writes to the source table and reads the target table. The target
// table answers with a Query where the source table would need a Scan.
//
// # Guarantees
//
//   - Once the stream is drained, the target table holds the mapping of every
//     source item that meets the filter and has a target key, and nothing else.
//     Exceptions are the changes in the failure queue, and the expired items that
//     the props keep.
//   - Attribute values of all ten types arrive exactly as they left.
//   - Synthesis refuses a mapping in which two source items could meet on one target
//     key, unless it has [Ordering_LastWriterWins].
//   - A target key attribute is derived from a source attribute, from one inside a
//     map, or from several joined into one string. Different texts never make the
//     same key. An item without the attribute has no target item. NULL and empty
//     values count as absent.
//   - With several targets, each of these holds for each of them as if it were alone.
//   - Changes of one source item are applied in order. Delivery is at least once,
//     and a redelivered change does no harm.
//   - An item that leaves the filter leaves the target table. Lambda evaluates the
//     filter only where its own patterns express it exactly, on the new and on the
//     old image. The function evaluates it in any case.
//   - A deletion by time to live deletes the target item too, unless the props say
//     ExpiredItems_KEEP.
//   - A record that can never be applied stops nothing: it goes to the failure
//     queue, and the records behind it are applied. The target item that showed the
//     source item before is deleted.
//   - A target table stops the stream when it refuses one put after the other
//     because of its own definition, such as a secondary index whose key has another
//     type. At most 25 records per process are given up before that is clear. Where
//     WriteBrake is false, all of them are. Where other targets do not fail, it stops
//     the stream only until it is set aside.
//   - The function's role allows the actions the function uses, on its own stream,
//     target tables, queue and log group, and on the tables' customer keys. Only tracing
//     and a VPC need actions on all resources.
//
// The target table is eventually consistent with the source table. It lags by the
// delay of the stream and of the batches that wait in it.
//
// # Several targets
//
// [TargetProps] says what a target table is. The first is a prop of the table, and
// AddTarget adds others. All of them have the one stream and the one function, which
// reads each change once.
//
// A failure of one target stops no write to another. But Lambda keeps one position per
// shard. So a target that fails as a whole, because a permission or its table is missing
// or because it refuses every item, holds up the others until it has failed for the time
// of SetAsideAfter. Then it is set aside: the others go on, and the keys of the items that
// it misses go to the failure queue. The function tries one request per batch, and goes on
// writing when that succeeds. When all targets fail, the stream waits. A target that is
// only throttled holds up the others as long as that lasts: give it capacity.
//
// Adding a target changes no other: it adds a table to the stack, and to the function
// what it has to know and may do. Removing one removes no more than its table from the
// stack, and RemovalPolicy says what becomes of that. A target that is added to a stack
// that is deployed already gets the items that are there by a backfill.
//
// The function gets the mapping of all targets from its environment, or, when it is too
// long for that, from the file of a Lambda layer that the construct defines. The target
// that makes it too long adds the layer to the stack; no logical ID changes.
//
// # Tables that exist
//
// Source.Table and Target.Table name tables that the construct does not define: those of
// another stack, or of no stack at all. Nothing about them changes but that the function
// reads the stream of one and writes to the other.
//
// The function begins with the oldest change in the stream, which keeps changes for 24
// hours. An item that was written before that, and that nobody changes, is missing from
// the targets until a backfill.
//
// # Backfill, verify, repair
//
// The function applies what changes from now on. Three operations work on all items, while
// the application writes and the stream flows:
//
//   - backfill puts the target items that are missing.
//   - verify compares the source table and the target tables in both directions. It reads a
//     difference again until a grace time is over, because most are items that are on their
//     way.
//   - repair verifies, and mends each difference.
//
// They never write to the source table, and never put or delete a target item on the strength
// of an earlier read alone.
//
// The command runtime/cmd/replicatedtable runs them from a terminal. GrantVerify and
// GrantReconcile allow a role what it needs. AddReconciler adds a state machine that runs them
// beyond one machine: it divides a table into segments, and a function works on many at once.
// Neither deployment nor synthesis starts an execution; only the prop VerifySchedule does. See
// [Reconciler] for its input and its output.
//
// The reconciler's function is a second program, which synthesis builds only for an app that
// has a reconciler.
//
// # The failure queue
//
// It gets three kinds of messages. The body of the first two is a
// [github.com/replicatedtable/cdk-go/runtime/failurequeue.Message], which names its
// kind:
//
//   - The function sends one message for each record that can never be applied, such
//     as one whose target key attribute has the wrong type: the reason, the source
//     key, and both images unless they are too large.
//   - While a target is set aside, the function sends the keys of the items that it
//     misses, many per message: the source key, and every target key that the item had.
//   - The event source mapping sends a message for records that it gave up on,
//     because they could not be applied for 11 hours, or for as long or as often as
//     MaxRecordAge and RetryAttempts say. Lambda defines the body, which contains their
//     position in the stream and not the records. They stay in the stream until they
//     are 24 hours old, so 13 hours remain to fetch them, and never less than 12.
//
// The last kind is for failures that do not lie in a record. While the function lacks
// a permission, a table or encryption key is missing, or the target table is known to
// refuse every item, the function sends nothing to the queue, unless the target is set
// aside. The stream waits, and the function's log says for what.
//
// Nothing applies a message by itself. "replicatedtable redrive" works through the queue: it
// makes the targets right for the source item as it is then, and deletes the message. The
// images in a message may be older than that, so never write an image.
//
// # Metrics
//
// The function reports what becomes of each change, in lines of its log that CloudWatch turns
// into metrics. [MetricsLevel] says which. The metrics of an invocation have the dimension
// FunctionName, those of a target also TargetTable. CloudWatch bills each one.
//
// # Alarms
//
// Each alarm sees one thing and is blind to another. None has an action until
// [AlarmsProps] or AddAlarmAction adds one. [AlarmsProps] can also change the thresholds
// below, leave the alarms out, or add others. The description of each says what to do first.
//
//   - IteratorAgeAlarm sees that the last record of a batch was more than 10
//     minutes old. Lambda counts that age only when a batch ends: a stream that
//     nobody reads has none.
//   - UnreadStreamAlarm sees that Lambda has not polled the stream for 15 minutes:
//     the event source mapping is disabled, the role cannot read the stream, the
//     source table's key is disabled, the function is throttled, or every shard
//     waits for a batch that is retried. It does not see one shard that waits while
//     others are read, which IteratorAgeAlarm does. It may go off after the first
//     deployment, until the first polls are counted.
//   - FailureAlarm of each [Target] sees that the function could not write to it as a whole,
//     and stays on while the target is set aside and the source table changes. It does not see a
//     target that is slow. It watches a metric of the function, and does not exist with MetricsLevel_NONE.
//   - FailureQueueAlarm sees that a message waits in the failure queue. It sees
//     neither that more of them follow, nor a message that a consumer has just
//     received.
//   - FailureRateAlarm sees that more than 10 messages arrive there within 5 minutes,
//     whether or not others wait already. It does not see fewer, and it ends with the
//     flood, even if the cause remains.
//   - GivenUpRecordsAlarm sees that the event source mapping has given up on records and
//     sent their positions to the failure queue, whether or not others wait already.
//   - DroppedRecordsAlarm sees that it could not send them. Neither sees records that the
//     stream itself drops after 24 hours; by then UnreadStreamAlarm or IteratorAgeAlarm has
//     been on for long.
//   - FailureDeadLetterQueueAlarm sees that a message waits in the failure queue's
//     dead-letter queue. It does not see that more of them follow.
//   - FailedExecutionsAlarm, of a [Reconciler], sees that an execution failed: one that
//     verifies fails when it finds differences. It does not see an execution that is
//     stopped, or that waits between retries.
//
// FailureRateAlarm, GivenUpRecordsAlarm and the other urgent ones are also in CompositeAlarm,
// where AlarmsProps asks for it.
//
// None of them watches Lambda's metric Errors, which does not count the changes that
// a function reports as failed. It does count a function that cannot start, or that
// its timeout ends. These alarms see such a function only as a stream that waits, and
// FunctionErrorsAlarm, one of those that AlarmsProps.All adds, sees it at once.
//
// # Settings
//
// [ReplicatedTableProps] has the settings of the function and of the event source mapping
// in the CDK's words. SourceProps and TargetProps have those of the tables. What a change
// would break is not a setting: the function's code and runtime, reports of batch item
// failures, the halving of batches, the failure queue as the destination, and tumbling
// windows. Role and LogGroup take those of the caller in place of the construct's own.
//
// Accessors return the parts. What is not a prop can be set there, on the resource of the
// part.
//
// # Customer keys
//
// DynamoDB uses the customer key of a table on behalf of the principal that accesses the
// table. So the function's role and each grant include the key's actions: kms:Decrypt for
// the source's stream and for reads, and kms:Encrypt, kms:GenerateDataKey* and
// kms:ReEncrypt* too for writes. For an imported table, name the key: EncryptionKey in its
// attributes.
//
// They are statements in the policies of the role and of the grantees, and count only if
// the key's policy lets the account's policies decide, as that of a new awskms.Key and the
// default one of AWS do. A key with a policy without that statement has to allow the role,
// Role().RoleArn(), and every grantee these actions itself.
//
// The CDK renders a TableV2 with a customer key only in a stack whose Region is known.
//
// # What it is not
//
// It is not a global table: source and targets are tables of one account and Region,
// with different keys. And where a global secondary index is enough, use the index: it
// needs no function, and DynamoDB maintains it. A target table offers what an index
// does not: consistent reads, no back-pressure on the writes of the base table, its
// own stream, time to live, backups and access policies, a key attribute that is
// nested, joined into one string or renamed, and more indexes than a table's quota
// allows.
//
// # Building the function
//
// Synthesis builds the function from Go source, with the dependency versions of the
// app's own go.mod. The go command must be on PATH, and the app must run inside its
// module. The binary is the same wherever the app runs: nothing of the folders, of the
// version control and of the variables GOFLAGS, GOARM64, GOAMD64, GOEXPERIMENT and
// GOFIPS140 reaches it; only an experiment set with go env -w does. Where the CDK needs no assets, as for cdk list, nothing is built.
package replicatedtable

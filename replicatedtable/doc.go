// Package replicatedtable defines an AWS CDK construct that keeps a second
// DynamoDB table up to date with a first one, under another key.
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
// An application writes to the source table and reads the target table. The
// target table answers, with a Query, what the source table could only answer
// with a Scan.
//
// # Guarantees
//
//   - Once the stream is drained, the target table holds the mapping of every
//     source item that meets the filter and has a target key, and nothing else,
//     but for what is in the failure queue and for expired items that the props
//     keep.
//   - Attribute values of all ten types arrive exactly as they left.
//   - A mapping in which two source items could meet on one target key is
//     refused at synthesis, unless [ReplicatedTableProps] says what to do.
//   - A target key attribute is a source attribute, one inside a map, or several
//     joined into one string, in which different texts never make the same key. An
//     item without it has no target item; NULL and empty values count as absent.
//   - Changes of one source item are applied in order. Delivery is at least
//     once; a redelivered change does no harm.
//   - An item that leaves the filter leaves the target table. Lambda gets the
//     filter only as far as its own patterns say exactly the same, on the new and
//     on the old image. The function evaluates the filter in any case.
//   - A deletion by time to live deletes the target item too, unless
//     ExpiredItems_KEEP says that it stays.
//   - A record that can never be applied stops nothing: it goes to the failure
//     queue, and the records behind it are applied. The target item that showed
//     the source item before is deleted.
//   - A target table that refuses puts one after the other because of its own
//     definition, such as a secondary index whose key has another type, stops the
//     stream, unless WriteBrake is false: at most 25 records per process are given
//     up before that is clear.
//   - The function's role allows the actions the function uses, on its own
//     stream, target table, queue and log group.
//
// The target table is eventually consistent with the source table: it follows
// with the delay of the stream and of the batches that wait in it.
//
// # The failure queue
//
// Two kinds of messages arrive in it:
//
//   - From the function, one message for each record that can never be applied,
//     such as one whose target key attribute has the wrong type. The body is a
//     [github.com/replicatedtable/cdk-go/runtime/replicator.FailureMessage]: the
//     reason, the source key, and both images unless they are too large.
//   - From the event source mapping, a message for records that it gave up on,
//     because for 11 hours they could not be applied. Lambda defines the body,
//     which has only their position in the stream, not the records. They stay in
//     the stream until they are 24 hours old, which leaves 13 hours to fetch them.
//
// The second kind is for what is wrong with the whole, not with a record: while
// the function lacks a permission, a table or encryption key is gone, or the target
// table is known to refuse every item, it sends nothing to the queue. The stream
// waits, and the function's log says for what.
//
// Nothing applies a message later. An image in it may be older than what is in
// the source table by then: read the source item again instead of writing it.
//
// # Alarms
//
// Each sees one thing, and is blind to another. They have no actions:
// AddAlarmAction gives one to each.
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
//   - FailureQueueAlarm sees that a message waits in the failure queue. It does not
//     see that more of them follow, nor one that a consumer has just received.
//   - FailureRateAlarm sees more than 10 messages arriving there within 5 minutes,
//     whatever waits already. It does not see fewer, and it ends with the flood, not
//     with its repair.
//   - FailureDeadLetterQueueAlarm sees that a message waits in the failure queue's
//     dead-letter queue, and not that more of them follow.
//
// None looks at Lambda's metric Errors: a function that reports what it could not
// apply counts no error there. It does count a function that cannot start or that
// is ended by its timeout, which the alarms only see as a stream that waits.
//
// # What it is not
//
// It is not a global table: source and target are two tables of one stack, with
// two different keys. And when a global secondary index is enough, use the
// index: it needs no function, and DynamoDB maintains it. A target table is for
// what an index does not offer: consistent reads, no back-pressure on the
// writes of the base table, its own stream, time to live, backups and access
// policies, a key attribute that is nested, joined into one string or renamed, or
// more indexes than a table's quota allows.
//
// # Building the function
//
// The function is built from Go source during synthesis, with the dependency
// versions of the app's own go.mod. That needs the go command on PATH, and the
// app has to run inside its module.
package replicatedtable

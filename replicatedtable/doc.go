// Package replicatedtable defines an AWS CDK construct that keeps a second
// DynamoDB table up to date with a first one, under another key.
//
//	┌──────────────┐  stream  ┌──────────────────────┐  batch  ┌──────────┐  writes  ┌──────────────┐
//	│ source table ├─────────►│ event source mapping ├────────►│ function ├─────────►│ target table │
//	└──────────────┘          └──────────┬───────────┘         └──────────┘          └──────────────┘
//	                                     │ records it gives up on
//	                                     ▼
//	                              ┌───────────────┐  received too often  ┌───────────────────────────┐
//	                              │ failure queue ├─────────────────────►│ failure dead-letter queue │
//	                              └───────────────┘                      └───────────────────────────┘
//
// An application writes to the source table and reads the target table. The
// target table answers, with a Query, what the source table could only answer
// with a Scan.
//
// # Guarantees
//
//   - Once the stream is drained, the target table holds the mapping of every
//     source item that has a target key, and nothing else.
//   - Attribute values of all ten types arrive exactly as they left.
//   - A mapping in which two source items could meet on one target key is
//     refused at synthesis, unless [ReplicatedTableProps] says what to do.
//   - Changes of one source item are applied in order. Delivery is at least
//     once; a redelivered change does no harm.
//   - The function's role allows the actions the function uses, on its own
//     stream, target table, queue and log group.
//
// The target table is eventually consistent with the source table: it follows
// with the delay of the stream and of the batches that wait in it.
//
// # What it is not
//
// It is not a global table: source and target are two tables of one stack, with
// two different keys. And when a global secondary index is enough, use the
// index: it needs no function, and DynamoDB maintains it. A target table is for
// what an index does not offer: consistent reads, no back-pressure on the
// writes of the base table, its own stream, time to live, backups and access
// policies, or more than an index per table quota allows.
//
// # Building the function
//
// The function is built from Go source during synthesis, with the dependency
// versions of the app's own go.mod. That needs the go command on PATH, and the
// app has to run inside its module.
package replicatedtable

// Package replicator is the function behind a ReplicatedTable: it applies a
// batch of a source table's stream records to the target tables.
//
// # The flow
//
//	payload ─decode─► changes ─project─► effects ─plan─► writes ─write─► failures ─report─► response
//
// Each stage is one verb in one file, and [Replicator.Invoke] is the story that
// calls them. decode, project, plan and report are pure: they take values and
// return values. write is the only one that talks to DynamoDB.
//
// # What is decoded, and what is only carried
//
// An attribute value in a stream image and in a DynamoDB request is the same
// JSON. So the function decodes the attributes that a key is made of or a filter
// asks about, and carries all others as the bytes they arrived in: no number is
// ever parsed into a float, and a type that does not exist today passes too. Only
// a composite key attribute is written anew.
//
// # Invariants
//
//   - A chain is all changes of one source item in one invocation. It is written
//     once, with its last state.
//   - A moved item is put under its new key first; its old keys are deleted only
//     after that put succeeded. Briefly twice, never missing.
//   - The deletes of a chain are all old and intermediate target keys, not only
//     the first one: an earlier attempt may have stopped at any of them.
//   - A chain is skipped only when every change in it leaves the target item as
//     it was.
//   - An image that makes no target item, or one that the table refuses, leaves
//     none behind: what the item was before is deleted, once it is clear that the
//     table is not wrong.
//   - Every write names its chain, and every chain its first record. Nothing
//     that was not written can go unreported.
//
// # Failures
//
// A failure has one of three classes, and each class one outcome:
//
//   - permanent: one record can never be applied. It goes to the failure queue
//     as a [FailureMessage] and then counts as done; the shard never waits for
//     it. If the queue does not take it, the failure is transient.
//   - transient: throttling, errors of the service or the network, unprocessed
//     items. Retried with full jitter until shortly before the function's
//     deadline; what is left is reported, from the first record of each chain.
//   - systemic: no permission, no table, another key schema. Nothing is given
//     up: the batch comes again from its first record until somebody has
//     repaired it, and one log line says what to do.
//
// A table that refuses an item says why in a text. A limit that the item breaks is
// permanent. The key of a secondary index, or a text that is not known, may be the
// table's fault: the item is given up as well, but a brake counts these refusals, and
// when there are too many in a row the failure is systemic. brake.go says how many.
//
// # What a retry does
//
// Delivery is at least once. Lambda resumes at the lowest reported sequence
// number and delivers everything from there again. Applying a change twice, or
// applying it after later ones and then applying those again, ends in the same
// target. Where keys can collide, it ends in one in which every item is owned by
// a source item that maps there, and the newest write of an item that is still
// there is never lost. The model test checks both on random histories with faults
// and crashes.
//
// # The hot path
//
// One pass over the payload, eight bytes of a string at a time, finds the attributes
// of every image. What it keeps are positions: nothing is copied, and there is
// nothing for the garbage collector to follow. A change is projected by comparing
// these pieces and decoding what makes a key. Chains are found through one hash per
// record. Request bodies are pieces copied into memory that earlier requests have
// left, and one middleware puts them in the place of what the SDK would serialize;
// endpoint, signature, retries and the reading of the answer are the SDK's own. A
// body is written to its connection together with the head, and its memory is used
// again once the connection has read it. All other memory is kept for the next
// batch: a warm function allocates per request, not per record. As many requests
// are under way as the function's memory, and with it its CPU, is good for.
//
// "make bench" measures all of it against the article's function and against what
// the typed SDK can do. What is left is mostly what a request takes. A profile of
// batches of 1,000 items of 1 KB shows 30 % of the CPU in the SDK, 18 in net/http, 12
// in the kernel's reading and writing, 11 in hashing the bodies, 12 in decode, 6 in
// encode, and less than 4 in anything else. It does not see the Go runtime's monitor
// thread, which wakes with every answer and takes another 13 % of the process.
//
// A start opens the first connection, because Lambda gives it a whole processor.
// "make bench-cold" measures it with the batch that follows.
package replicator

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
// # The files, in reading order
//
//	start.go, connect.go                            the function's main
//	handler.go, deadline.go, pool.go                one invocation: its story, its time, its memory
//	decode.go, check_record.go, change.go           payload → changes
//	project.go                                      changes → effects
//	plan.go, chain.go                               effects → writes
//	write.go, send.go, outcome.go                   writes → failures
//	encode.go, item_version.go                      writes → request bodies
//	group.go, statement.go, shape.go                guarded writes → statements
//	execute.go, read.go                             statements → answers, and what they leave open
//	client.go, …                                    request bodies → DynamoDB
//	failure.go, classify.go, brake.go               errors → classes of failure
//	health.go                                       failures of a whole table → set aside or not yet
//	failure_queue.go, sqs_queue.go, report.go, …    failures → messages, response, log lines
//
// These packages hold the rest:
//
//   - internal/spec: the configuration that the construct writes.
//   - internal/awsconfig: how a function reaches AWS.
//   - internal/mapping: one source item → its target item. It is pure.
//   - internal/dynamodbjson: reads DynamoDB's JSON byte by byte.
//   - internal/dynamodberror: what errors of DynamoDB mean.
//   - internal/statement: the texts of PartiQL statements, by attribute names.
//   - internal/rawdynamodb: makes the AWS SDK send ready request bodies.
//   - runtime/failurequeue: the message that a reader of the failure queue decodes.
//
// # What is decoded, and what is only carried
//
// An attribute value has the same JSON in a stream image and in a request to
// DynamoDB. So the function decodes only the attributes that a key is derived from
// or a filter names. It carries all others as the bytes that arrived: it never
// parses a number into a float, and it also carries types that do not exist today.
// The only values it encodes itself are composite key attributes and versions.
//
// # Invariants
//
//   - A chain is all changes of one source item in one invocation. It is written
//     once, with its last state.
//   - A moved item is put under its new key first. Its old keys are deleted only
//     after that put has succeeded: the item is briefly there twice, never missing.
//   - A chain deletes all old and intermediate target keys, not only the first: an
//     earlier attempt may have stopped at any of them.
//   - A chain is skipped only when no change of it affects the target item.
//   - When an image cannot be mapped, or the table refuses it, the target shows no
//     item instead of an older state. The older item is deleted as soon as it is
//     clear that the table is not wrong.
//   - Every write names its chain, and every chain its first record: a write that
//     was not carried out cannot go unreported.
//
// # Guarded writes
//
// Where writes are guarded by a version, each has a condition, which BatchWriteItem does
// not take. They are statements in PartiQL, 25 a request: INSERT for an item that is not
// there, UPDATE for one that is, DELETE. A statement carries the common case only. When it
// is refused, one read of up to 100 items shows which of them are as new already, and the
// rest is put by conditional requests, which alone decide about other owners and about
// unexpected items. statement.go and mapping.Version say why an UPDATE leaves what a put
// would.
//
// A call that is refused as a whole is repeated as single requests, in the same round. So
// the form of a statement never stops a stream, and neither does a role without the right
// to statements: after three such calls in a row the process sends no more of them, and
// says so in one log line.
//
// # Failures
//
// A failure has one of four classes, and each class one outcome:
//
//   - permanent: one record can never be applied. It goes to the failure queue as
//     a [failurequeue.Message] and then counts as done, so that the shard never
//     waits for it. If the queue does not accept it, the failure is transient.
//   - transient: throttling, errors of the service or the network, unprocessed
//     items. They are retried with full jitter until shortly before the function's
//     deadline; the rest is reported, from the first record of each chain.
//   - systemic: no permission, no table, another key schema. When all targets fail,
//     the batch is redelivered from its first record until the cause is repaired. When
//     some do, the others are written, and the batch is redelivered from the first
//     record of a failing one, until that has failed for the grace time. One log line
//     per failing target says how to repair it.
//   - set aside: a target that has failed for the grace time while others have not.
//     The keys of the items that it misses go to the failure queue, and then count as
//     done. If the queue does not accept them, the failure is transient.
//
// A table that refuses an item says why in a text. A limit that the item itself
// breaks is permanent. A text about the key of a secondary index, or an unknown one,
// may point at the table: the record goes to the failure queue as well, but a brake
// counts these refusals, and too many of them are a systemic failure. brake.go says
// how many.
//
// # Redelivery
//
// Delivery is at least once. Lambda resumes at the lowest reported sequence number
// and redelivers every record from there. Applying a change twice, or again after
// later ones that are then applied again too, ends in the same target. Where keys
// can collide, the target may differ, but every item in it is owned by a source item
// that maps there, and the newest write of an item that is still there is never
// lost. The model test checks both on random histories with faults and crashes.
//
// # Metrics and log
//
// Each stage counts what it decides or does, in memory of the workspace: counting allocates
// nothing. At its end the invocation writes one line with its figures, and one for each target
// that has something to report; metrics.go says in which form. These lines go around the log.
//
// A line of the log says nothing that a service has said: that may be a part of an item.
// loggable.go puts its texts together from what is known.
//
// # The hot path
//
// One pass over the payload, eight bytes of a string at a time, finds the attributes
// of every image. It keeps them as positions in the payload: there are tens of
// thousands, nothing is copied, and the garbage collector has nothing to follow.
// Changes, target items and chains are few, and hold byte slices. A change is
// projected by comparing the pieces and decoding only those that a key is derived
// from. One hash per record and target finds its chain.
//
// A request body is pieces of the payload, copied into the memory of an earlier
// body. One middleware puts it in the place of the body that the SDK would serialize;
// the endpoint, the signature, the retries and the reading of the answer are the
// SDK's own. A body is written to its connection together with the head, and its
// memory is used again once no connection reads it. All other memory is kept for the
// next batch: a warm function allocates per request, not per record. The number of
// requests in flight grows with the function's memory, and so with its CPU.
//
// "make bench" measures all of it against the article's function and against the
// best that the typed SDK can do. Most of the remaining time is the price of the
// requests. A profile of batches of 1,000 items of 1 KB shows 30 % of the CPU in the
// SDK, 18 in net/http, 12 in the kernel's reading and writing, 11 in hashing the
// bodies, 12 in decode, 6 in encode, and less than 4 in anything else. It does not
// see the Go runtime's monitor thread, which wakes with every answer and uses another
// 13 % of the process.
//
// A start opens the first connection, because Lambda gives a starting function a
// whole processor. "make bench-cold" measures the start with the batch that follows.
package replicator

// Package eventsource invokes a handler as Lambda's event source mapping for
// DynamoDB Streams does. With it a test puts a handler through everything that may
// legally happen in production, in fake time and from a seed.
//
// [Stream] reads the records of a real stream, byte for byte. [Mapping] delivers
// these records, or those that a test writes itself, to a [Handler] until each of
// them is done or discarded. [Poller] goes on for days: it polls, and people disable
// it, change its settings, and take its rights away.
//
// # Rules
//
// The brackets name the page of AWS's documentation.
//
//   - A batch holds records of one shard, in order: at most [Mapping.BatchSize]
//     records and at most 6 MB of payload ([Batches]).
//   - A shard is blocked until its batch is done or discarded ([Errors]). A child
//     shard begins when its parent is finished ([Streams]).
//   - Without [Mapping.PartialResponses] the answer's content has no meaning. With
//     it, an empty answer, null, an empty object and an empty or null list mean that
//     the whole batch is done. A list of sequence numbers moves the checkpoint to the
//     lowest of them: everything from there is redelivered, records that had
//     succeeded included. An empty, null, misspelt or missing identifier means that
//     the whole batch failed ([Answers]).
//   - An error, or no answer before the deadline, means that the whole batch
//     failed ([Errors]).
//   - With [Mapping.Bisect] a failed batch is split in half, the halves are
//     delivered one after the other, and a half that fails is split again. A
//     partial answer splits at the returned number instead ([Answers]). A split
//     uses no retry ([Errors]).
//   - After [Mapping.MaxRetryAttempts] retries the batch is discarded: it goes to
//     the on-failure destination, with its payload when that is an S3 bucket, and
//     the shard goes on ([Errors]).
//   - Records that are older than [Mapping.MaxRecordAge] are discarded in the same way
//     ([Parameters]). Those that the stream no longer has, after 24 hours, are lost
//     without a trace ([Streams]).
//   - With a [Mapping.ParallelizationFactor] several batches of a shard are in
//     flight at once. The order of each item's records is kept ([Batches]).
//   - Every record is delivered at least once, so a batch that was done may be
//     redelivered ([Mappings]).
//
// # Metrics
//
// A [Meter] emits what CloudWatch would have of a run. This is what the pages say; it was
// not seen on AWS.
//
//   - Invocations and Errors count invocations and those that ended with an error. A
//     partial answer is not an error. A throttled request counts as Throttles only
//     ([Metrics]).
//   - IteratorAge is the age of the batch's last record when the batch was sent
//     ([Metrics]), and appears when the function has ended with a batch ([Age]), also with
//     one that failed. So there is none while the stream is idle, or nobody reads it.
//   - PolledEventCount is the number of records that a poll has read, 0 for an empty one
//     ([Metrics]). A mapping that is disabled or may not read has no value at all. Neither
//     has a shard while its batch is retried, because it is not polled then ([Errors]).
//   - FilteredOutEventCount is 0 for records that no filter drops ([Metrics]).
//   - InvokedEventCount counts records at each attempt, FailedInvokeEventCount those of
//     them that have to be redelivered, also after a partial answer ([Metrics]).
//   - OnFailureDestinationDeliveredEventCount counts discarded records of which the
//     destination has got a message. DroppedEventCount counts the others, whether there is
//     no destination or it does not take the message. Neither counts what the stream itself
//     has dropped ([Metrics]).
//   - DestinationDeliveryFailures counts the messages that the destination did not take
//     ([Metrics]).
//
// # Where AWS is silent
//
// Where the pages leave a choice, this package makes the one that is harder on the
// handler.
//
//   - A retry delivers the rest of the failed batch: newer records wait until it is
//     done or discarded, even when there is room.
//
//   - Progress does not give retries back. A batch whose checkpoint moves with
//     every attempt has used a retry with every attempt (unless Bisect splits it),
//     and the parts of a split keep the retries already used.
//
//   - A partial answer that names the batch's first record leaves nothing to
//     split: the whole batch is retried and a retry is used.
//
//   - An identifier that is not in the batch, among others that are, fails the
//     whole batch, as does an answer that is neither an object nor empty.
//
//   - The first half of an odd batch is the smaller one.
//
//   - Duplicates look as they do after a lost checkpoint: the mapping goes back and
//     delivers everything from there on, in order, in other batches.
//
//   - Of a batch only the records that are too old are discarded, with one message, when
//     it is to be delivered again.
//
//   - A message that the destination does not take is not sent again.
//
//   - Time between two polls or attempts is the test's choice.
//
// Not modelled: batching and tumbling windows, and filters.
//
// [Batches]: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
// [Errors]: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
// [Answers]: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
// [Parameters]: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
// [Metrics]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// [Age]: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
// [Mappings]: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
// [Streams]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package eventsource

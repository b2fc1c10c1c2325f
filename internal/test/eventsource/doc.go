// Package eventsource invokes a handler the way Lambda's event source mapping
// for DynamoDB Streams does. It is for tests: with it a test can put a handler
// through everything that may legally happen to it in production, in fake time
// and from a seed.
//
// [Stream] reads the records of a real stream, byte for byte; [Mapping] delivers
// these records, or made-up ones, to a [Handler] until each of them is done or
// discarded.
//
// # Rules
//
// In brackets is the page of AWS's documentation that says so.
//
//   - A batch holds records of one shard, in order: at most [Mapping.BatchSize]
//     records and at most 6 MB of payload ([Batches]).
//   - A shard is blocked until its batch is done or discarded ([Errors]). A child
//     shard begins when its parent is finished ([Streams]).
//   - Without [Mapping.PartialResponses] the answer's content means nothing. With
//     it, nothing at all, null, an empty object and an empty or null list mean
//     that the whole batch is done. A list of sequence numbers moves the
//     checkpoint to the lowest of them: everything from there comes again, also
//     what had succeeded. An empty, null, misspelt or missing identifier means
//     that the whole batch failed ([Answers]).
//   - An error, or no answer before the deadline, means that the whole batch
//     failed ([Errors]).
//   - With [Mapping.Bisect] a failed batch is split in half, the halves are
//     delivered one after the other, and a half that fails is split again. A
//     partial answer splits at the returned number instead ([Answers]). A split
//     takes no retry ([Errors]).
//   - After [Mapping.MaxRetryAttempts] retries the batch is discarded, and before
//     an invocation so are its records older than [Mapping.MaxRecordAge]. Either
//     goes to the on-failure destination, with its payload when that is an S3
//     bucket, and the shard goes on ([Errors]).
//   - With a [Mapping.ParallelizationFactor] several batches of a shard are under
//     way at once. The order of each item's records is kept ([Batches]).
//   - Every record is delivered at least once, so a batch that was done may come
//     again ([Mappings]).
//
// # Where AWS is silent
//
// Where the pages leave a choice, this package takes the one that is harder on
// the handler.
//
//   - A batch that is delivered again is what is left of the failed one: newer
//     records wait until it is done or discarded, even when there is room.
//   - Progress does not give retries back. A batch whose checkpoint moves with
//     every attempt has used a retry with every attempt (unless Bisect makes a
//     split of it), and the parts of a split keep the retries already used.
//   - A partial answer that names the batch's first record leaves nothing to
//     split: the whole batch is retried and a retry is used.
//   - An identifier that is not in the batch, among others that are, fails the
//     whole batch, as does an answer that is neither an object nor empty.
//   - The first half of an odd batch is the smaller one.
//   - Duplicates come as they would after a lost checkpoint: the mapping goes
//     back and delivers everything from there on, in order, in other batches.
//
// Not modelled: the stream's retention (a record that is never done is retried
// until the context ends), throttled invocations, batching and tumbling windows,
// and filters.
//
// [Batches]: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
// [Errors]: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
// [Answers]: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
// [Mappings]: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
// [Streams]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package eventsource

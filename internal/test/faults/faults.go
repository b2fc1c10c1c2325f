// Package faults makes a table or a queue fail on purpose, for tests.
//
// An [Injector] sits between the AWS SDK's client and the engine behind it, with the
// one method that both sides know: Do. So the SDK's retries and error handling meet
// every fault as they would meet DynamoDB's or SQS's.
//
//	injector := faults.New(memorydb.New(), seed,
//		faults.Rule{Kind: faults.Throttled, Probability: 0.2},
//		faults.Rule{Kind: faults.Poison, Probability: 1, Select: isPoison})
//	client := dynamodb.New(dynamodb.Options{HTTPClient: injector, …})
//
// The seed, the rules, the request's content and how often this content was sent
// before decide which request is hit; nothing else does. So the caller may send from
// any number of goroutines and meets the same faults in every run. Time is only that
// of package time: an Injector works inside a [testing/synctest] bubble.
package faults

import (
	"net/http"
	"time"
)

// Client sends requests: an engine, an HTTP client, or an Injector.
type Client interface {
	Do(*http.Request) (*http.Response, error)
}

// Kind is what goes wrong.
type Kind string

// The kinds of faults. The error codes are those of DynamoDB's developer guide,
// "Error handling"; SQS answers with the same ones, except where noted.
const (
	// Throttled is a 400 with one of ProvisionedThroughputExceededException,
	// ThrottlingException and RequestLimitExceeded. Some transactions are canceled with the
	// reason ThrottlingError or ProvisionedThroughputExceeded of an action instead.
	Throttled Kind = "throttled"
	// InternalServerError is a 500 of that name.
	InternalServerError Kind = "internal server error"
	// ServiceUnavailable is a 503 of that name.
	ServiceUnavailable Kind = "service unavailable"
	// ResetBefore breaks the connection before the request is executed.
	ResetBefore Kind = "reset before"
	// ResetAfter breaks the connection after the request was executed: the
	// answer is lost.
	ResetAfter Kind = "reset after"
	// Slow answers after the rule's Delay. One half of the requests is executed
	// before the delay, the other half after it. When the request's context ends
	// during the delay, the first half was executed and the second is not; the
	// caller cannot tell which.
	Slow Kind = "slow"
	// Unprocessed executes a BatchWriteItem without some of its writes, and
	// answers these as unprocessed. It hits each write on its own. Statements of a
	// BatchExecuteStatement get a transient error of their own. Without a Select it does to
	// the keys of a BatchGetItem what it does to writes.
	Unprocessed Kind = "unprocessed"
	// AccessDenied is a 400 AccessDeniedException. With a Select and an even seed it is
	// the error of single statements, and so is NotFound; Throttled and
	// InternalServerError always are with a Select.
	AccessDenied Kind = "access denied"
	// NotFound is a 400 ResourceNotFoundException, from SQS QueueDoesNotExist.
	NotFound Kind = "not found"
	// Conflict is a 400 TransactionConflictException of a PutItem or DeleteItem, and cancels a
	// transaction with the reason TransactionConflict of an action. No other operation meets it.
	Conflict Kind = "conflict"
	// Poison is a 400 ValidationException for a write, alone or in a batch: one
	// bad write refuses the call. It hits each write on its own, and the same ones
	// every time, and a statement alone. Its text is the rule's Message. With an even seed it
	// is the reason ValidationError of a transaction's action.
	Poison Kind = "poison"
)

// Texts for Poison, with which DynamoDB and DynamoDB Local refuse a write.
const (
	// TooLarge is about the item.
	TooLarge = "Item size has exceeded the maximum allowed size"
	// WrongIndexKey is about the definition of the table.
	WrongIndexKey = "One or more parameter values were invalid: " +
		"Type mismatch for Index Key group Expected: S Actual: N IndexName: byGroup"
)

// Rule says which requests a fault hits.
type Rule struct {
	Kind Kind
	// Probability is the share of the requests that are hit, from 0 to 1; of the
	// writes for Unprocessed and Poison.
	Probability float64
	// Operation limits the rule to one operation, such as PutItem. "": all.
	Operation string
	// Select limits the rule to some writes, and to the requests that contain at
	// least one of them. Nil means all requests, with or without a write. It must
	// not depend on anything but the write.
	Select func(Write) bool
	// Delay is how long Slow waits.
	Delay time.Duration
	// Message is the text of Poison. "": TooLarge.
	Message string
}

// Write is a write of a PutItem, DeleteItem, BatchWriteItem, BatchExecuteStatement or
// TransactWriteItems request, or a check of the last one.
type Write struct {
	Table string
	Put   bool // or delete, or check
	// Attributes is the JSON of a put's item or of a delete's or check's key; of a statement also its
	// owner's.
	Attributes []byte
}

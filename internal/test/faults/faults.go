// Package faults makes a table or a queue fail on purpose, for tests.
//
// An [Injector] stands between the AWS SDK's client and the engine behind it,
// with the one method that both sides know: Do. The SDK's retries and error
// handling therefore meet every fault as they would meet DynamoDB's or SQS's.
//
//	injector := faults.New(memorydb.New(), seed,
//		faults.Rule{Kind: faults.Throttled, Probability: 0.2},
//		faults.Rule{Kind: faults.Poison, Probability: 1, Select: isPoison})
//	client := dynamodb.New(dynamodb.Options{HTTPClient: injector, …})
//
// Which request is hit follows from the seed, the rules, the request's content
// and how often this content was sent before; nothing else. The caller may
// therefore send from any number of goroutines and meet the same faults in every
// run. Time is only that of package time: an Injector can be used inside a
// [testing/synctest] bubble.
package faults

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
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
	// ThrottlingException and RequestLimitExceeded.
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
	// answers these as unprocessed. It hits each write on its own.
	Unprocessed Kind = "unprocessed"
	// AccessDenied is a 400 AccessDeniedException.
	AccessDenied Kind = "access denied"
	// NotFound is a 400 ResourceNotFoundException, from SQS QueueDoesNotExist.
	NotFound Kind = "not found"
	// Poison is a 400 ValidationException for a write, alone or in a batch: one
	// bad write refuses the call. It hits each write on its own, and the same ones
	// every time. Its text is the rule's Message.
	Poison Kind = "poison"
)

// Texts of DynamoDB for Poison, as DynamoDB and DynamoDB Local have them.
const (
	// TooLarge lies in the item.
	TooLarge = "Item size has exceeded the maximum allowed size"
	// WrongIndexKey lies in the definition of the table.
	WrongIndexKey = "One or more parameter values were invalid: Type mismatch for Index Key group Expected: S Actual: N IndexName: byGroup"
)

// Rule says which requests a fault hits.
type Rule struct {
	Kind Kind
	// Probability is the share of the requests that are hit, from 0 to 1; of the
	// writes for Unprocessed and Poison.
	Probability float64
	// Select limits the rule to some writes, and to the requests that contain at
	// least one of them. Nil means all requests, with or without a write. It must
	// not depend on anything but the write.
	Select func(Write) bool
	// Delay is how long Slow waits.
	Delay time.Duration
	// Message is the text of Poison. The empty one is TooLarge.
	Message string
}

// Write is a write of a PutItem, DeleteItem or BatchWriteItem request.
type Write struct {
	Put bool // or delete
	// Attributes is the JSON of a put's item or of a delete's key.
	Attributes []byte
}

// ErrCrashed is the error of every request after a crash. The SDK does not retry
// it, as a process that was killed does not retry either.
var ErrCrashed error = crashed{}

type crashed struct{}

func (crashed) Error() string { return "faults: the function was killed" }

// CanceledError is what the SDK's retries look at.
func (crashed) CanceledError() bool { return true }

// Injector passes requests on to a client, except those that a rule hits. It is
// safe for concurrent use.
type Injector struct {
	inner Client
	seed  uint64

	mu       sync.Mutex
	rules    []Rule
	attempts map[uint64]uint64 // by content, how often it was sent
	injected map[Kind]int
	executed int
	killed   bool // once allowed is 0
	allowed  int
}

// New returns an Injector in front of inner. The first rule that hits a request
// decides what becomes of it. The Injector remembers a hash of every content that
// it has seen: millions of different requests need millions of times 16 bytes.
func New(inner Client, seed uint64, rules ...Rule) *Injector {
	return &Injector{inner: inner, seed: seed, rules: rules, attempts: map[uint64]uint64{}, injected: map[Kind]int{}}
}

// Use replaces the rules, for the requests that are sent from now on.
func (i *Injector) Use(rules ...Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = rules
}

// CrashAfter lets n more requests be executed. From then on every request fails
// with [ErrCrashed] and is not executed: a function that is killed between two
// requests.
func (i *Injector) CrashAfter(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.killed, i.allowed = true, n
}

// Recover ends what CrashAfter has begun.
func (i *Injector) Recover() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.killed = false
}

// Injected returns how many faults of each kind were injected. A BatchWriteItem
// with several unprocessed or poisoned writes counts once; a crash is not counted.
func (i *Injector) Injected() map[Kind]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.injected)
}

// Executed returns how many requests were passed on to the inner client.
func (i *Injector) Executed() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.executed
}

// Do passes a request on, or injects a fault.
func (i *Injector) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	q, err := read(r)
	if err != nil {
		return nil, err
	}
	rules, err := i.register(q)
	if err != nil {
		return nil, err
	}
	for n, rule := range rules {
		d := dice{i.seed, uint64(n), q.content, q.attempt}
		hit, writes, err := rule.hits(d, q)
		if err != nil {
			return nil, err
		}
		if hit {
			i.count(rule.Kind)
			return i.inject(rule, d, q, writes)
		}
	}
	return i.execute(q, q.body)
}

// register gives the request its attempt, and returns the rules for it.
func (i *Injector) register(q *request) ([]Rule, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.killed && i.allowed == 0 {
		return nil, ErrCrashed
	}
	q.attempt = i.attempts[q.content]
	i.attempts[q.content]++
	return i.rules, nil
}

func (i *Injector) count(kind Kind) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.injected[kind]++
}

// hits reports whether the rule hits a request, and for Unprocessed which of its
// writes.
func (rule Rule) hits(d dice, q *request) (hit bool, chosen []bool, err error) {
	perWrite := rule.Kind == Unprocessed || rule.Kind == Poison
	switch {
	case !perWrite && !d.hit(rule.Probability):
		return false, nil, nil
	case !perWrite && rule.Select == nil:
		return true, nil, nil
	case rule.Kind == Unprocessed && q.operation() != "BatchWriteItem":
		return false, nil, nil
	case rule.Kind == Poison:
		d.content, d.attempt = 0, 0 // the write alone decides
	}
	writes, err := q.writes()
	if err != nil {
		return false, nil, err
	}
	chosen = make([]bool, len(writes))
	for n, write := range writes {
		chosen[n] = (rule.Select == nil || rule.Select(write)) && (!perWrite || d.of(write).hit(rule.Probability))
		hit = hit || chosen[n]
	}
	return hit, chosen, nil
}

// inject does to a request what the rule that has hit it says.
func (i *Injector) inject(rule Rule, d dice, q *request, chosen []bool) (*http.Response, error) {
	switch rule.Kind {
	case Throttled:
		codes := [...]string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}
		return q.refuse(http.StatusBadRequest, codes[d.choose(len(codes))]), nil
	case InternalServerError:
		return q.refuse(http.StatusInternalServerError, "InternalServerError"), nil
	case ServiceUnavailable:
		return q.refuse(http.StatusServiceUnavailable, "ServiceUnavailable"), nil
	case AccessDenied:
		return q.refuse(http.StatusBadRequest, "AccessDeniedException"), nil
	case NotFound:
		if strings.HasPrefix(q.target(), "AmazonSQS.") {
			return q.refuse(http.StatusBadRequest, "QueueDoesNotExist"), nil
		}
		return q.refuse(http.StatusBadRequest, "ResourceNotFoundException"), nil
	case Poison:
		return q.respond(http.StatusBadRequest, refusal("ValidationException", cmp.Or(rule.Message, TooLarge))), nil
	case ResetBefore:
		return nil, q.reset()
	case ResetAfter:
		response, err := i.execute(q, q.body)
		return nil, errors.Join(lose(response, err), q.reset())
	case Slow:
		return i.slow(q, rule.Delay, d.choose(2) == 0)
	case Unprocessed:
		return i.executeWithout(q, chosen)
	default:
		return nil, fmt.Errorf("faults: there is no kind of fault %q", rule.Kind)
	}
}

func (i *Injector) slow(q *request, delay time.Duration, executeFirst bool) (*http.Response, error) {
	if !executeFirst {
		if err := wait(q.http.Context(), delay); err != nil {
			return nil, err
		}
		return i.execute(q, q.body)
	}
	response, err := i.execute(q, q.body)
	if err != nil {
		return nil, err
	}
	if err := wait(q.http.Context(), delay); err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

func wait(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lose closes a response that nobody will see.
func lose(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// executeWithout executes a BatchWriteItem without the chosen writes and adds
// these to the unprocessed ones of the answer.
func (i *Injector) executeWithout(q *request, chosen []bool) (*http.Response, error) {
	kept, left, err := q.split(chosen)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		return q.respond(http.StatusOK, fmt.Appendf(nil, `{"UnprocessedItems":%s}`, left.json())), nil
	}
	response, err := i.execute(q, kept)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	if body, err = left.addTo(body); err != nil {
		return nil, err
	}
	return q.respond(http.StatusOK, body), nil
}

// execute passes a request on with a body, unless the function was killed. A
// changed body no longer fits the request's signature; local engines do not
// check it.
func (i *Injector) execute(q *request, body []byte) (*http.Response, error) {
	if err := i.admit(); err != nil {
		return nil, err
	}
	r := q.http.WithContext(q.http.Context()) // a copy
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	return i.inner.Do(r)
}

func (i *Injector) admit() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.killed {
		if i.allowed == 0 {
			return ErrCrashed
		}
		i.allowed--
	}
	i.executed++
	return nil
}

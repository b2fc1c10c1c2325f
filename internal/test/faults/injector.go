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
// decides its fate. The Injector remembers a hash of every content that it has
// seen: millions of different requests need millions of times 16 bytes.
func New(inner Client, seed uint64, rules ...Rule) *Injector {
	return &Injector{inner: inner, seed: seed, rules: rules, attempts: map[uint64]uint64{}, injected: map[Kind]int{}}
}

// Use replaces the rules, for the requests that are sent from now on.
func (i *Injector) Use(rules ...Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = rules
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
	return i.follow(rules, 0, q)
}

// follow passes a request on, unless one of the rules from number first on hits it.
func (i *Injector) follow(rules []Rule, first int, q *request) (*http.Response, error) {
	for n := first; n < len(rules); n++ {
		rule := rules[n]
		d := dice{i.seed, uint64(n), q.content, q.attempt} // #nosec G115 -- not negative
		hit, writes, err := rule.hits(d, q)
		if err != nil {
			return nil, err
		}
		if !hit {
			continue
		}

		i.count(rule.Kind)
		if q.operation() == "TransactWriteItems" {
			if code := reasonCode(rule.Kind, d); code != "" {
				return q.cancel(d, writes, code, cmp.Or(rule.Message, "injected"))
			}
		}
		if q.operation() == "BatchExecuteStatement" && writes != nil {
			if code := statementCode(rule.Kind, d); code != "" {
				follow := func(q *request) (*http.Response, error) { return i.follow(rules, n+1, q) }
				return q.refuseStatements(writes, code, cmp.Or(rule.Message, "injected"), follow)
			}
		}
		return i.inject(rule, d, q, writes)
	}

	return i.execute(q, q.body)
}

// register counts the attempt, and returns the rules for it.
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

// inject does what the rule says to a request that it has hit.
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
	case Conflict:
		return q.refuse(http.StatusBadRequest, "TransactionConflictException"), nil
	case ResetBefore:
		return nil, q.reset()
	case ResetAfter:
		response, err := i.execute(q, q.body)
		if err == nil {
			err = response.Body.Close()
		}

		return nil, errors.Join(err, q.reset())
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

// executeWithout executes a BatchWriteItem or BatchGetItem without the chosen writes or keys and
// adds these to the unprocessed ones of the answer.
func (i *Injector) executeWithout(q *request, chosen []bool) (*http.Response, error) {
	if q.operation() == "BatchGetItem" {
		return i.readWithout(q, chosen)
	}
	kept, left, err := q.split(chosen)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		return q.respond(http.StatusOK, fmt.Appendf(nil, `{"UnprocessedItems":%s}`, mustJSON(left))), nil
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

// execute passes a request on with a body, unless the function was killed. The
// request's signature does not cover a changed body; local engines do not check it.
func (i *Injector) execute(q *request, body []byte) (*http.Response, error) {
	if err := i.admit(); err != nil {
		return nil, err
	}

	r := q.http.WithContext(q.http.Context()) // a copy
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil

	return i.inner.Do(r)
}

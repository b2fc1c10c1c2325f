package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/internal/test/partiql"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// cloud is the tables that a world is drained into.
type cloud struct {
	config config
	rules  []faults.Rule
	// refuses says that one table sometimes refuses every put, or every request, for a
	// while.
	refuses bool
	// batches are the largest sizes of batches, of which a world has one.
	batches []int
	// retryDelay is the delay of the event source mapping.
	retryDelay time.Duration
	// around is called before every invocation, and returns a function to call after it. It
	// leaves out the table that fails.
	around func(payload []byte, leftOut string) func()
	// operator runs the reconciler meanwhile. Usually nil.
	operator *operator
}

// drain drains the world's history through replicators, with faults, crashes and
// redeliveries. It returns the sequence numbers in the failure queue.
func (w *world) drain(t testing.TB, seed uint64, in cloud) (
	queued map[string]map[string]bool, violations []string, sum tally, err error,
) {
	random := rand.New(rand.NewPCG(seed, 1))
	q := &memoryQueue{t: t, random: rand.New(rand.NewPCG(seed, 2)), odds: 0.2 * float64(random.IntN(2)),
		queued: map[string]map[string]bool{}}
	m := eventsource.Mapping{
		BatchSize:             1 + random.IntN(in.batches[random.IntN(len(in.batches))]),
		Bisect:                random.IntN(2) == 0,
		PartialResponses:      true,
		MaxRetryAttempts:      -1,
		ParallelizationFactor: 1 + random.IntN(3),
		Timeout:               10 * time.Second,
		RetryDelay:            in.retryDelay,
		Disturb: eventsource.Seeded(seed,
			eventsource.Odds{Cut: 0.5, Crash: 0.02, Rewind: 0.1, Reach: 100}),
	}
	// One environment for each lane, as Lambda would start them.
	environments := make(chan *environment, len(w.shards)*m.ParallelizationFactor)
	for range cap(environments) {
		environments <- w.environment(seed, in, q)
	}
	finish := in.operator.start(t.Context(), q)
	stats, err := w.drainBounded(t.Context(), m, w.shards, func(ctx context.Context, payload []byte) ([]byte, error) {
		e := <-environments
		defer func() { environments <- e }()
		return e.invoke(ctx, payload)
	})
	err = errors.Join(err, finish())
	sum = tally{Stats: stats, steps: w.writes, faults: map[faults.Kind]int{}}
	lost := map[lostRecord]bool{}
	for range cap(environments) {
		e := <-environments
		for kind, n := range e.injector.Injected() {
			sum.faults[kind] += n
		}
		maps.Copy(lost, e.lost)
		violations = append(violations, e.violations...)
		sum.braked += e.braked
		sum.aside += e.aside
	}
	sum.lost = len(lost)
	calm := w.environment(seed, cloud{config: in.config, rules: in.rules[:1]}, q)
	switch {
	case err != nil:
	case in.operator == nil:
		err = w.applyAgain(t.Context(), lost, calm)
	default:
		err = w.redeliver(t.Context(), calm, random)
	}
	for _, o := range w.oracles {
		for l := range lost {
			o.lost[l.sequenceNumber] = o.lost[l.sequenceNumber] || in.operator != nil && l.table == o.target.TableName
			if l.table == o.target.TableName && !o.poison[l.sequenceNumber] && !o.refused[l.sequenceNumber] {
				delete(q.queued[l.table], l.sequenceNumber)
			}
		}
	}
	return q.queued, violations, sum, err
}

// invocationsPerWrite and spareInvocations are more than a world takes to drain. Batches of
// one record that are delivered again take 5 per write, series of faults up to 2,000 more.
const (
	invocationsPerWrite = 10
	spareInvocations    = 5000
)

// drainBounded drains shards of the world in a limited number of invocations.
func (w *world) drainBounded(
	ctx context.Context, m eventsource.Mapping, shards []eventsource.Shard, handle eventsource.Handler,
) (eventsource.Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var invocations atomic.Int64
	return m.Drain(ctx, shards, func(ctx context.Context, payload []byte) ([]byte, error) {
		if invocations.Add(1) > int64(spareInvocations+invocationsPerWrite*w.writes) {
			cancel()
		}
		return handle(ctx, payload)
	})
}

// lostRecord is a record that was not applied to one table because that failed as a whole.
type lostRecord struct{ table, sequenceNumber string }

// applyAgain delivers again the records that went to the failure queue because a table
// failed as a whole: the changes of each source item, from the first lost one on.
func (w *world) applyAgain(ctx context.Context, lost map[lostRecord]bool, e *environment) error {
	isLost := map[string]bool{}
	for l := range lost {
		isLost[l.sequenceNumber] = true
	}
	var shards []eventsource.Shard
	for _, shard := range w.shards {
		from := map[string]bool{} // by source item
		shard.Records = slices.DeleteFunc(slices.Clone(shard.Records), func(r eventsource.Record) bool {
			from[r.Item] = from[r.Item] || isLost[r.SequenceNumber]
			return !from[r.Item]
		})
		shards = append(shards, shard)
	}
	m := eventsource.Mapping{BatchSize: 1000, PartialResponses: true, MaxRetryAttempts: -1, Timeout: 10 * time.Second}
	_, err := w.drainBounded(ctx, m, shards, e.replicator.Invoke)
	return err
}

// redeliver delivers the last records of some shards once more, after a reconciler has made the
// targets right.
func (w *world) redeliver(ctx context.Context, e *environment, random *rand.Rand) error {
	shards := slices.Clone(w.shards)
	for i := range shards {
		n := len(shards[i].Records)
		shards[i].Records = shards[i].Records[n-random.IntN(min(n, 100)+1):]
	}
	m := eventsource.Mapping{BatchSize: 1000, PartialResponses: true, MaxRetryAttempts: -1, Timeout: 10 * time.Second}
	_, err := w.drainBounded(ctx, m, shards, e.replicator.Invoke)

	return err
}

// run drains the world into an in-memory table and returns the divergences.
func (w *world) run(t testing.TB, seed uint64) (divergences []string, sum tally) {
	db := memorydb.New()
	for _, target := range w.spec.Targets {
		createTarget(t, db, target)
	}
	guard := &guardWatch{world: w, db: db, checked: map[partiql.Kind]int{},
		replaced: map[string]bool{}, filled: map[string]bool{}, left: map[string]bool{}}
	guard.putInitial(t)
	watch := &watch{world: w, db: db, guard: guard, staying: map[place]bool{}, owner: map[string]int{}}
	rules := randomFaults(rand.New(rand.NewPCG(seed, 4)))
	in := cloud{
		config:     inMemory(watch),
		rules:      rules,
		batches:    []int{5, 30, 200},
		retryDelay: time.Second,
		refuses:    seed%2 == 0 && w.next == nil,
		around:     watch.invocation,
	}
	if w.next != nil {
		in.around = func([]byte, string) func() { return func() {} }
	}
	if w.operated {
		in.operator = w.newOperator(t, seed, newSourceTable(t, w, db, guard), watch)
		for _, o := range w.oracles {
			place := func(keyJSON string) string { return o.target.TableName + canonicalKey([]byte(keyJSON)) }
			o.replaced = func(keyJSON string) bool { return guard.replaced[place(keyJSON)] }
			o.abandoned = func(keyJSON string) bool { return in.operator.tally.kills > 0 && guard.filled[place(keyJSON)] }
		}
		in.around = in.operator.invocation
	}
	queued, violations, sum, err := w.drain(t, seed, in)
	sum.checked = guard.checked
	if err != nil {
		return append(guard.violations, fmt.Sprintf("the stream does not drain: %v", err)), sum
	}
	if w.next != nil {
		err := w.settle(t, in)
		return append(guard.violations, w.unsettled(db.Items, err)...), sum
	}
	divergences = slices.Concat(w.divergences(db.Items, queued), watch.vanished, guard.violations, violations)
	if w.operated {
		divergences = append(divergences, in.operator.check(t.Context())...)
		sum.operators = in.operator.tally
	}
	return divergences, sum
}

// maxWindows is how often a table of one world fails as a whole: with slow requests besides,
// a world in which one always did would never drain.
const maxWindows = 20

// environment is an execution environment of the function.
type environment struct {
	cloud
	world      *world
	start      func() *Replicator
	replicator *Replicator
	injector   *faults.Injector
	random     *rand.Rand
	queue      *memoryQueue

	// failing is how many more invocations meet a table that fails as a whole: with
	// refuses it refuses every put, else every request.
	failing int
	windows int
	table   int
	refuses bool
	// inWindow holds the sequence numbers of the records that the process has sent to the
	// failure queue since the table began to refuse puts, lost the records that were lost to
	// all processes.
	inWindow map[string]bool
	lost     map[lostRecord]bool
	braked   int // invocations
	aside    int // items
	// violations describe the events that F7 and T3 do not allow.
	violations []string
}

func (w *world) environment(seed uint64, in cloud, q *memoryQueue) *environment {
	c := in.config
	injector := faults.New(c.http, seed, in.rules...)
	e := &environment{cloud: in, world: w, injector: injector, random: rand.New(rand.NewPCG(seed, 3)), queue: q,
		inWindow: map[string]bool{}, lost: map[lostRecord]bool{}}
	e.start = func() *Replicator {
		c.http = injector
		if w.releases && e.random.IntN(2) == 0 {
			c.http = earlierRelease{injector}
		}
		s := w.spec
		if w.next != nil && e.random.IntN(2) == 0 {
			s = *w.next
		}
		r := c.replicator(s, slog.New(slog.DiscardHandler))
		r.failureQueue.queue = e
		return r
	}
	e.replicator = e.start()
	return e
}

// send is the environment's failure queue. It notes what arrives because a table fails as a
// whole.
func (e *environment) send(ctx context.Context, bodies []string) map[int]error {
	errs := e.queue.send(ctx, bodies)
	for i, body := range bodies {
		var m failurequeue.Message
		if json.Unmarshal([]byte(body), &m) != nil || errs[i] != nil {
			continue
		}
		switch {
		case m.Kind == failurequeue.KindKeys:
			e.setAside(m)
		case strings.Contains(m.Reason, faults.WrongIndexKey):
			e.lost[lostRecord{m.TargetTable, m.SequenceNumber}] = true
			e.inWindow[m.SequenceNumber] = true
		}
	}
	return errs
}

// setAside notes the records of items whose keys arrive, and checks that the keys are all
// that the items had.
func (e *environment) setAside(m failurequeue.Message) {
	w := e.world
	at := slices.IndexFunc(w.oracles, func(o *oracle) bool { return o.target.TableName == m.TargetTable })
	// An item that came back after its target item was kept is there twice.
	keysOf := map[int]map[string]bool{}
	for _, item := range m.Items {
		e.aside++
		id := slices.IndexFunc(w.ids, func(members string) bool { return "{"+members+"}" == string(item.SourceKey) })
		if keysOf[id] == nil {
			keysOf[id] = map[string]bool{}
		}
		for _, k := range item.TargetKeys {
			keysOf[id][canonicalKey(k.Key)] = true
		}
	}
	for id, keys := range keysOf {
		within := false
		for _, shard := range w.shards {
			for _, r := range shard.Records {
				within = within || r.SequenceNumber == m.SequenceNumber
				if within && r.Item == fmt.Sprint(id) {
					e.lost[lostRecord{m.TargetTable, r.SequenceNumber}] = true
					if key := w.oracles[at].keys[r.SequenceNumber]; key != "" && !keys[key] {
						e.violations = append(e.violations, fmt.Sprintf("T3: the key %s of record %s is not among %v",
							key, r.SequenceNumber, keys))
					}
				}
				if r.SequenceNumber == m.LastSequenceNumber {
					within = false
				}
			}
		}
	}
}

// invoke invokes the function once. Sometimes it is killed, and a new process replaces it;
// for a while one of its tables refuses every put, or every request.
func (e *environment) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if e.cloud.refuses && e.failing == 0 && e.windows < maxWindows && e.random.IntN(6) == 0 {
		e.windows++
		e.failing = 1 + e.random.IntN(20)
		e.table, e.refuses = e.random.IntN(len(e.world.oracles)), e.random.IntN(4) > 0
		clear(e.inWindow)
	}
	many := e.puts(payload) > maxRefusedInRow
	before, window, leftOut := len(e.inWindow), e.failing > 0, ""
	if window {
		e.failing--
		e.injector.Use(e.failingRules()...)
		defer e.injector.Use(e.rules...)
		if !many {
			leftOut = targetName(e.table)
		}
	}
	defer e.around(payload, leftOut)()
	crash := e.random.IntN(20) == 0
	if crash {
		e.injector.CrashAfter(e.random.IntN(5))
		defer e.injector.Recover()
	}

	answer, err := e.replicator.Invoke(ctx, payload)
	if queued := len(e.inWindow); queued > maxRefusedInRow || many && queued > before {
		e.violations = append(e.violations, fmt.Sprintf("F7: %d records went to the failure queue "+
			"because a table refused every put, %d of them now, in an invocation of more than %d puts: %t",
			queued, queued-before, maxRefusedInRow, many))
	}
	if e.replicator.writer.brakes[e.table].isOn() {
		e.braked++
	}
	if crash {
		e.replicator = e.start()
		clear(e.inWindow)
		return nil, faults.ErrCrashed // a function that was killed has no answer
	}
	return answer, err
}

// failingRules adds a rule: the environment's table refuses every put, or every request.
// Only faults in front of the table come before it.
func (e *environment) failingRules() []faults.Rule {
	table := targetName(e.table)
	rule := faults.Rule{Kind: faults.AccessDenied, Probability: 1,
		Select: func(w faults.Write) bool { return w.Table == table }}
	if e.refuses {
		rule = faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey,
			Select: func(w faults.Write) bool { return w.Table == table && w.Put }}
	}
	inFront := []faults.Kind{faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable,
		faults.ResetBefore}
	before := func(r faults.Rule) bool { return slices.Contains(inFront, r.Kind) }
	return slices.Concat(slices.DeleteFunc(slices.Clone(e.rules), func(r faults.Rule) bool { return !before(r) }),
		[]faults.Rule{rule}, slices.DeleteFunc(slices.Clone(e.rules), before))
}

// puts returns the number of puts to the environment's table for the payload.
func (e *environment) puts(payload []byte) int {
	w := e.replicator.workspace()
	defer e.replicator.release(w)
	event, _, err := w.decoder.decode(payload)
	if err != nil {
		return 0
	}
	effects, _ := w.projector.project(event)
	plan, _ := w.planner.plan(event, effects)
	return countPuts(plan.first[e.table])
}

// randomFaults returns rules for some kinds of faults, and for the items that the
// table refuses.
func randomFaults(random *rand.Rand) []faults.Rule {
	rules := []faults.Rule{{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
		return w.Put && bytes.Contains(w.Attributes, []byte(`"mark":`+poisonMark))
	}}}
	for _, rule := range []faults.Rule{
		{Kind: faults.Throttled, Probability: 0.2},
		{Kind: faults.InternalServerError, Probability: 0.1},
		{Kind: faults.ServiceUnavailable, Probability: 0.1},
		{Kind: faults.ResetBefore, Probability: 0.1},
		{Kind: faults.ResetAfter, Probability: 0.1},
		{Kind: faults.Slow, Probability: 0.1, Delay: 3 * time.Second},
		{Kind: faults.Slow, Probability: 0.05, Delay: awsconfig.AnswerTimeout}, // the transport waits no longer
		{Kind: faults.Unprocessed, Probability: []float64{0.1, 0.8}[random.IntN(2)]},
		{Kind: []faults.Kind{faults.Unprocessed, faults.Throttled}[random.IntN(2)], Probability: 0.8, Select: isHot},
		{Kind: faults.AccessDenied, Probability: 0.03},
		{Kind: faults.AccessDenied, Probability: 1, Operation: "BatchGetItem"},
		{Kind: faults.AccessDenied, Probability: []float64{0, 0, 0.2, 1}[random.IntN(4)], Operation: "BatchExecuteStatement",
			Select: func(faults.Write) bool { return true }},
		{Kind: faults.NotFound, Probability: 0.01},
		{Kind: faults.Conflict, Probability: 0.1},
	} {
		if random.IntN(3) == 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}

// isHot selects the writes of the first source item: alone it often fails an invocation.
func isHot(w faults.Write) bool {
	for _, id := range []string{`"id":{"S":"a0"}`, `"id":{"N":"-3"}`, `"id":{"B":"AP8A"}`} {
		if bytes.Contains(w.Attributes, []byte(id)) {
			return true
		}
	}
	return false
}

// memoryQueue is a failure queue that sometimes refuses messages.
type memoryQueue struct {
	t      testing.TB
	mu     sync.Mutex
	random *rand.Rand
	odds   float64
	// queued holds the sequence numbers of the records that it has accepted, by table.
	queued map[string]map[string]bool
	// messages are those that it has accepted.
	messages []failurequeue.Message
}

func (q *memoryQueue) send(ctx context.Context, bodies []string) map[int]error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs, size := map[int]error{}, 0
	for i, body := range bodies {
		size += len(body)
		var m failurequeue.Message
		d := json.NewDecoder(strings.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil || m.Version != failurequeue.Version || m.Reason == "" ||
			(m.SourceKey == nil) != (m.Kind == failurequeue.KindKeys) ||
			(len(m.Items) == 0) != (m.Kind == failurequeue.KindRecord) {
			q.t.Errorf("a message of the failure queue is not one: %v: %s", err, body)
		}
		if ctx.Err() != nil || q.random.Float64() < q.odds {
			errs[i] = errors.New("the queue does not accept it")
			continue
		}
		q.messages = append(q.messages, m)
		if m.Kind == failurequeue.KindRecord {
			if q.queued[m.TargetTable] == nil {
				q.queued[m.TargetTable] = map[string]bool{}
			}
			q.queued[m.TargetTable][m.SequenceNumber] = true
		}
	}
	if len(bodies) > maxQueueBatchMessages || size > maxQueueBytes {
		q.t.Errorf("a call to the failure queue has %d messages of %d bytes", len(bodies), size)
	}
	return errs
}

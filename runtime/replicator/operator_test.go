package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// operator runs the reconciler while the application writes and the stream flows: a few tasks,
// one after the other, in processes that may be killed between any two requests and are
// continued from what they have stored.
type operator struct {
	t      testing.TB
	world  *world
	source *sourceTable
	tables *watch
	rules  []faults.Rule
	queue  *memoryQueue
	seed   uint64
	// drained says that the stream has carried the history.
	drained atomic.Bool

	mu      sync.Mutex // guards what follows
	random  *rand.Rand
	kills   int // that are left
	redrive int // messages of the queue that were redriven, the first ones
	// findings are what a process has reported.
	findings []reconciler.Finding
	tally    operatorTally
}

// operatorTally counts what operators do.
type operatorTally struct {
	tasks, kills, interrupted, redriven, put, there, changed, repaired, differences int
}

func (o *operatorTally) add(more operatorTally) {
	o.tasks += more.tasks
	o.kills += more.kills
	o.interrupted += more.interrupted
	o.redriven += more.redriven
	o.put += more.put
	o.there += more.there
	o.changed += more.changed
	o.repaired += more.repaired
	o.differences += more.differences
}

// task is one operation with its progress.
type task struct {
	operation reconciler.Operation
	of        int // segments
	pass      int
	stored    [][]byte // the segments of the pass, as JSON
	done      bool
}

// maxKills is how often the processes of an operator are killed, and maxAttempts how many a task
// may take.
const (
	maxKills    = 12
	maxAttempts = 60
)

func (w *world) newOperator(t testing.TB, seed uint64, source *sourceTable, tables *watch) *operator {
	random := rand.New(rand.NewPCG(seed, 5))
	poison := randomFaults(rand.New(rand.NewPCG(seed, 4)))[:1]
	o := &operator{t: t, world: w, source: source, tables: tables, seed: seed, random: random, kills: random.IntN(maxKills + 1)}
	o.rules = poison
	for _, rule := range []faults.Rule{
		{Kind: faults.Throttled, Probability: 0.1},
		{Kind: faults.InternalServerError, Probability: 0.05},
		{Kind: faults.ResetBefore, Probability: 0.05},
		{Kind: faults.ResetAfter, Probability: 0.1},
		{Kind: faults.Slow, Probability: 0.1, Delay: 2 * time.Second},
		{Kind: faults.Unprocessed, Probability: 0.3},
		{Kind: faults.Conflict, Probability: 0.1},
		{Kind: faults.AccessDenied, Probability: 1, Operation: "BatchExecuteStatement"},
	} {
		if random.IntN(3) == 0 {
			o.rules = append(o.rules, rule)
		}
	}

	return o
}

func (o *operator) intN(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.random.IntN(n)
}

// work carries out random tasks while the stream flows, and sometimes single items besides. All that it
// has begun are finished, and a backfill is among them.
func (o *operator) work(ctx context.Context) error {
	operations := []reconciler.Operation{reconciler.Backfill}
	for len(operations) < 5 && o.intN(3) > 0 {
		operations = append(operations, []reconciler.Operation{
			reconciler.Backfill, reconciler.Repair, reconciler.Repair, reconciler.Verify, redrive}[o.intN(5)])
	}
	if o.intN(2) == 0 {
		o.shuffle(operations)
	}

	errs := make([]error, 1+o.intN(4))
	var all sync.WaitGroup
	all.Go(func() { errs[0] = o.carryOut(ctx, operations) })
	for i := range errs[1:] {
		all.Go(func() { errs[1+i] = o.reconcileSingly(ctx) })
	}
	all.Wait()

	return errors.Join(errs...)
}

// reconcileSingly reconciles single items until the stream is drained.
func (o *operator) reconcileSingly(ctx context.Context) error {
	for {
		pause(ctx, time.Duration(o.intN(3000))*time.Millisecond)
		if err := o.finish(ctx, &task{operation: single}); err != nil || o.drained.Load() {
			return err
		}
	}
}

func (o *operator) shuffle(operations []reconciler.Operation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.random.Shuffle(len(operations), func(i, j int) { operations[i], operations[j] = operations[j], operations[i] })
}

func (o *operator) carryOut(ctx context.Context, operations []reconciler.Operation) error {
	for _, operation := range operations {
		pause(ctx, time.Duration(o.intN([]int{1, 1_000, 10_000}[o.intN(3)]))*time.Millisecond)
		if err := o.finish(ctx, &task{operation: operation, of: 1 + o.intN(3)}); err != nil {
			return err
		}
	}

	return nil
}

// start begins the work. It returns a function that waits until it is done, and finishes what the
// stream has left: the failure queue.
func (o *operator) start(ctx context.Context, q *memoryQueue) (finish func() error) {
	if o == nil {
		return func() error { return nil }
	}
	o.queue = q
	worked := make(chan error, 1)
	go func() { worked <- o.work(ctx) }()

	return func() error {
		o.drained.Store(true)
		if err := <-worked; err != nil {
			return err
		}
		return o.finish(ctx, &task{operation: redrive})
	}
}

// invocation is called before the function is: a record reaches it some time after it was written.
func (o *operator) invocation(payload []byte, _ string) func() {
	time.Sleep(time.Duration(o.intN(3000)) * time.Millisecond)
	o.source.deliver(payload)
	time.Sleep(time.Duration(o.intN(2000)) * time.Millisecond)

	return func() {}
}

// Operations of an operator beside those of a reconciler.
const (
	redrive reconciler.Operation = "redrive" // work through the failure queue
	single  reconciler.Operation = "single"  // reconcile some source items
)

// finish runs a task in as many processes as it takes.
func (o *operator) finish(ctx context.Context, t *task) error {
	o.mu.Lock()
	o.tally.tasks++
	o.mu.Unlock()
	var err error
	for range maxAttempts {
		if err = o.runProcess(ctx, t); t.done {
			return nil
		}
		pause(ctx, time.Duration(o.intN(5_000))*time.Millisecond)
	}

	return fmt.Errorf("the %s does not end: %w", t.operation, err)
}

func (o *operator) mayKill() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kills > 0
}

// runProcess runs a task until it is done or the process ends. Some processes have little time.
func (o *operator) runProcess(ctx context.Context, t *task) error {
	if t.operation != single && o.mayKill() && o.intN(8) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.intN(20))*time.Second)
		defer cancel()
	}

	p := o.startProcess(t.operation)
	ctx, p.kill = context.WithCancel(ctx)
	defer p.kill()

	return p.run(ctx, t)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// check verifies the tables when everything is done, and returns the differences that must not be.
func (o *operator) check(ctx context.Context) []string {
	o.mu.Lock()
	o.kills, o.rules, o.findings = 0, nil, nil
	o.mu.Unlock()
	t := &task{operation: reconciler.Verify, of: 2}
	if err := o.runProcess(ctx, t); err != nil {
		return []string{fmt.Sprintf("verify fails: %v", err)}
	}
	var found []string
	for _, f := range o.findings {
		if !o.world.expects(f) {
			found = append(found, fmt.Sprintf("%s: verify finds: %s, source key %s, target key %s: %s",
				f.TargetTable, f.Kind, f.SourceKey, f.TargetKey, f.Reason))
		}
	}

	return found
}

// expects reports whether a finding is none that the contract excludes.
func (w *world) expects(f reconciler.Finding) bool {
	switch f.Kind {
	case reconciler.Collided, reconciler.CannotMap, reconciler.Unclaimed:
		return true
	case reconciler.Missing: // the table refuses the item, which the source does not show
		id := slices.IndexFunc(w.ids, func(members string) bool {
			return canonicalKey([]byte("{"+members+"}")) == canonicalKey(f.SourceKey)
		})
		at := slices.IndexFunc(w.oracles, func(o *oracle) bool { return o.target.TableName == f.TargetTable })
		v, _ := w.oracles[at].mapped(w.source[id])

		return v.poisoned
	case reconciler.Extra:
		at := slices.IndexFunc(w.oracles, func(o *oracle) bool { return o.target.TableName == f.TargetTable })
		for _, v := range w.oracles[at].items {
			if canonicalKey([]byte(v.keyJSON)) == canonicalKey(f.TargetKey) {
				return w.oracles[at].isKept(v)
			}
		}

		return false
	default:
		return false
	}
}

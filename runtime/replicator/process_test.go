package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// process is one process of the reconciler.
type process struct {
	*operator
	reconciler *reconciler.Reconciler
	injector   *faults.Injector
	limit      int // items of a page

	left int // requests and stored states until the process is killed; negative: never
	kill context.CancelFunc
}

// startProcess starts a process, which may be killed. Most kills are for those that run passes.
func (o *operator) startProcess(operation reconciler.Operation) *process {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := &process{operator: o, limit: 1 + o.random.IntN([]int{2, 8, 100}[o.random.IntN(3)]), left: -1}
	spared := o.random.IntN(4) == 0
	if operation == single {
		spared = o.random.IntN(20) > 0
	}
	if o.kills > 0 && !spared {
		o.kills--
		p.left = o.random.IntN([]int{10, 60}[o.random.IntN(2)])
	}
	p.injector = faults.New(o.tables, o.seed+uint64(o.kills), o.rules...)
	p.reconciler = reconciler.New(o.world.spec, reconciler.Options{
		DynamoDB: dynamodb.Options{
			Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: p,
			BaseEndpoint: aws.String("http://memory"),
		},
		InFlight: 1 + o.random.IntN(4),
		Grace:    []time.Duration{time.Nanosecond, 3 * time.Second, time.Minute}[o.random.IntN(3)],
		Report:   p.report,
	})

	return p
}

func (p *process) report(f reconciler.Finding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.findings = append(p.findings, f)
}

// step is what happens before every request and every stored state: the application writes, the
// stream flows, or the process is killed. It happens most before writes, and to the items that they
// are about: what was read is old then. write is the body of a write, or nil.
func (p *process) step(ctx context.Context, write []byte) error {
	p.mu.Lock()
	if p.left == 0 {
		p.mu.Unlock()
		p.kill()
		return faults.ErrCrashed
	}
	p.left--
	if p.left > 1 && write != nil && p.random.IntN(5) == 0 {
		p.left = 1 // only this one is carried out
	}
	if p.left == 0 {
		p.tally.kills++
	}
	odds := 12
	if write != nil {
		odds = 2
	}
	changes, wait := 0, time.Duration(0)
	if p.random.IntN(odds) == 0 {
		changes = 1 + p.random.IntN(3)
	}
	if p.random.IntN(odds) == 0 {
		wait = time.Duration(p.random.IntN(1500)) * time.Millisecond
	}
	meet := write != nil && p.random.IntN(3) == 0
	p.mu.Unlock()
	p.source.write(changes)
	if meet {
		p.source.meet(write)
		wait += time.Duration(p.intN(4000)) * time.Millisecond
	}
	pause(ctx, wait)

	return ctx.Err()
}

// Do sends a request of the reconciler.
func (p *process) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	write := body
	if operation == "Scan" || operation == "BatchGetItem" {
		write = nil
	}
	if err := p.step(r.Context(), write); err != nil {
		return nil, err
	}
	if operation == "Scan" {
		if err := p.limitPage(r); err != nil {
			return nil, err
		}
	}

	r.Header.Set(reconcilerHeader, "true")

	return p.injector.Do(r)
}

// limitPage makes the pages of a scan small.
func (p *process) limitPage(r *http.Request) error {
	var input map[string]json.RawMessage
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close(), json.Unmarshal(body, &input)); err != nil {
		return err
	}
	limit := p.limit
	if asked := 0; json.Unmarshal(input["Limit"], &asked) == nil {
		limit = min(limit, asked)
	}
	input["Limit"] = fmt.Append(nil, limit)
	if body, err = json.Marshal(input); err != nil {
		return err
	}
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil

	return nil
}

// run continues a task until it is done or the process ends.
func (p *process) run(ctx context.Context, t *task) error {
	switch t.operation {
	case redrive:
		return p.runRedrive(ctx, t)
	case single:
		return p.runSingle(ctx, t)
	case reconciler.Backfill, reconciler.Verify, reconciler.Repair:
		return p.runPasses(ctx, t)
	default:
		return fmt.Errorf("there is no operation %q", t.operation)
	}
}

func (p *process) runPasses(ctx context.Context, t *task) error {
	passes := p.reconciler.Passes(t.operation)
	for t.pass < len(passes) {
		if t.stored == nil {
			t.stored = make([][]byte, t.of)
			for i := range t.stored {
				t.stored[i] = saved(reconciler.Segment{Pass: passes[t.pass], Number: i, Of: t.of})
			}
		}
		segments, err := p.runPass(ctx, t)
		if err != nil {
			return err
		}

		interrupted := false
		for _, s := range segments {
			interrupted = interrupted || s.Interrupted
			p.count(s.Counts)
		}
		t.stored = nil
		t.pass++
		if t.operation == reconciler.Backfill && t.pass == 1 && !interrupted {
			break // nothing can be left of a page that was not finished
		}
	}
	t.done = true

	return nil
}

func (p *process) count(c reconciler.Counts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.put += int(c.Put)
	p.tally.there += int(c.There)
	p.tally.changed += int(c.Changed)
	p.tally.repaired += int(c.Repaired)
	p.tally.differences += int(c.Differences(true))
}

// runPass runs the segments of a pass at once.
func (p *process) runPass(ctx context.Context, t *task) ([]reconciler.Segment, error) {
	segments, errs := make([]reconciler.Segment, t.of), make([]error, t.of)
	var all sync.WaitGroup
	for i := range segments {
		all.Go(func() { segments[i], errs[i] = p.runSegment(ctx, &t.stored[i]) })
	}
	all.Wait()

	return segments, errors.Join(errs...)
}

func (p *process) runSegment(ctx context.Context, stored *[]byte) (s reconciler.Segment, err error) {
	if err := json.Unmarshal(*stored, &s); err != nil {
		return s, err
	}
	if s.Begun {
		p.mu.Lock()
		p.tally.interrupted++
		p.mu.Unlock()
	}
	for !s.Done {
		err := p.reconciler.Page(ctx, &s, func(state reconciler.Segment) error {
			if err := p.step(ctx, nil); err != nil {
				return err
			}
			*stored = saved(state)

			return nil
		})
		if err != nil {
			return s, err
		}
	}

	return s, nil
}

func saved(s reconciler.Segment) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}

	return text
}

// runSingle reconciles some source items that are there or not, most of them ones that were written
// lately.
func (p *process) runSingle(ctx context.Context, t *task) error {
	for range 1 + p.intN(4) {
		p.source.write(1) // the stream has not carried it yet
		p.mu.Lock()
		id := p.source.recent(p.random)
		p.mu.Unlock()
		key := json.RawMessage("{" + p.world.ids[id] + "}")
		if _, err := p.reconciler.Reconcile(ctx, key, nil, nil); err != nil {
			return err
		}
	}
	t.done = true

	return nil
}

// runRedrive works through the messages in the failure queue.
func (p *process) runRedrive(ctx context.Context, t *task) error {
	for {
		n, found := p.next()
		if !found {
			t.done = true
			return nil
		}
		if err := p.redriveMessage(ctx, p.message(n)); err != nil {
			return err
		}
		p.mu.Lock()
		p.redrive = max(p.redrive, n+1)
		p.tally.redriven++
		p.mu.Unlock()
	}
}

// next returns the number of the first message that was not redriven.
func (p *process) next() (number int, found bool) {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.redrive, p.redrive < len(p.queue.messages)
}

func (p *process) message(number int) failurequeue.Message {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	return p.queue.messages[number]
}

func (p *process) redriveMessage(ctx context.Context, m failurequeue.Message) error {
	items := m.Items
	if m.Kind == failurequeue.KindRecord {
		items = []failurequeue.Item{{SourceKey: m.SourceKey, TargetKeys: p.world.targetKeys(m)}}
	}
	for _, item := range items {
		var also []reconciler.Key
		for _, k := range item.TargetKeys {
			if !k.Last {
				p.tables.guard.leave(m.TargetTable, k.Key)
			}
			also = append(also, reconciler.Key{TargetTable: m.TargetTable, Key: k.Key, Last: k.Last})
		}
		if _, err := p.reconciler.Reconcile(ctx, item.SourceKey, []string{m.TargetTable}, also); err != nil {
			return err
		}
	}

	return nil
}

// targetKeys returns the target keys of the images of a record.
func (w *world) targetKeys(m failurequeue.Message) []failurequeue.TargetKey {
	at := slices.IndexFunc(w.oracles, func(o *oracle) bool { return o.target.TableName == m.TargetTable })
	o, c := w.oracles[at], w.changes[m.SequenceNumber]
	var keys []failurequeue.TargetKey
	before, _ := o.mapped(c.before)
	after, _ := o.mapped(c.after)
	if before.keyJSON != "" && before.keyJSON != after.keyJSON {
		keys = append(keys, failurequeue.TargetKey{Key: json.RawMessage(before.keyJSON)})
	}
	if after.keyJSON != "" {
		keys = append(keys, failurequeue.TargetKey{Key: json.RawMessage(after.keyJSON), Last: true})
	}

	return keys
}

package replicator

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/outside"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// The outage, by the clock of the test. The application writes every two minutes. The event
// source mapping looks for records every minute, and waits as long before it redelivers some.
const (
	writeEvery = 2 * time.Minute
	lookEvery  = time.Minute

	deletedAt  = 30 * time.Minute
	restoredAt = deletedAt + 6*time.Hour
	endsAt     = restoredAt + 30*time.Minute
)

// TestATargetThatIsDeletedForSixHoursHoldsUpNoOther is T1 and T3: of two tables, "second" is
// deleted while the source changes. The tables and the stream are DynamoDB Local's.
//
// The hours are those of a synctest bubble, in which the replicator runs with its default grace
// time, and so do the event source mapping and the application. Requests leave the bubble and
// cost no time in it. The records keep their real times, after those of the bubble: their age
// decides nothing, and the process measures the grace time by its own clock.
func TestATargetThatIsDeletedForSixHoursHoldsUpNoOther(t *testing.T) {
	o := newOutage(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.happen(start)
		}()
		o.follow(t, ended)

		if alone := float64(o.alone) / float64(o.invocations); alone < 0.7 {
			t.Errorf("only %.0f %% of the invocations wrote to one table only", 100*alone)
		}
		if wait := o.asideAt.Sub(o.failedAt); o.asideIn == 0 {
			t.Error("the deleted table was never set aside")
		} else if wait < defaultGrace || wait > defaultGrace+lookEvery {
			t.Errorf("the deleted table was set aside after %s, want the grace time", wait)
		}
		o.wantExact(t, "target")
		if lacks := o.difference(o.items("second"), "second"); lacks == "" {
			t.Error("the table that was deleted is exact without its messages")
		}

		o.redrive(t)
		o.wantExact(t, "second")
		t.Logf("%d writes, %d invocations, %d of them with one table only, %d after the first set-aside; %d messages",
			len(o.states)-1, o.invocations, o.alone, o.invocations-o.asideIn, len(o.queue.bodies))
	})
}

// outage is a source table with two targets, of which one is deleted for a while.
type outage struct {
	// mu protects the application, and what an invocation notes.
	mu sync.Mutex
	*application
	local      localCloud
	outside    outside.Runner
	stream     *eventsource.Stream
	queue      recordingQueue
	replicator *Replicator

	invocations int
	alone       int // invocations that wrote to one table only
	// written is the number of source writes before the last invocation.
	written int
	// asideIn is the first invocation after which the queue has a message, at asideAt.
	asideIn int
	asideAt time.Time
	late    bool
	// asked holds the tables that the present invocation has sent requests to.
	asked map[string]bool
	// failedAt is when a table first refused a request.
	failedAt time.Time
}

func newOutage(t *testing.T) *outage {
	t.Helper()
	o := &outage{
		local:   localCloud{t: t, endpoint: enginetest.DynamoDBLocal(t), account: "outage"},
		outside: outside.New(t),
		asked:   map[string]bool{},
	}
	o.application = newApplication(o.call)

	c, s := o.local.config(), filteredPairSpec()
	o.stream = eventsource.Open(
		aws.Config{Region: c.Region, Credentials: c.Credentials, BaseEndpoint: &o.local.endpoint}, o.local.createTables(s))
	c.http = &outsideClient{o.outside, o.answered}
	o.replicator = c.replicator(s, slog.New(slog.DiscardHandler))
	o.replicator.failureQueue.queue = &o.queue

	return o
}

// happen is the application, and the loss and the repair of the table.
func (o *outage) happen(start time.Time) {
	for time.Since(start) < endsAt {
		o.mu.Lock()
		if at := time.Since(start); at == deletedAt {
			o.deleteSecond()
		} else if at == restoredAt {
			o.restoreSecond()
		}
		o.burst()
		o.mu.Unlock()
		time.Sleep(writeEvery)
	}
}

// follow is the event source mapping until the application ends.
func (o *outage) follow(t *testing.T, ended chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*endsAt)
	defer cancel()
	m := eventsource.Mapping{
		PartialResponses: true, MaxRetryAttempts: -1, Timeout: 10 * time.Second, RetryDelay: lookEvery,
	}
	for last := false; !last; {
		time.Sleep(lookEvery / 2) // never at the moment of a write
		select {
		case <-ended:
			last = true
		default:
		}

		var shards []eventsource.Shard
		var err error
		o.outside.Run(func() { shards, err = o.stream.Shards(context.Background()) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Drain(ctx, shards, func(ctx context.Context, payload []byte) ([]byte, error) {
			return o.invoke(ctx, t, payload)
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery / 2)
	}
}

// invoke invokes the function once. From the first set-aside on, the other target must have
// all that was written before the invocation before this one. A set-aside that is late starts
// the check too.
func (o *outage) invoke(ctx context.Context, t *testing.T, payload []byte) ([]byte, error) {
	o.mu.Lock()
	before := o.written
	o.written = len(o.states) - 1
	clear(o.asked)
	o.mu.Unlock()

	answer, err := o.replicator.Invoke(ctx, payload)

	o.mu.Lock()
	defer o.mu.Unlock()
	o.invocations++
	if len(o.asked) == 1 {
		o.alone++
	}
	switch {
	case o.asideIn == 0 && len(o.queue.bodies) > 0:
		o.asideIn, o.asideAt = o.invocations, time.Now()
	case o.asideIn == 0 && (o.failedAt.IsZero() || time.Since(o.failedAt) < defaultGrace+3*lookEvery):
	case !o.late && !slices.Contains(o.states[before:], strings.Join(o.items("target"), "\n")):
		o.late = true
		t.Errorf("%s after the table was lost: the other target is more than two invocations behind",
			time.Since(o.failedAt))
	}

	return answer, err
}

// answered notes which table a request went to, and the first that was refused.
func (o *outage) answered(body []byte, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, table := range []string{"target", "second"} {
		if bytes.Contains(body, []byte(`"`+table+`"`)) {
			o.asked[table] = true
		}
	}
	if status != http.StatusOK && o.failedAt.IsZero() {
		o.failedAt = time.Now()
	}
}

// redrive makes the items of all messages right, as a reconciler does: it reads the source
// item, deletes the target keys that are not its own, and puts its target item.
func (o *outage) redrive(t *testing.T) {
	t.Helper()
	for _, m := range o.queue.messages(t) {
		if m.Kind != failurequeue.KindKeys || m.TargetTable != "second" {
			t.Errorf("an unexpected message: %s of %s: %s", m.Kind, m.TargetTable, m.Reason)
			continue
		}
		for _, i := range m.Items {
			o.reconcile(i)
		}
	}
}

// wantExact compares a target with the mapping of the source.
func (o *outage) wantExact(t *testing.T, table string) {
	t.Helper()
	if difference := o.difference(o.items(table), table); difference != "" {
		t.Errorf("%s is not exact: %s", table, difference)
	}
}

// call sends a request to DynamoDB Local.
func (o *outage) call(operation, body string, out any) {
	o.outside.Run(func() { o.local.call(operation, body, out) })
}

// items returns the sorted items of a table in canonical form.
func (o *outage) items(table string) (items []string) {
	o.outside.Run(func() { items = o.local.items(table) })
	slices.Sort(items)
	return items
}

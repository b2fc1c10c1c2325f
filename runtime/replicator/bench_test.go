package replicator

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The benchmarks of the pure stages use batches of this many records, each with a new item
// of 1 KB. Every stage has a warm workspace, like a function in use; B/op and allocs/op are
// those of a batch.
const benchRecords = 1000

// perRecord runs f, which processes one batch, and reports the time per record.
func perRecord(b *testing.B, f func()) {
	b.Helper()
	f() // the workspace grows to the batch
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		f()
	}
	runtime.ReadMemStats(&after)
	records := float64(b.N) * benchRecords
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/records, "allocs/record")
}

// stages is a workspace with the encoder of each target.
type stages struct {
	*workspace
	b          *testing.B
	replicator *Replicator
	writer     *writer
	payload    []byte
	requests   []request
	body       []byte
}

func newStages(b *testing.B, s spec.Spec) *stages {
	r := newReplicator(s, nil, nil, minInFlight, nil)
	return &stages{
		workspace: r.workspace(), b: b,
		replicator: r, writer: r.writer,
		payload: orders.Inserts(benchRecords, orders.Large),
	}
}

func (s *stages) decode() *event {
	e, _, err := s.decoder.decode(s.payload)
	if err != nil || len(e.changes) != benchRecords || e.changes[0].err != nil {
		s.b.Fatalf("%v, %+v", err, e)
	}
	return e
}

func (s *stages) encode(p plan) {
	s.requests = s.requests[:0]
	for i, e := range s.writer.encoders {
		if e.guarded() {
			e.shapes.resolve(p.event, p.first[i])
		}
		s.requests = append(s.requests, s.writer.group(p.event, i, p.first[i])...)
	}
	for _, request := range s.requests {
		e := s.writer.encoders[request.mapping]
		if e.guarded() {
			s.body = e.appendStatements(s.body[:0], p.event, request.writes)
		} else {
			s.body = e.appendBatch(s.body[:0], p.event, request.writes)
		}
	}
}

func (s *stages) plan(e *event) plan {
	effects, _ := s.projector.project(e)
	p, _ := s.planner.plan(e, effects)
	return p
}

func BenchmarkDecode(b *testing.B) {
	s := newStages(b, orders.Unique())
	b.SetBytes(int64(len(s.payload)))
	perRecord(b, func() { s.decode() })
}

func BenchmarkProject(b *testing.B) {
	s := newStages(b, orders.Unique())
	e := s.decode()
	perRecord(b, func() { s.projector.project(e) })
}

func BenchmarkPlan(b *testing.B) {
	s := newStages(b, orders.Unique())
	e := s.decode()
	effects, _ := s.projector.project(e)
	perRecord(b, func() { s.planner.plan(e, effects) })
}

// BenchmarkEncode builds the bodies of requests with 25 writes each.
func BenchmarkEncode(b *testing.B) {
	s := newStages(b, orders.Unique())
	e := s.decode()
	p := s.plan(e)
	perRecord(b, func() { s.encode(p) })
}

// BenchmarkEncodeGuarded builds the bodies of requests with 25 statements each.
func BenchmarkEncodeGuarded(b *testing.B) {
	s := newStages(b, orders.Colliding())
	e := s.decode()
	p := s.plan(e)
	perRecord(b, func() { s.encode(p) })
}

// BenchmarkDecodeToEncode is everything up to the request bodies.
func BenchmarkDecodeToEncode(b *testing.B) {
	s := newStages(b, orders.Unique())
	perRecord(b, func() {
		s.encode(s.plan(s.decode()))
	})
}

// BenchmarkDecodeToEncodeFiveTargets is the same for five targets with the same mapping.
func BenchmarkDecodeToEncodeFiveTargets(b *testing.B) {
	s := newStages(b, orders.Several(5))
	perRecord(b, func() {
		s.encode(s.plan(s.decode()))
	})
}

// BenchmarkMetrics is all that an invocation does for its metrics: it counts the changes and
// writes the document. It is once for a batch and once for a single record, which needs a
// document too.
func BenchmarkMetrics(b *testing.B) {
	for _, records := range []int{1, benchRecords} {
		b.Run(strconv.Itoa(records), func(b *testing.B) {
			s := newStages(b, orders.Unique())
			s.payload = orders.Inserts(records, orders.Large)
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			s.replicator.WriteMetrics(null, "bench")
			e, _, _ := s.decoder.decode(s.payload)
			effects, _ := s.projector.project(e)
			p, rest := s.planner.plan(e, effects)
			b.ReportAllocs()
			for b.Loop() {
				s.counts.reset()
				s.counts.planned(effects, rest, p.chains)
				s.counts.judged(nil, s.replicator.writer.healths)
				s.counts.sent(nil)
				s.replicator.measure(b.Context(), s.workspace, time.Now())
			}
		})
	}
}

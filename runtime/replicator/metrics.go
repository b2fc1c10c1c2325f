package replicator

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// metrics writes CloudWatch's embedded metrics: lines of the log that CloudWatch turns into
// metrics. They go around the log's handler, so that no log level silences them. A document
// has one value per dimension, so each target needs one of its own. Source: Amazon CloudWatch
// User Guide, "Specification: Embedded metric format".
type metrics struct {
	to         io.Writer
	invocation document
	// targets are the documents of the targets.
	targets []document
}

// document is what does not change in a line from one invocation to the next.
type document struct {
	metrics []spec.Metric
	// head ends before the time, dimensions follows it.
	head, dimensions string
}

// WriteMetrics makes the replicator write its metrics to w, a line for each document, as
// [Start] does to standard output. name is the function's name. Without it there are no
// metrics, and neither with the level NONE.
func (r *Replicator) WriteMetrics(w io.Writer, name string) {
	if name == "" || r.spec.Metrics == spec.MetricsNone {
		return
	}
	perTarget := spec.TroubleMetrics()
	if r.spec.Metrics == spec.MetricsPerTarget {
		perTarget = spec.TargetMetrics()
	}

	function := dimension{spec.FunctionDimension, name}
	r.metrics = &metrics{to: w, invocation: newDocument(spec.InvocationMetrics(), function)}
	for i := range r.mappings {
		target := dimension{spec.TargetDimension, r.mappings[i].TableName}
		r.metrics.targets = append(r.metrics.targets, newDocument(perTarget, function, target))
	}
}

type dimension struct{ name, value string }

func newDocument(list []spec.Metric, dimensions ...dimension) document {
	type metric struct{ Name, Unit string }
	directive := struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}{Namespace: spec.MetricsNamespace, Dimensions: [][]string{nil}}
	d := document{metrics: list, dimensions: "}"}
	for _, one := range dimensions {
		directive.Dimensions[0] = append(directive.Dimensions[0], one.name)
		d.dimensions += "," + dynamodbjson.Quote(one.name) + ":" + dynamodbjson.Quote(one.value)
	}
	for _, m := range list {
		directive.Metrics = append(directive.Metrics, metric{m.Name, string(m.Unit)})
	}

	text, err := json.Marshal(directive)
	if err != nil {
		panic(err) // there are only strings
	}
	d.head = `{"_aws":{"CloudWatchMetrics":[` + string(text) + `],"Timestamp":`

	return d
}

// isZero reports whether the document would say nothing. Every write takes time, so the
// duration alone says nothing.
func (d *document) isZero(t *figures) bool {
	for _, m := range d.metrics {
		if m != spec.MetricDuration && t.value(m) != 0 {
			return false
		}
	}
	return true
}

// append appends the line for the figures of an invocation or of a target.
func (d *document) append(dst []byte, now time.Time, requestID string, t *figures) []byte {
	dst = append(dst, d.head...)
	dst = strconv.AppendInt(dst, now.UnixMilli(), 10)
	dst = append(dst, d.dimensions...)
	if requestID != "" {
		dst = append(dst, `,"requestId":`...)
		dst = dynamodbjson.AppendQuoted(dst, requestID)
	}
	for _, m := range d.metrics {
		dst = append(dst, `,"`...)
		dst = append(dst, m.Name...)
		dst = append(dst, `":`...)
		dst = strconv.AppendInt(dst, t.value(m), 10)
	}
	return append(dst, '}', '\n')
}

// measure writes the metrics of an invocation that ends now. A line that cannot be written is
// lost: there is nowhere to say so, and the records have been applied.
func (r *Replicator) measure(ctx context.Context, w *workspace, started time.Time) {
	e := &w.decoder.event
	if r.metrics == nil || len(e.changes) == 0 {
		return
	}

	w.counts.batch.records = len(e.changes)
	w.counts.batch.lag = max(e.oldest(), 0) // the stream's clock may be ahead
	w.counts.batch.duration = time.Since(started)
	w.lines = r.metrics.append(w.lines[:0], time.Now(), requestID(ctx), &w.counts)
	_, _ = r.metrics.to.Write(w.lines)
}

// append appends the lines of an invocation.
func (m *metrics) append(dst []byte, now time.Time, requestID string, c *counts) []byte {
	sum := c.total()
	dst = m.invocation.append(dst, now, requestID, &sum)
	for i := range m.targets {
		if d, t := &m.targets[i], &c.targets[i]; !d.isZero(t) {
			dst = d.append(dst, now, requestID, t)
		}
	}
	return dst
}

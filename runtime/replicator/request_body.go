package replicator

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// requestBody is memory for request bodies, one after the other.
type requestBody struct {
	bytes []byte
	// statements is the number of statements in a body of BatchExecuteStatement.
	statements int
	// succeeded says that the answer was read, and that all statements were carried out.
	succeeded bool
	// readers counts the connections that may still be reading it. A call ends with its
	// answer or its context, which may be before its connection has read the whole body.
	readers atomic.Int32
	trace   httptrace.ClientTrace
}

// in returns a context for the call that sends the body.
func (b *requestBody) in(ctx context.Context) context.Context {
	if b.trace.GotConn == nil {
		b.trace.GotConn = func(httptrace.GotConnInfo) { b.readers.Add(1) }
		b.trace.WroteRequest = func(httptrace.WroteRequestInfo) { b.readers.Add(-1) }
	}
	return httptrace.WithClientTrace(context.WithValue(ctx, bodyKey{}, b), &b.trace)
}

// isFree reports whether the memory can be used again.
func (b *requestBody) isFree() bool { return b.readers.Load() == 0 && cap(b.bytes) <= maxKeptBody }

// maxKeptBody is the largest body whose memory is kept. The bodies of common items are far
// smaller; keeping a few large ones would need more memory than a small function has.
const maxKeptBody = 1 << 20

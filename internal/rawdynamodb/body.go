package rawdynamodb

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// Body is memory for request bodies, one after the other.
type Body struct {
	Bytes []byte
	// Statements is the number of statements in a body of BatchExecuteStatement.
	Statements int
	// Succeeded says that the answer was read, and that all statements were carried out.
	Succeeded bool
	// Answer is the text of the last successful answer, with KeepAnswers. Its memory is used for
	// the next one.
	Answer []byte
	// readers counts the connections that may still be reading it. A call ends with its
	// answer or its context, which may be before its connection has read the whole body.
	readers atomic.Int32
	trace   httptrace.ClientTrace
}

// In returns a context for the call that sends the body.
func (b *Body) In(ctx context.Context) context.Context {
	if b.trace.GotConn == nil {
		b.trace.GotConn = func(httptrace.GotConnInfo) { b.readers.Add(1) }
		b.trace.WroteRequest = func(httptrace.WroteRequestInfo) { b.readers.Add(-1) }
	}
	return httptrace.WithClientTrace(context.WithValue(ctx, bodyKey{}, b), &b.trace)
}

// IsFree reports whether the memory can be used again.
func (b *Body) IsFree() bool { return b.readers.Load() == 0 && cap(b.Bytes) <= MaxKeptBody }

// MaxKeptBody is the largest body whose memory is kept. The bodies of common items are far
// smaller; keeping a few large ones would need more memory than a small function has.
const MaxKeptBody = 1 << 20

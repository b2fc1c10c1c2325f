package faults

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
)

// refuse is an error answer.
func (q *request) refuse(status int, code string) *http.Response {
	return q.respond(status, refusal(code, "injected"))
}

func refusal(code, message string) []byte {
	return fmt.Appendf(nil, `{"__type":"com.amazonaws.faults#%s","message":%q}`, code, message)
}

func (q *request) respond(status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {q.http.Header.Get("Content-Type")}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: q.http,
	}
}

// reset is the error of an HTTP client whose connection was reset.
func (q *request) reset() error {
	return &url.Error{Op: "Post", URL: q.http.URL.String(), Err: &net.OpError{
		Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}
}

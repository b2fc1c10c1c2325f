package incidents

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// caller is who sends requests to AWS. Each has an endpoint of its own.
type caller string

const (
	byFunction caller = "the function"
	byMapping  caller = "the event source mapping"
	byOperator caller = "the operator"
)

// fault refuses requests.
type fault struct {
	// of are the callers that it refuses, everyone if there are none.
	of []caller
	// service is the start of the service's name, DynamoDB or AmazonSQS.
	service string
	// operations are the operations that it refuses, all if there are none.
	operations []string
	// about are texts of which one is in the body of the requests that it refuses, such as
	// the names of tables; all if there are none.
	about      []string
	code, text string
}

func (f *fault) hits(by caller, service, operation string, body []byte) bool {
	return (len(f.of) == 0 || slices.Contains(f.of, by)) && strings.HasPrefix(service, f.service) &&
		(len(f.operations) == 0 || slices.Contains(f.operations, operation)) &&
		(len(f.about) == 0 || slices.ContainsFunc(f.about, func(a string) bool { return bytes.Contains(body, []byte(a)) }))
}

// gateway is in front of all engines. It refuses what a fault hits, and shows the rest to the
// meters of the queues.
type gateway struct {
	dynamoDB, others string
	endpoints        map[caller]string
	queues           *queueMeter

	mu     sync.Mutex
	faults map[string]fault
}

func newGateway(t testing.TB, dynamoDB, others string, queues *queueMeter) *gateway {
	g := &gateway{dynamoDB: dynamoDB, others: others, queues: queues, endpoints: map[caller]string{}, faults: map[string]fault{}}
	for _, by := range []caller{byFunction, byMapping, byOperator} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, by) }))
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		g.endpoints[by] = server.URL
	}
	return g
}

// begin and end begin and end a fault.
func (g *gateway) begin(name string, f fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[name] = f
}

func (g *gateway) end(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.faults, name)
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request, by caller) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if f := g.fault(by, service, operation, body); f != nil {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"com.amazonaws#%s","message":%q,"Message":%q}`, f.code, f.text, f.text)
		return
	}

	endpoint := g.others
	if strings.HasPrefix(service, "DynamoDB") {
		endpoint = g.dynamoDB
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, endpoint+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request.Header = r.Header.Clone()
	answer, err := client.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if service == "AmazonSQS" && answer.StatusCode == http.StatusOK {
		g.queues.see(operation, body, content)
	}
	for name, values := range answer.Header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(content)
}

// client keeps its connections to the engines.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

func (g *gateway) fault(by caller, service, operation string, body []byte) *fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		if f.hits(by, service, operation, body) {
			return &f
		}
	}
	return nil
}

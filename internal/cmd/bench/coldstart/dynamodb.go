package main

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/endpoint"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
)

// dynamoDB is an endpoint, as a function's environment names it.
type dynamoDB struct {
	url string
	// roots is the file with the root certificate for the endpoint's.
	roots string
}

// delay is how long the endpoint takes to answer a request.
const delay = 5 * time.Millisecond

// serveTLS serves an endpoint with TLS until it is closed. It writes its certificate
// into folder.
func serveTLS(folder string) (e dynamoDB, closeServer func(), err error) {
	server := httptest.NewTLSServer(endpoint.New(delay, orders.Unique().Targets[0].Table))
	e = dynamoDB{server.URL, filepath.Join(folder, "roots.pem")}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	return e, server.Close, os.WriteFile(e.roots, certificate, 0o600)
}

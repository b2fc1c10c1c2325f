package replicator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// attempt is one HTTP request as it arrived.
type attempt struct {
	target, authorization, want string
	body                        []byte
}

func TestEveryAttemptSendsTheReadyBodySignedByTheSDK(t *testing.T) {
	// The SDK has serialized another body than the one that is sent: an SDK that hashes,
	// signs or rewinds its own body fails this test.
	credentials := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "token"}
	var mu sync.Mutex
	var attempts []attempt
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		want := signAgain(t, credentials, r, body)
		attempts = append(attempts, attempt{r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"), want, body})
		if len(attempts)%2 == 1 {
			w.WriteHeader(http.StatusInternalServerError) // the first attempt of each call
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()

	c := inMemory(awsconfig.NewHTTPClient(minInFlight))
	c.Endpoint = func(string) *string { return &server.URL }
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return credentials, nil
	})
	table := c.replicator(uniqueSpec(all), slog.New(slog.DiscardHandler)).writer.table

	body := func(name string) *rawdynamodb.Body {
		return &rawdynamodb.Body{Bytes: []byte(`{"the body of":"` + name + `, é, \ud83d"}`)}
	}
	if _, err := table.batchWriteItem(t.Context(), body("BatchWriteItem")); err != nil {
		t.Error(err)
	}
	if _, err := table.putItem(t.Context(), body("PutItem")); err != nil {
		t.Error(err)
	}
	if err := table.deleteItem(t.Context(), body("DeleteItem")); err != nil {
		t.Error(err)
	}

	if len(attempts) != 6 {
		t.Fatalf("got %d attempts, want 2 for each call", len(attempts))
	}
	for i, a := range attempts {
		name := []string{"BatchWriteItem", "PutItem", "DeleteItem"}[i/2]
		if a.target != "DynamoDB_20120810."+name || !bytes.Equal(a.body, body(name).Bytes) {
			t.Errorf("attempt %d: %s with the body %s", i, a.target, a.body)
		}
		if a.authorization != a.want {
			t.Errorf("attempt %d of %s is signed\n     %s\nwant %s", i, name, a.authorization, a.want)
		}
	}
}

// signAgain signs a request that has arrived, with the headers and the time of its own
// signature, and returns the Authorization header that it should carry.
func signAgain(t *testing.T, credentials aws.Credentials, r *http.Request, body []byte) string {
	_, signed, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ = strings.Cut(signed, ",")
	again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	for name := range strings.SplitSeq(signed, ";") {
		if values := r.Header.Values(name); values != nil && !strings.EqualFold(name, "Content-Length") {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Error(err)
	}
	hash := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(t.Context(), credentials, again,
		hex.EncodeToString(hash[:]), "dynamodb", "us-east-1", at)
	if err != nil {
		t.Error(err)
	}
	return again.Header.Get("Authorization")
}

func TestNoConnectionReadsAFreeBody(t *testing.T) {
	// Bodies are used again. When a server answers before it has read the body, the HTTP
	// client is still reading it; the race detector watches this test.
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{}`)
	}))
	defer early.Close()
	careful := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client has disconnected
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer careful.Close()
	for _, test := range []struct {
		name, url string
		bytes     int
		free      int // of 20 bodies
	}{
		{"read whole", careful.URL, 30_000, 20},
		{"answered early", early.URL, rawdynamodb.MaxKeptBody, 0},
	} {
		c := inMemory(awsconfig.NewHTTPClient(minInFlight))
		c.Endpoint = func(string) *string { return &test.url }
		table := c.replicator(uniqueSpec(all), slog.New(slog.DiscardHandler)).writer.table
		body, free := new(rawdynamodb.Body), 0
		for range 20 {
			body.Bytes = append(body.Bytes[:0], bytes.Repeat([]byte(" "), test.bytes)...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, _ = table.putItem(ctx, body) // its result does not matter
			cancel()
			if !body.IsFree() {
				body = new(rawdynamodb.Body)
				continue
			}
			free++
			for i := 0; i < len(body.Bytes); i += 4096 {
				body.Bytes[i]++
			}
		}
		if free < test.free {
			t.Errorf("%s: %d of 20 bodies can be used again, want %d", test.name, free, test.free)
		}
	}
}

// acceptsAll is a table that accepts every write at once.
type acceptsAll struct{}

func (acceptsAll) batchWriteItem(context.Context, *rawdynamodb.Body) ([]types.WriteRequest, error) {
	return nil, nil
}
func (acceptsAll) putItem(context.Context, *rawdynamodb.Body) (bool, error) { return true, nil }
func (acceptsAll) deleteItem(context.Context, *rawdynamodb.Body) error      { return nil }
func (acceptsAll) batchExecuteStatement(context.Context, *rawdynamodb.Body, int) ([]statementCode, error) {
	return nil, nil
}
func (acceptsAll) batchGetItem(context.Context, *rawdynamodb.Body) (items, unprocessed []itemRead, err error) {
	return nil, nil, nil
}

func TestAWarmInvocationAllocatesPerRequestNotPerRecord(t *testing.T) {
	var records []string
	for i := range 1000 {
		records = append(records, insertion(i+1, fmt.Sprint("user", i), "note", strings.Repeat("n", 500)))
	}
	event := payload(records...)
	guarded := uniqueSpec(all)
	guarded.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
	for name, s := range map[string]spec.Spec{"unguarded": uniqueSpec(all), "guarded": guarded} {
		r := newReplicator(s, acceptsAll{}, nil, minInFlight, nil)
		allocations := testing.AllocsPerRun(20, func() {
			if _, err := r.Invoke(context.Background(), event); err != nil {
				t.Error(err)
			}
		})
		// About 50 for 40 requests.
		if allocations > float64(len(records))/10 {
			t.Errorf("%s: an invocation with %d records needs %.0f allocations", name, len(records), allocations)
		}
	}
}

func TestTheFirstRequestUsesTheConnectionThatTheStartHasOpened(t *testing.T) {
	var opened, asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			asked.Add(1)
			if r.Header.Get("Authorization") != "" || r.URL.Path != "/" {
				t.Errorf("the start asks for %s with %v, want / without credentials", r.URL, r.Header)
			}
			http.Error(w, "no such page", http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()

	c := inMemory(server.Client())
	url := strings.Replace(server.URL, "https://", "https://user:password@", 1) + "/base"
	c.Endpoint = func(string) *string { return &url }
	r := c.replicator(uniqueSpec(all), slog.New(slog.DiscardHandler))
	r.connect(t.Context())
	if opened.Load() != 1 || asked.Load() != 1 {
		t.Fatalf("the start opened %d connections and asked %d times, want 1 and 1", opened.Load(), asked.Load())
	}
	if _, err := r.writer.table.batchWriteItem(t.Context(), &rawdynamodb.Body{Bytes: []byte(`{}`)}); err != nil {
		t.Error(err)
	}
	if opened.Load() != 1 {
		t.Errorf("the first request opened another connection")
	}
}

func TestAStartSucceedsWithoutAConnection(t *testing.T) {
	// The listener accepts no connection: the handshake has no answer.
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s on an endpoint without TLS, where a connection costs nothing", r.Method, r.URL)
	}))
	defer plain.Close()
	for _, url := range []string{"https://" + silent.Addr().String(), "https://127.0.0.1:1", plain.URL, "://"} {
		c := inMemory(awsconfig.NewHTTPClient(minInFlight))
		c.Endpoint = func(string) *string { return &url }
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		c.replicator(uniqueSpec(all), slog.New(slog.DiscardHandler)).connect(ctx) // it returns
		cancel()
	}
}

package replicator

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/emf"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// startVariable makes this test's own program a function.
const startVariable = "REPLICATEDTABLE_TEST_START"

// A function is a process of its own, with its standard output for a log. With the level
// ERROR it logs no line about a record in the failure queue, but its metrics all the same.
func TestNoLogLevelSilencesTheMetricsOfAFunction(t *testing.T) {
	if os.Getenv(startVariable) != "" {
		Start()
	}
	s := uniqueSpec(all)
	s.LogLevel = spec.LogError
	db := memorydb.New()
	createTarget(t, db, s.Targets[0])
	services := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS") {
			// The SDK checks the digest of the body.
			var message struct {
				Entries []struct{ MessageBody string }
			}
			if err := json.NewDecoder(r.Body).Decode(&message); err != nil || len(message.Entries) != 1 {
				t.Error(message, err)
				return
			}
			fmt.Fprintf(w, `{"Failed":[],"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"%x"}]}`,
				md5.Sum([]byte(message.Entries[0].MessageBody)))
			return
		}
		r.RequestURI = ""
		answer, err := db.Do(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		var body bytes.Buffer
		_, _ = body.ReadFrom(answer.Body)
		_, _ = w.Write(body.Bytes())
	}))
	defer services.Close()
	s.FailureQueueURL = services.URL + "/queue"

	const id = "6f0b5c4e-0000-4000-8000-000000000000"
	answered, invoked := make(chan struct{}), false
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if invoked {
			<-r.Context().Done() // until the process has ended
			return
		}
		invoked = true
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		_, _ = w.Write(payload(insertion(1, "1"), insertion(2, "2"),
			record("INSERT", 3, item("id", "9"), "", `{"id":{"S":"9"},"group":{"BOOL":true}}`)))
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/"+id+"/response", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		close(answered)
	})
	runtimeAPI := httptest.NewServer(mux)
	defer runtimeAPI.CloseClientConnections()

	var log bytes.Buffer
	function := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	function.Stdout = &log
	function.Env = []string{
		startVariable + "=1", spec.EnvironmentVariable + "=" + s.Encode(), "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL=" + services.URL,
		"AWS_LAMBDA_FUNCTION_NAME=" + functionName, "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtimeAPI.URL, "http://"),
	}
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = function.Wait() // it is killed
		close(ended)
	}()
	select {
	case <-ended:
		t.Fatalf("it ended by itself: %s", log.String())
	case <-answered:
	}
	_ = function.Process.Kill()
	<-ended

	samples, others, err := emf.Read(log.Bytes())
	if err != nil || len(samples) != len(spec.InvocationMetrics()) || len(others) > 0 {
		t.Fatalf("got %v, %q, %v", samples, others, err)
	}
	got := map[string]float64{}
	for _, s := range samples {
		got[s.Metric()] = s.Value
	}
	const of = spec.MetricsNamespace + " %s FunctionName=" + functionName
	if got[fmt.Sprintf(of, "Writes")] != 2 || got[fmt.Sprintf(of, "Failed")] != 1 || !strings.Contains(log.String(), id) {
		t.Errorf("got %s", log.String())
	}
}

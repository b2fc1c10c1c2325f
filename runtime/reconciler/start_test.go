package reconciler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// lambdaFunction is the function as Lambda runs it, with the tables of a harness.
type lambdaFunction struct {
	*harness
	w *worker
	// denied is the number of the first Scan call that is refused, until it is 0.
	denied int
}

// startFunction puts items into a source table that has so many pages, of two items each, and each
// Scan call takes so long.
func startFunction(t *testing.T, pages int, takes time.Duration) *lambdaFunction {
	t.Helper()
	f := &lambdaFunction{harness: start(t, unique(), Options{})}
	for i := range 2 * pages {
		f.put("source", fmt.Sprint("id=", i), "city=c", "note="+strings.Repeat("n", 390_000))
	}
	f.before = func(operation string, _ int) {
		if operation == "Scan" {
			time.Sleep(takes)
		}
	}
	options := f.r.options.DynamoDB
	options.HTTPClient = f
	f.w = &worker{spec: f.spec, dynamoDB: options, log: slog.New(slog.DiscardHandler)}

	return f
}

// Do refuses a request, or has the tables answer it.
func (f *lambdaFunction) Do(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Scan") && f.denied > 0 && f.sent["Scan"]+1 >= f.denied {
		const refusal = `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","Message":"not authorized"}`
		return &http.Response{
			StatusCode: http.StatusBadRequest, Header: http.Header{"X-Amzn-Requestid": {"id"}},
			Body: io.NopCloser(strings.NewReader(refusal)), Request: r,
		}, nil
	}
	return f.harness.Do(r)
}

// invoke does a slice as the state machine of the construct asks for it, and returns its state.
func (f *lambdaFunction) invoke(state string, retries, redrives int) (slice, string, error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 15*time.Minute)
	defer cancel()
	answer, err := f.w.Invoke(ctx, fmt.Appendf(nil, `{"Slice":%s,"MaxConcurrency":10,"Retries":%d,`+
		`"Execution":{"Id":"arn:…","RedriveCount":%d}}`, state, retries, redrives))
	if err != nil {
		return slice{}, "", err
	}
	var s slice
	if err := json.Unmarshal(answer, &s); err != nil {
		f.t.Fatal(err)
	}

	return s, string(answer), nil
}

// first is the state of a child execution before its first slice.
var first = firstSlice(`{"operation":"backfill"}`, Backfill)

// firstSlice is such a state of an execution that began with the mapping of unique.
func firstSlice(input string, operation Operation) string {
	return fmt.Sprintf(`{"Run":{"Input":%s,"Mapping":%q,"Pass":{"Operation":%q},"Segments":1},"Number":0}`,
		input, (&worker{spec: unique()}).mappingHash(), operation)
}

func TestASliceEndsBeforeTheFunctionsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFunction(t, 6, 3*time.Minute) // a page has two Scan calls
		var slices int
		for state := first; ; slices++ {
			start := time.Now()
			s, next, err := f.invoke(state, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 14*time.Minute {
				t.Errorf("a slice took %v", took)
			}
			if state = next; s.Done {
				break
			}
		}
		if slices < 3 {
			t.Errorf("got %d slices, want several", slices)
		}
		if got := len(f.db.Items("target")); got != 12 {
			t.Errorf("the target has %d items, want 12", got)
		}
	})
}

func TestTheLogAndTheErrorOfATaskQuoteNoService(t *testing.T) {
	const marker = "MARKER-0815"
	for _, tt := range []struct{ operation, code, rest, want string }{
		{"Scan", "AccessDeniedException", `"Message":"not authorized to perform: dynamodb:Scan on ` + marker + `"`,
			"table source: AccessDeniedException: dynamodb:Scan"},
		{"Scan", marker, `"Message":"none"`,
			"table source: the service has answered with an error code that is not known"},
		{"TransactWriteItems", "TransactionCanceledException", `"CancellationReasons":[{"Code":"` + marker + `"}]`,
			"table target: a transaction was canceled: the service has answered with an error code that is not known"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := startFunction(t, 1, 0)
			f.put("target", "id=0", "city=c", "note=old")
			var log strings.Builder
			options := f.r.options.DynamoDB
			options.HTTPClient = doFunc(func(r *http.Request) (*http.Response, error) {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+tt.operation) {
					return f.harness.Do(r)
				}
				answer := fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s",%s}`, tt.code, tt.rest)
				return &http.Response{
					StatusCode: http.StatusBadRequest, Header: http.Header{"X-Amzn-Requestid": {"id"}},
					Body: io.NopCloser(strings.NewReader(answer)), Request: r,
				}, nil
			})
			f.w.dynamoDB, f.w.log = options, slog.New(slog.NewJSONHandler(&log, nil))
			_, _, err := f.invoke(firstSlice(`{"operation":"repair"}`, Repair), 0, 0)
			if err == nil || err.Error() != tt.want || !strings.Contains(log.String(), tt.want) || strings.Contains(log.String(), marker) {
				t.Errorf("got the error %v, want %q, and the log\n%s", err, tt.want, &log)
			}
		})
	}
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestASliceWithManyDifferencesGetsOn(t *testing.T) {
	// The lowest rate and the longest grace time, with small and with large items.
	for _, tt := range []struct {
		operation    Operation
		items, bytes int
	}{{Verify, 6000, 1}, {Repair, 6000, 1}, {Verify, 30, 390_000}, {Repair, 30, 390_000}} {
		synctest.Test(t, func(t *testing.T) {
			f := &lambdaFunction{harness: start(t, unique(), Options{})}
			for i := range tt.items {
				f.put("source", fmt.Sprint("id=", i), "city=c", "note="+strings.Repeat("n", tt.bytes))
			}
			options := f.r.options.DynamoDB
			options.HTTPClient = f
			f.w = &worker{spec: f.spec, dynamoDB: options, log: slog.New(slog.DiscardHandler)}
			input := fmt.Sprintf(`{"operation":%q,"readUnits":5,"writeUnits":5,"graceSeconds":300}`, tt.operation)
			begin := time.Now()
			s, _, err := f.invoke(firstSlice(input, tt.operation), 0, 0)
			t.Logf("%s of %d items of %d bytes: %v", tt.operation, tt.items, tt.bytes, time.Since(begin))
			if err != nil {
				t.Errorf("after %v: %v", time.Since(begin), err)
			} else if c := s.Segment.Counts; c.Missing == 0 {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestASliceThatIsRetriedOrRedrivenIsInterrupted(t *testing.T) {
	for _, tt := range []struct {
		name              string
		retries, redrives int
		want              bool
	}{{"neither", 0, 0, false}, {"retried", 1, 0, true}, {"redriven", 0, 1, true}} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := startFunction(t, 1, 0).invoke(first, tt.retries, tt.redrives)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Done || s.Result.Interrupted != tt.want {
				t.Errorf("got %+v, want an interruption: %v", s.Result, tt.want)
			}
		})
	}
}

func TestADeploymentThatChangesTheMappingEndsASlice(t *testing.T) {
	f := startFunction(t, 2, 0)
	f.w.spec.LogLevel = spec.LogDebug
	if s, _, err := f.invoke(first, 0, 0); err != nil || s.Result.MappingChanged || s.Segment.Counts.Pages != 2 {
		t.Errorf("another level of the log: got %+v, %v", s, err)
	}
	f.w.spec.Targets[0].Projection = spec.Projection{Type: spec.KeysOnly}
	if s, _, err := f.invoke(first, 0, 0); err != nil || !s.Done || !s.Result.MappingChanged || s.Segment != nil {
		t.Errorf("another projection: got %+v, %v", s, err)
	}
}

func TestAPageThatFailsKeepsThePagesBeforeIt(t *testing.T) {
	f := startFunction(t, 3, 0)
	f.denied = 4 // the second look at the second page
	s, state, err := f.invoke(first, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if s.Done || s.Segment.Counts.Pages != 1 || !s.Segment.Begun {
		t.Errorf("got %+v, want one page, and one that has begun", s.Segment)
	}

	// The first page of a slice that fails is an error: the state machine waits and retries.
	if _, _, err := f.invoke(state, 0, 0); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got the error %v, want the table's", err)
	}

	f.denied = 0
	s, _, err = f.invoke(state, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Done || !s.Result.Interrupted || len(f.db.Items("target")) != 6 {
		t.Errorf("got %+v and %d items", s.Result, len(f.db.Items("target")))
	}
}

func TestTheFunctionStartsWithTheVariablesOfLambda(t *testing.T) {
	variables := map[string]string{
		spec.EnvironmentVariable: unique().Encode(),
		"AWS_REGION":             "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	getenv := func(name string) string { return variables[name] }
	if w, err := newWorker(getenv, nil); err != nil || w.spec.Encode() != unique().Encode() || w.dynamoDB.Region != "eu-west-1" {
		t.Errorf("got %+v, %v", w, err)
	}

	delete(variables, "AWS_REGION")
	variables[spec.EnvironmentVariable] = "{}"
	_, err := newWorker(getenv, nil)
	for _, name := range []string{"AWS_REGION", spec.EnvironmentVariable} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error %v does not name %s", err, name)
		}
	}
}

func TestATaskOfSomebodyElseIsRefused(t *testing.T) {
	f := startFunction(t, 1, 0)
	if _, err := f.w.Invoke(t.Context(), []byte(`{"operation":"backfill"}`)); err == nil ||
		!strings.Contains(err.Error(), "only the state machine of AddReconciler invokes this function") {
		t.Errorf("got %v", err)
	}
}

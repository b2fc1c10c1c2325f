package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// queue answers every request as SQS would a successful one.
type queue struct{}

func (queue) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{}`))}, nil
}

func TestAQueueMeetsTheGenericFaults(t *testing.T) {
	send := func(rule faults.Rule) string {
		message := strings.NewReader(`{"QueueUrl":"q","MessageBody":"m"}`)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://queue", message)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		response, err := faults.New(queue{}, 1, rule).Do(r)
		if err != nil {
			return "error"
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(body), "#")
		code, _, _ = strings.Cut(code, `"`)
		return fmt.Sprint(response.StatusCode, " ", code)
	}
	all := func(faults.Write) bool { return true }
	for _, c := range []struct {
		rule faults.Rule
		want string
	}{
		{faults.Rule{Kind: faults.InternalServerError, Probability: 1}, "500 InternalServerError"},
		{faults.Rule{Kind: faults.AccessDenied, Probability: 1}, "400 AccessDeniedException"},
		{faults.Rule{Kind: faults.NotFound, Probability: 1}, "400 QueueDoesNotExist"},
		{faults.Rule{Kind: faults.ResetBefore, Probability: 1}, "error"},
		// A queue has no items.
		{faults.Rule{Kind: faults.Poison, Probability: 1}, "200 "},
		{faults.Rule{Kind: faults.Unprocessed, Probability: 1}, "200 "},
		{faults.Rule{Kind: faults.Throttled, Probability: 1, Select: all}, "200 "},
	} {
		if got := send(c.rule); got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule.Kind, got, c.want)
		}
	}
}

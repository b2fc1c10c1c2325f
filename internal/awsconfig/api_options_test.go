package awsconfig

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// keeper answers, and reads the rest of the body afterwards, as net/http may.
type keeper struct {
	late io.Reader
	sent string
}

func (k *keeper) Do(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(io.LimitReader(r.Body, r.ContentLength))
	k.late, k.sent = r.Body, string(sent)
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(`{"QueueUrl":"url"}`)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, err
}

func TestABodyThatIsReadAfterTheAnswerIsAtItsEnd(t *testing.T) {
	k := &keeper{}
	client := sqs.New(sqs.Options{HTTPClient: k, Region: "us-east-1", APIOptions: APIOptions,
		Credentials: aws.AnonymousCredentials{}})
	if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("failures")}); err != nil {
		t.Fatal(err)
	}
	if k.sent != `{"QueueName":"failures"}` {
		t.Errorf("sent %q", k.sent)
	}
	if n, err := io.Copy(io.Discard, k.late); n != 0 || err != nil {
		t.Errorf("got %d bytes, %v, want the end: net/http closes the connection after an error", n, err)
	}
}

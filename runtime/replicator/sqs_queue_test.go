package replicator

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func TestMessagesReachAQueueOfSQS(t *testing.T) {
	root := enginetest.Require(t, tools.Python)
	server, err := engine.StartMiniStack(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	c := inMemory(awsconfig.NewHTTPClient(minInFlight))
	c.Endpoint = func(string) *string { return &server.Endpoint }
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
	})
	client := sqs.New(sqs.Options{Region: c.Region, Credentials: c.Credentials, BaseEndpoint: &server.Endpoint,
		APIOptions: awsconfig.APIOptions})
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("failures")})
	if err != nil {
		t.Fatal(err)
	}

	s := uniqueSpec(all)
	s.FailureQueueURL = *created.QueueUrl
	r := c.replicator(s, slog.New(slog.DiscardHandler))
	var records []string
	var want []string
	for i := range 12 { // more than fit in one call
		id := fmt.Sprintf("%02d", i)
		records = append(records,
			record("INSERT", i+1, item("id", id), "", `{"id":{"S":"`+id+`"},"group":{"BOOL":true}}`))
		want = append(want, item("id", id))
	}
	answer, err := r.Invoke(t.Context(), payload(records...))
	if err != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Fatalf("got %s, %v", answer, err)
	}

	// A message may be there twice: when a connection breaks before the answer, it is sent
	// again.
	got := map[string]bool{}
	for len(got) < len(want) {
		out, err := client.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: created.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil || len(out.Messages) == 0 {
			t.Fatalf("the queue has %d of %d messages: %v", len(got), len(want), err)
		}
		for _, message := range out.Messages {
			_, key, _ := strings.Cut(*message.Body, `"sourceKey":`)
			key, _, _ = strings.Cut(key, `,"newImage"`)
			got[key] = true
		}
	}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("the queue has %v, want %v", keys, want)
	}

	// A queue that does not exist accepts no message: every record must be redelivered.
	s.FailureQueueURL += "gone"
	ctx, cancel := context.WithTimeout(t.Context(), minReserve+2*failureQueueTime)
	defer cancel()
	answer, err = c.replicator(s, slog.New(slog.DiscardHandler)).Invoke(ctx, payload(records...))
	if err != nil || strings.Count(string(answer), "itemIdentifier") != len(records) {
		t.Errorf("got %s, %v, want every record to be redelivered", answer, err)
	}
}

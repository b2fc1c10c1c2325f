package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/dustin/go-humanize"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// redrive works through the failure queue, or its dead-letter queue.
func (c *command) redrive(ctx context.Context) (int, error) {
	d, err := c.deployment(ctx, 2*reconciler.DefaultInFlight)
	if err != nil {
		return exitUnfinished, err
	}
	client := sqs.NewFromConfig(d.config)
	queue, err := c.queue(ctx, client, d)
	if err != nil {
		return exitUnfinished, err
	}

	engine := reconciler.New(d.spec, reconciler.Options{
		DynamoDB:   dynamodb.NewFromConfig(d.config).Options(),
		WriteUnits: c.flags.writeUnits, ReadUnits: c.flags.readUnits, DryRun: c.flags.dryRun,
	})
	found := &messageFindings{command: c}
	counts, err := engine.Redrive(ctx, reconciler.RedriveOptions{
		SQS: client, QueueURL: queue,
		Records:     stream{dynamodbstreams.NewFromConfig(d.config)}.records,
		MappedSince: d.updated,
		Stop:        c.stopping,
		Report:      found.add,
		Progress:    c.redriveProgress(),
	})
	found.summarize()

	code := exitDone
	switch {
	case err != nil:
		code, _ = explain(err)
	case isClosed(c.stopping):
		code = exitUnfinished
	case counts.Left > 0:
		code = exitDifferences
	}
	c.redriveResult(counts, code)
	if err == nil && code == exitUnfinished {
		err = unfinished("stopped: what is left is still in the queue; run the same command again to continue")
	}

	return code, err
}

// queue returns the URL of the queue to work through, and says how much is in it.
func (c *command) queue(ctx context.Context, client *sqs.Client, d *deployment) (string, error) {
	url, attributes, err := queueAttributes(ctx, client, d.spec.FailureQueueURL)
	if err == nil && c.flags.deadLetters {
		var policy struct{ DeadLetterTargetARN string }
		text := attributes[string(types.QueueAttributeNameRedrivePolicy)]
		if json.Unmarshal([]byte(text), &policy) != nil || policy.DeadLetterTargetARN == "" {
			return "", usageError("the failure queue %s has no dead-letter queue", url)
		}
		name, parseErr := arn.Parse(policy.DeadLetterTargetARN)
		if parseErr != nil {
			return "", usageError("the dead-letter queue of %s has the ARN %q", url, policy.DeadLetterTargetARN)
		}
		found, urlErr := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{
			QueueName: &name.Resource, QueueOwnerAWSAccountId: &name.AccountID,
		})
		if urlErr != nil {
			return "", urlErr
		}
		url, attributes, err = queueAttributes(ctx, client, aws.ToString(found.QueueUrl))
	}
	if err != nil {
		return "", err
	}

	count := attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)]
	hidden := attributes[string(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)]
	if c.flags.json {
		c.emit("start", struct{ Operation, Queue, Messages, Hidden string }{c.name, url, count, hidden})
	} else {
		fmt.Fprintf(c.stdout, "redrive %s: about %s messages\n", url, count)
	}
	if hidden != "0" {
		c.note("about %s more are hidden: another reader has them, or a run of the last 15 minutes that was killed or "+
			"could not show them all again", hidden)
	}

	return url, nil
}

func queueAttributes(ctx context.Context, client *sqs.Client, url string) (string, map[string]string, error) {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameRedrivePolicy, types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		},
	})
	if err != nil {
		return "", nil, err
	}
	return url, out.Attributes, nil
}

// redriveProgress returns what prints the counts from time to time.
func (c *command) redriveProgress() func(reconciler.RedriveCounts) {
	last := time.Now()
	return func(n reconciler.RedriveCounts) {
		if time.Since(last) < lineInterval {
			return
		}
		last = time.Now()
		if c.flags.json {
			c.emit("progress", struct{ Counts reconciler.RedriveCounts }{n})
		} else {
			c.note("%s", redriveLine(n))
		}
	}
}

func (c *command) redriveResult(n reconciler.RedriveCounts, code int) {
	if c.flags.json {
		c.emit("end", struct {
			ExitCode int
			Counts   reconciler.RedriveCounts
		}{code, n})
		return
	}
	outcome := map[int]string{
		exitDone: "done", exitDifferences: "done, and messages are left",
		exitUsage: "not finished", exitUnfinished: "not finished",
	}[code]
	if c.flags.dryRun {
		outcome += " (dry run: nothing was written, and all messages are still in the queue)"
	}
	fmt.Fprintf(c.stdout, "%s: %s\n", outcome, redriveLine(n))
	if n.Gone > 0 {
		c.note("%s items are gone from the source table and may have expired: a target that keeps expired items lacks those "+
			"that expired after they were set aside", humanize.Comma(n.Gone))
	}
}

func redriveLine(n reconciler.RedriveCounts) string {
	text := fmt.Sprintf("%s messages, %s deleted, %s left, %s items: %s right, %s written, %s unmappable",
		humanize.Comma(n.Messages), humanize.Comma(n.Deleted), humanize.Comma(n.Left), humanize.Comma(n.Items),
		humanize.Comma(n.Right), humanize.Comma(n.Written), humanize.Comma(n.Unmappable))
	for _, more := range []struct {
		count int64
		what  string
	}{{n.Collisions, "collisions"}, {n.Kept, "kept"}} {
		if more.count > 0 {
			text += ", " + humanize.Comma(more.count) + " " + more.what
		}
	}
	return text
}

// messageFindings prints what is to be known about messages: each with its keys if that is wanted,
// otherwise each reason once, at the end.
type messageFindings struct {
	command *command
	tally   tally[messageReason]
	mu      sync.Mutex
}

type messageReason struct {
	TargetTable, Reason string
	Left                bool
}

func (f *messageFindings) add(found reconciler.MessageFinding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.command
	switch {
	case !c.flags.keys:
		f.tally.add(messageReason{found.TargetTable, found.Reason, found.Left},
			messageReason{found.TargetTable, otherReasons, found.Left})
	case c.flags.json:
		c.emit("message", found)
	default:
		fmt.Fprintf(c.stdout, "message %s, %s: %s\n", found.MessageID,
			messageReason{found.TargetTable, string(found.SourceKey), found.Left}, found.Reason)
	}
}

func (f *messageFindings) summarize() {
	for why, count := range f.tally.mostFirst() {
		if f.command.flags.json {
			f.command.emit("messages", struct {
				messageReason
				Count int64
			}{why, count})
		} else {
			fmt.Fprintf(f.command.stdout, "%s times, %s\n", humanize.Comma(count), why)
		}
	}
}

// String says where a message is, and why.
func (r messageReason) String() string {
	text := "worked off"
	if r.Left {
		text = "left in the queue"
	}
	if r.TargetTable != "" {
		text += ", about " + r.TargetTable
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// stream reads records by their position.
type stream struct {
	client *dynamodbstreams.Client
}

// records calls yield with the records of a position, oldest first.
func (s stream) records(ctx context.Context, p reconciler.Position, yield func(json.RawMessage) error) error {
	shards := []string{p.ShardID}
	if p.ShardID == "" {
		var err error
		if shards, err = s.shards(ctx, p); err != nil {
			return gone(err)
		}
	}

	for _, shard := range shards {
		found, err := s.read(ctx, shard, p, yield)
		if err = gone(err); found || err != nil && !errors.Is(err, reconciler.ErrRecordsGone) {
			return err
		}
	}

	return reconciler.ErrRecordsGone
}

// gone returns reconciler.ErrRecordsGone for the errors that say so: also for those of a position that
// is none.
func gone(err error) error {
	trimmed, missing := (*types.TrimmedDataAccessException)(nil), (*types.ResourceNotFoundException)(nil)
	api := smithy.APIError(nil)
	if errors.As(err, &trimmed) || errors.As(err, &missing) ||
		errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
		return reconciler.ErrRecordsGone
	}
	return err
}

// shards returns the shards that may have a record: sequence numbers of two shards can overlap.
func (s stream) shards(ctx context.Context, p reconciler.Position) ([]string, error) {
	var shards []string
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &p.StreamARN}
	for {
		out, err := s.client.DescribeStream(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, shard := range out.StreamDescription.Shards {
			r := shard.SequenceNumberRange
			if r != nil && !after(aws.ToString(r.StartingSequenceNumber), p.First) &&
				(r.EndingSequenceNumber == nil || !after(p.First, *r.EndingSequenceNumber)) {
				shards = append(shards, aws.ToString(shard.ShardId))
			}
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return shards, nil
		}
	}
}

// emptyPages is how many pages without a record are read in a row. A page in the middle of a shard
// can be empty; the records of a position were there once, so there are never many.
const emptyPages = 20

// read yields the records of a position in one shard, and reports whether the first one was there.
func (s stream) read(
	ctx context.Context, shard string, p reconciler.Position, yield func(json.RawMessage) error,
) (found bool, err error) {
	start, err := s.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &p.StreamARN, ShardId: &shard, SequenceNumber: &p.First,
		ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber,
	})
	if err != nil {
		return false, err
	}

	iterator := start.ShardIterator
	for empty := 0; iterator != nil && empty < emptyPages; {
		page, err := s.page(ctx, iterator)
		if err != nil {
			return false, err
		}
		empty++
		for _, record := range page.Records {
			empty = 0
			number, err := sequenceNumber(record)
			if err != nil {
				return false, err
			}
			if !found && number != p.First {
				return false, nil
			}
			if found = true; !after(number, p.Last) {
				if err := yield(record); err != nil {
					return true, err
				}
			}
			if !after(p.Last, number) {
				return true, nil
			}
		}
		iterator = page.NextShardIterator
	}

	return found, reconciler.ErrRecordsGone
}

// page is an answer of GetRecords, with its records as they are.
type page struct {
	Records           []json.RawMessage
	NextShardIterator *string
}

func (s stream) page(ctx context.Context, iterator *string) (page, error) {
	var answer rawdynamodb.Body
	_, err := s.client.GetRecords(answer.In(ctx), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator},
		dynamodbstreams.WithAPIOptions(rawdynamodb.KeepAnswers))
	if err != nil {
		return page{}, err
	}

	var p page
	if err := json.Unmarshal(answer.Answer, &p); err != nil {
		return page{}, fmt.Errorf("the answer of GetRecords: %w", err)
	}
	return p, nil
}

func sequenceNumber(record json.RawMessage) (string, error) {
	var r struct {
		DynamoDB struct{ SequenceNumber string }
	}
	if err := json.Unmarshal(record, &r); err != nil {
		return "", fmt.Errorf("a record of the stream: %w", err)
	}
	return r.DynamoDB.SequenceNumber, nil
}

// after reports whether a is a later sequence number of one shard than b. They are decimal numbers of
// up to 40 digits.
func after(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// Package eventsource reads a DynamoDB stream and makes of its records the
// payloads that Lambda's event source mapping hands to a function. It is for
// tests: the records are a real stream's, byte for byte.
package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Stream is a position in one table's stream.
type Stream struct {
	arn    string
	client *dynamodbstreams.Client
	bodies *bodies
	// iterators holds where to read on, by shard. A nil iterator is a shard that
	// is closed and read to its end.
	iterators map[string]*string
	start     types.ShardIteratorType
}

// Open opens the stream with the given ARN at start: TRIM_HORIZON for everything
// the stream holds, LATEST for what comes after this call.
func Open(ctx context.Context, config aws.Config, arn string, start types.ShardIteratorType) (*Stream, error) {
	s := &Stream{arn: arn, bodies: &bodies{}, iterators: map[string]*string{}, start: start}
	s.client = dynamodbstreams.NewFromConfig(config, func(o *dynamodbstreams.Options) { o.HTTPClient = s.bodies })
	if err := s.findShards(ctx); err != nil {
		return nil, err
	}
	// A shard that appears from here on holds only records that are new.
	s.start = types.ShardIteratorTypeTrimHorizon
	return s, nil
}

// findShards adds the shards that have appeared.
func (s *Stream) findShards(ctx context.Context) error {
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := s.client.DescribeStream(ctx, input)
		if err != nil {
			return fmt.Errorf("describe stream %s: %w", s.arn, err)
		}
		for _, shard := range out.StreamDescription.Shards {
			if _, known := s.iterators[*shard.ShardId]; known {
				continue
			}
			it, err := s.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
				StreamArn: &s.arn, ShardId: shard.ShardId, ShardIteratorType: s.start,
			})
			if err != nil {
				return fmt.Errorf("shard iterator of %s: %w", *shard.ShardId, err)
			}
			s.iterators[*shard.ShardId] = it.ShardIterator
		}
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return nil
		}
		input.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// Records reads on to the present end of the stream. Every record is JSON as
// Lambda hands it to a function, in shard order.
func (s *Stream) Records(ctx context.Context) ([][]byte, error) {
	if err := s.findShards(ctx); err != nil {
		return nil, err
	}
	var records [][]byte
	for shard, iterator := range s.iterators {
		for iterator != nil {
			out, err := s.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				return nil, fmt.Errorf("records of shard %s: %w", shard, err)
			}
			var body struct{ Records []json.RawMessage }
			if err := json.Unmarshal(s.bodies.last, &body); err != nil {
				return nil, fmt.Errorf("records of shard %s: %w", shard, err)
			}
			for _, r := range body.Records {
				records = append(records, s.asDelivered(r))
			}
			iterator = out.NextShardIterator
			if len(body.Records) == 0 {
				break
			}
		}
		s.iterators[shard] = iterator
	}
	return records, nil
}

// asDelivered adds the one member that Lambda adds to a record.
func (s *Stream) asDelivered(record json.RawMessage) []byte {
	return fmt.Appendf(nil, `{"eventSourceARN":%q,%s`, s.arn, bytes.TrimPrefix(record, []byte("{")))
}

// Event is the payload of one invocation.
func Event(records ...[]byte) []byte {
	return fmt.Appendf(nil, `{"Records":[%s]}`, bytes.Join(records, []byte(",")))
}

// bodies is an HTTP client that keeps the body of the last response: the records
// as they came, which the SDK's own types would only approximate.
type bodies struct{ last []byte }

func (b *bodies) Do(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read whole, or the read failed
	if b.last, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(b.last))
	return response, nil
}

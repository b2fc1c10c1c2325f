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
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Stream is a position in one table's stream.
type Stream struct {
	arn    string
	client *dynamodbstreams.Client
	bodies *bodies
	shards []*shard // parents before their children, as DynamoDB lists them
}

type shard struct {
	id string
	// last is the sequence number of the last record that was read, nil before
	// the first one.
	last *string
}

// Open opens the stream with the given ARN at TRIM_HORIZON: its oldest record.
func Open(config aws.Config, arn string) *Stream {
	s := &Stream{arn: arn, bodies: &bodies{}}
	s.client = dynamodbstreams.NewFromConfig(config, func(o *dynamodbstreams.Options) { o.HTTPClient = s.bodies })
	return s
}

// Records reads on to the present end of the stream. Every record is JSON as
// Lambda hands it to a function; the records of one item are in order.
func (s *Stream) Records(ctx context.Context) ([][]byte, error) {
	if err := s.findShards(ctx); err != nil {
		return nil, err
	}
	var records [][]byte
	for _, shard := range s.shards {
		more, err := s.read(ctx, shard)
		if err != nil {
			return nil, fmt.Errorf("shard %s of %s: %w", shard.id, s.arn, err)
		}
		records = append(records, more...)
	}
	return records, nil
}

// findShards adds the shards that have appeared.
func (s *Stream) findShards(ctx context.Context) error {
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := s.client.DescribeStream(ctx, input)
		if err != nil {
			return fmt.Errorf("describe stream %s: %w", s.arn, err)
		}
		for _, found := range out.StreamDescription.Shards {
			if !slices.ContainsFunc(s.shards, func(known *shard) bool { return known.id == *found.ShardId }) {
				s.shards = append(s.shards, &shard{id: *found.ShardId})
			}
		}
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return nil
		}
		input.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// read reads on in one shard. It takes a new iterator every time: DynamoDB Local
// lets one that was taken at the end of a shard expire with the next record.
func (s *Stream) read(ctx context.Context, shard *shard) ([][]byte, error) {
	input := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &s.arn, ShardId: &shard.id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if shard.last != nil {
		input.ShardIteratorType, input.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, shard.last
	}
	start, err := s.client.GetShardIterator(ctx, input)
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for iterator := start.ShardIterator; iterator != nil; {
		out, err := s.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			return nil, err
		}
		if len(out.Records) == 0 {
			break
		}
		var body struct{ Records []json.RawMessage }
		if err := json.Unmarshal(s.bodies.last, &body); err != nil {
			return nil, err
		}
		for _, r := range body.Records {
			records = append(records, s.asDelivered(r))
		}
		shard.last = out.Records[len(out.Records)-1].Dynamodb.SequenceNumber
		iterator = out.NextShardIterator
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
	defer response.Body.Close()
	if b.last, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(b.last))
	return response, nil
}

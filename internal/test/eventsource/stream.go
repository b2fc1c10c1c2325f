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
	// parent is the ID of the shard that this one continues, "" for the first.
	parent string
	// last is the sequence number of the last record that was read, nil before
	// the first one.
	last *string
}

// Open opens the stream of an ARN at TRIM_HORIZON: its oldest record.
func Open(config aws.Config, arn string) *Stream {
	s := &Stream{arn: arn, bodies: &bodies{}}
	s.client = dynamodbstreams.NewFromConfig(config, func(o *dynamodbstreams.Options) { o.HTTPClient = s.bodies })
	return s
}

// Shards reads on to the present end of the stream and returns the shards that
// had records to read, parents before their children. Every record is JSON as
// Lambda hands it to a function.
func (s *Stream) Shards(ctx context.Context) ([]Shard, error) {
	if err := s.findShards(ctx); err != nil {
		return nil, err
	}

	var shards []Shard
	for _, shard := range s.shards {
		records, err := s.read(ctx, shard)
		if err != nil {
			return nil, fmt.Errorf("shard %s of %s: %w", shard.id, s.arn, err)
		}
		if len(records) > 0 {
			shards = append(shards, Shard{ID: shard.id, Parent: shard.parent, Records: records})
		}
	}

	return shards, nil
}

// Records reads on to the present end of the stream, like Shards, and returns the
// JSON of the records. Those of one item are in order.
func (s *Stream) Records(ctx context.Context) ([][]byte, error) {
	shards, err := s.Shards(ctx)
	if err != nil {
		return nil, err
	}

	var records [][]byte
	for _, shard := range shards {
		for _, r := range shard.Records {
			records = append(records, r.JSON)
		}
	}

	return records, nil
}

// findShards adds the new shards.
func (s *Stream) findShards(ctx context.Context) error {
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := s.client.DescribeStream(ctx, input)
		if err != nil {
			return fmt.Errorf("describe stream %s: %w", s.arn, err)
		}
		for _, found := range out.StreamDescription.Shards {
			if !slices.ContainsFunc(s.shards, func(known *shard) bool { return known.id == *found.ShardId }) {
				s.shards = append(s.shards, &shard{id: *found.ShardId, parent: aws.ToString(found.ParentShardId)})
			}
		}
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return nil
		}
		input.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// read reads on in one shard. It gets a new iterator every time: in DynamoDB Local
// an iterator at the end of a shard expires with the next record.
func (s *Stream) read(ctx context.Context, shard *shard) ([]Record, error) {
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

	var records []Record
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
			record, err := ParseRecord(s.asDelivered(r))
			if err != nil {
				return nil, err
			}
			records = append(records, record)
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

// bodies is an HTTP client that keeps the body of the last response, which has the
// records byte for byte. The SDK's own types only approximate them.
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

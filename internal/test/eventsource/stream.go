package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Stream is a position in one table's stream.
type Stream struct {
	arn    string
	api    streamsAPI
	shards []*shard // parents before their children, as DynamoDB lists them
}

type shard struct {
	id string
	// parent is the ID of the shard that this one continues, "" for the first.
	parent string
	// last is the sequence number of the last record that was read, "" before
	// the first one.
	last string
}

// Open opens the stream of an ARN at TRIM_HORIZON: its oldest record.
func Open(config aws.Config, arn string) *Stream {
	return &Stream{arn: arn, api: streamsAPI{config}}
}

// ARN is the stream's ARN.
func (s *Stream) ARN() string { return s.arn }

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
	input := map[string]string{"StreamArn": s.arn}
	for {
		var out struct {
			StreamDescription struct {
				Shards               []struct{ ShardID, ParentShardID string }
				LastEvaluatedShardID string
			}
		}
		if err := s.api.call(ctx, "DescribeStream", input, &out); err != nil {
			return err
		}
		for _, found := range out.StreamDescription.Shards {
			if !slices.ContainsFunc(s.shards, func(known *shard) bool { return known.id == found.ShardID }) {
				s.shards = append(s.shards, &shard{id: found.ShardID, parent: found.ParentShardID})
			}
		}
		if out.StreamDescription.LastEvaluatedShardID == "" {
			return nil
		}
		input["ExclusiveStartShardId"] = out.StreamDescription.LastEvaluatedShardID
	}
}

// read reads on in one shard. It gets a new iterator every time: in DynamoDB Local
// an iterator at the end of a shard expires with the next record.
func (s *Stream) read(ctx context.Context, shard *shard) ([]Record, error) {
	input := map[string]string{"StreamArn": s.arn, "ShardId": shard.id, "ShardIteratorType": "TRIM_HORIZON"}
	if shard.last != "" {
		input["ShardIteratorType"], input["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", shard.last
	}
	var start struct{ ShardIterator string }
	if err := s.api.call(ctx, "GetShardIterator", input, &start); err != nil {
		return nil, err
	}

	var records []Record
	for iterator := start.ShardIterator; iterator != ""; {
		var out struct {
			Records           []json.RawMessage
			NextShardIterator string
		}
		if err := s.api.call(ctx, "GetRecords", map[string]string{"ShardIterator": iterator}, &out); err != nil {
			return nil, err
		}
		if len(out.Records) == 0 {
			break
		}
		for _, r := range out.Records {
			record, err := ParseRecord(s.asDelivered(r))
			if err != nil {
				return nil, err
			}
			records = append(records, record)
		}
		shard.last = records[len(records)-1].SequenceNumber
		iterator = out.NextShardIterator
	}

	return records, nil
}

// asDelivered adds the one member that Lambda adds to a record.
func (s *Stream) asDelivered(record json.RawMessage) []byte {
	return fmt.Appendf(nil, `{"eventSourceARN":%q,%s`, s.arn, bytes.TrimPrefix(record, []byte("{")))
}

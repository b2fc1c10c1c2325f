package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
)

// source is a table in DynamoDB Local with a stream, and what its items are.
type source struct {
	t      *testing.T
	db     *dynamodb.Client
	stream *Stream
	table  string
	items  map[string]string // value by id
	random *rand.Rand
}

func newSource(t *testing.T) *source {
	t.Helper()
	endpoint := enginetest.DynamoDBLocal(t)
	config := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		APIOptions:   awsconfig.APIOptions,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "eventsource", SecretAccessKey: "secret"}, nil
		}),
	}
	s := &source{t: t, db: dynamodb.NewFromConfig(config), table: strings.ReplaceAll(t.Name(), "/", "."),
		items: make(map[string]string), random: rand.New(rand.NewPCG(1, 0))}
	out, err := s.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &s.table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled:  aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.stream = Open(config, *out.TableDescription.LatestStreamArn)
	return s
}

// write makes changes to items chosen by chance. Every one makes a record.
func (s *source) write(changes int) {
	s.t.Helper()
	for i := range changes {
		id := fmt.Sprint(s.random.IntN(10))
		key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
		var err error
		if _, exists := s.items[id]; exists && s.random.IntN(4) == 0 {
			delete(s.items, id)
			_, err = s.db.DeleteItem(s.t.Context(), &dynamodb.DeleteItemInput{TableName: &s.table, Key: key})
		} else {
			s.items[id] = fmt.Sprintf("%d of %d", i, changes)
			key["value"] = &types.AttributeValueMemberS{Value: s.items[id]}
			_, err = s.db.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: key})
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// copier is a handler that applies records to a map, and sometimes fails.
type copier struct {
	mutex  sync.Mutex
	random *rand.Rand
	items  map[string]string
}

func (c *copier) handle(_ context.Context, event []byte) ([]byte, error) {
	type image struct{ ID, Value struct{ S string } }
	var body struct {
		Records []struct {
			EventSourceARN string `json:"eventSourceARN"`
			EventName      string `json:"eventName"`
			DynamoDB       struct {
				SequenceNumber string
				Keys, NewImage image
			} `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(event, &body); err != nil {
		return nil, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, r := range body.Records {
		switch c.random.IntN(40) {
		case 0:
			return nil, errors.New("thrown")
		case 1:
			return []byte(failed(r.DynamoDB.SequenceNumber)), nil
		}
		if !strings.HasPrefix(r.EventSourceARN, "arn:aws:dynamodb:") {
			return nil, fmt.Errorf("a record of %q", r.EventSourceARN)
		}
		switch r.EventName {
		case "INSERT", "MODIFY":
			c.items[r.DynamoDB.Keys.ID.S] = r.DynamoDB.NewImage.Value.S
		case "REMOVE":
			delete(c.items, r.DynamoDB.Keys.ID.S)
		default:
			return nil, fmt.Errorf("an event called %q", r.EventName)
		}
	}
	return nil, nil
}

func TestARealStreamIsDelivered(t *testing.T) {
	for _, factor := range []int{1, 4} {
		t.Run(fmt.Sprintf("parallelization %d", factor), func(t *testing.T) {
			s := newSource(t)
			c := &copier{random: rand.New(rand.NewPCG(2, 0)), items: make(map[string]string)}
			mapping := Mapping{
				BatchSize: 20, PartialResponses: true, Bisect: true, MaxRetryAttempts: -1, ParallelizationFactor: factor,
				Disturb: Seeded(3, Odds{Cut: 0.5, Crash: 0.05, Rewind: 0.1, Reach: 50}),
			}
			// A context of its own: a mapping that never ends would hide in the
			// test binary's own time limit.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			const changes = 150
			for round := range 2 {
				s.write(changes)
				shards, err := s.stream.Shards(ctx)
				if err != nil {
					t.Fatal(err)
				}
				count := 0
				for _, shard := range shards {
					for _, r := range shard.Records {
						count++
						if len(r.SequenceNumber) < 21 || !strings.HasPrefix(r.Item, `{"id":{"S":"`) ||
							time.Since(r.Created).Abs() > time.Hour {
							t.Errorf("read %+v from %s", r, r.JSON)
						}
					}
				}
				if count != changes {
					t.Errorf("round %d read %d records, want %d", round, count, changes)
				}
				stats, err := mapping.Drain(ctx, shards, c.handle)
				if err != nil {
					t.Fatal(err)
				}
				if !maps.Equal(c.items, s.items) {
					t.Errorf("round %d: the copy is %v, want %v", round, c.items, s.items)
				}
				if stats.Redelivered == 0 {
					t.Errorf("round %d: nothing was disturbed: %+v", round, stats)
				}
			}
			if shards, err := s.stream.Shards(ctx); err != nil || len(shards) != 0 {
				t.Errorf("at its end the stream had %d shards with records (%v), want none", len(shards), err)
			}
		})
	}
}

// Package typed is the stream function that a careful Go engineer writes with the
// types of aws-lambda-go and the AWS SDK: coalesced by source item, 25 writes a
// request, several requests in flight, unprocessed items retried, failures
// reported. It is the second yardstick of the benchmarks, after the article's
// function, and correct for the mappings of package orders.
//
// It leaves out what such functions usually leave out: a filter, expiry, the failure
// queue, and skipping changes that do not show in the target.
package typed

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Function replicates stream records into a table whose key attributes are
// strings.
type Function struct {
	Client    *dynamodb.Client
	TableName string
	// SourceKey, PartitionKey and SortKey name the key attributes of the source
	// and of the target table.
	SourceKey, PartitionKey, SortKey string
	// Excluded names the one attribute that target items do not carry.
	Excluded string
	// VersionAttribute, if not empty, makes every write conditional: it holds the
	// version of a target item, and the newest one stays.
	VersionAttribute string
}

// InFlight is the number of requests in flight at once.
const InFlight = 8

// MaxBatchWrites is the most writes of one BatchWriteItem call. Source: Amazon
// DynamoDB API Reference, BatchWriteItem.
const MaxBatchWrites = 25

// sequenceNumberDigits is the longest sequence number. Versions are compared as
// text, so shorter ones are padded. Source: Amazon DynamoDB Streams API Reference,
// StreamRecord.
const sequenceNumberDigits = 40

type item = map[string]types.AttributeValue

// chain is all changes of one source item in one batch.
type chain struct {
	sequenceNumber string // of the first change: where to resume if this fails
	source         string
	version        string // of the last change
	put            item   // nil: the source item is gone
	key            string // of put
	stale          map[string]item
}

// write is one put or delete.
type write struct {
	chain  *chain
	put    item
	delete item
}

// Handle applies one batch.
func (f *Function) Handle(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	chains, err := f.coalesce(event.Records)
	if err != nil {
		return events.DynamoDBEventResponse{}, err
	}

	var first, then []write
	for _, c := range chains {
		deletes := &first
		if c.put != nil {
			first = append(first, write{chain: c, put: c.put})
			deletes = &then // the old item stays until the new one is there
		}
		for _, key := range c.stale {
			*deletes = append(*deletes, write{chain: c, delete: key})
		}
	}

	failed := f.send(ctx, first)
	var safe []write
	for _, w := range then {
		if !failed[w.chain] {
			safe = append(safe, w)
		}
	}
	for c := range f.send(ctx, safe) {
		failed[c] = true
	}

	response := events.DynamoDBEventResponse{}
	for _, c := range chains {
		if failed[c] {
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.DynamoDBBatchItemFailure{ItemIdentifier: c.sequenceNumber})
		}
	}

	return response, nil
}

// coalesce groups the changes of each source item.
func (f *Function) coalesce(records []events.DynamoDBEventRecord) ([]*chain, error) {
	chains := make([]*chain, 0, len(records))
	bySource := make(map[string]*chain, len(records))
	for _, r := range records {
		source := r.Change.Keys[f.SourceKey].String()
		c := bySource[source]
		if c == nil {
			c = &chain{sequenceNumber: r.Change.SequenceNumber, source: source, stale: map[string]item{}}
			bySource[source] = c
			chains = append(chains, c)
		}
		for _, image := range []map[string]events.DynamoDBAttributeValue{r.Change.OldImage, r.Change.NewImage} {
			if len(image) > 0 {
				c.stale[f.keyOf(image)] = item{
					f.PartitionKey: &types.AttributeValueMemberS{Value: image[f.PartitionKey].String()},
					f.SortKey:      &types.AttributeValueMemberS{Value: image[f.SortKey].String()},
				}
			}
		}
		c.version = version(r)
		c.put, c.key = nil, ""
		if r.EventName != string(events.DynamoDBOperationTypeRemove) {
			put, err := f.project(r.Change.NewImage)
			if err != nil {
				return nil, err
			}
			c.put, c.key = put, f.keyOf(r.Change.NewImage)
		}
	}
	for _, c := range chains {
		delete(c.stale, c.key)
	}

	return chains, nil
}

// version orders the changes of a stream as text.
func version(r events.DynamoDBEventRecord) string {
	_, label, _ := strings.Cut(r.EventSourceArn, "/stream/")
	zeros := max(0, sequenceNumberDigits-len(r.Change.SequenceNumber))

	return label + "/" + strings.Repeat("0", zeros) + r.Change.SequenceNumber
}

// keyOf tells target items apart.
func (f *Function) keyOf(image map[string]events.DynamoDBAttributeValue) string {
	return image[f.PartitionKey].String() + "\x00" + image[f.SortKey].String()
}

func (f *Function) project(image map[string]events.DynamoDBAttributeValue) (item, error) {
	projected := make(item, len(image))
	for name, value := range image {
		if name == f.Excluded {
			continue
		}
		converted, err := convert(value)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		projected[name] = converted
	}

	return projected, nil
}

// send sends writes, InFlight requests at a time, and returns the chains that
// failed.
func (f *Function) send(ctx context.Context, writes []write) map[*chain]bool {
	limit := MaxBatchWrites
	if f.VersionAttribute != "" {
		limit = 1
	}
	batches := make(chan []write)
	var mu sync.Mutex
	failed := map[*chain]bool{}
	var workers sync.WaitGroup
	for range InFlight {
		workers.Go(func() {
			for batch := range batches {
				if err := f.sendBatch(ctx, batch); err != nil {
					mu.Lock()
					for _, w := range batch {
						failed[w.chain] = true
					}
					mu.Unlock()
				}
			}
		})
	}

	for len(writes) > 0 {
		n := min(limit, len(writes))
		batches <- writes[:n]
		writes = writes[n:]
	}
	close(batches)
	workers.Wait()

	return failed
}

func (f *Function) sendBatch(ctx context.Context, batch []write) error {
	if f.VersionAttribute != "" {
		return f.sendGuarded(ctx, batch[0])
	}

	requests := make([]types.WriteRequest, len(batch))
	for i, w := range batch {
		if w.put != nil {
			requests[i].PutRequest = &types.PutRequest{Item: w.put}
		} else {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: w.delete}
		}
	}

	return BatchWrite(ctx, f.Client, f.TableName, requests)
}

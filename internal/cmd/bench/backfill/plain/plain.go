// Package plain has the ways in which tables like the target of orders.Unique are usually filled from
// an existing table: they put what they have read. They are the yardsticks of the backfill's benchmark,
// and wrong while the application writes: what is put may be older than what is there, and belongs to
// nothing when the source item has moved on.
package plain

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/typed"
)

// Segments is how many segments are scanned at once, each with one request in flight.
const Segments = 8

// maxBatchReads is the most keys of one BatchGetItem call. Source: Amazon DynamoDB API Reference,
// BatchGetItem.
const maxBatchReads = 100

type item = map[string]types.AttributeValue

// Loop scans the source table and puts one item after the other.
func Loop(ctx context.Context, client *dynamodb.Client) error {
	return pages(ctx, client, orders.Source, 0, 1, func(page []item) error {
		for _, source := range page {
			input := &dynamodb.PutItemInput{TableName: aws.String(orders.ByCustomer), Item: project(source)}
			if _, err := client.PutItem(ctx, input); err != nil {
				return err
			}
		}
		return nil
	})
}

// Parallel scans the segments of the source table at once, and puts 25 items a request.
func Parallel(ctx context.Context, client *dynamodb.Client) error {
	return segments(ctx, client, orders.Source, func(page []item) error {
		return put(ctx, client, page)
	})
}

// Diff works as mapbox's dynamodb-replicator does, whose public design this is: a backfill puts what a
// scan of the source table shows. Then the tables are compared in both directions. A scan of the source
// table, with reads of the target table: what is missing or different is put, as the scan has shown it.
// A scan of the target table, with reads of the source table: what has no source item that maps there
// is deleted. There are no conditions.
func Diff(ctx context.Context, client *dynamodb.Client) error {
	if err := Parallel(ctx, client); err != nil {
		return err
	}
	err := segments(ctx, client, orders.Source, func(page []item) error {
		for chunk := range slices.Chunk(page, maxBatchReads) {
			if err := putDifferent(ctx, client, chunk); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}

	return segments(ctx, client, orders.ByCustomer, func(page []item) error {
		for chunk := range slices.Chunk(page, maxBatchReads) {
			if err := deleteExtra(ctx, client, chunk); err != nil {
				return err
			}
		}
		return nil
	})
}

// putDifferent puts what is missing in the target table, or different.
func putDifferent(ctx context.Context, client *dynamodb.Client, sources []item) error {
	there, err := get(ctx, client, orders.ByCustomer, sources, orders.CustomerID, orders.OrderID)
	if err != nil {
		return err
	}
	different := slices.DeleteFunc(slices.Clone(sources), func(source item) bool {
		return reflect.DeepEqual(project(source), there[text(source, orders.OrderID)])
	})

	return put(ctx, client, different)
}

// deleteExtra deletes the target items whose source items are not there, or map elsewhere.
func deleteExtra(ctx context.Context, client *dynamodb.Client, targets []item) error {
	there, err := get(ctx, client, orders.Source, targets, orders.OrderID)
	if err != nil {
		return err
	}
	var deletes []types.WriteRequest
	for _, target := range targets {
		source := there[text(target, orders.OrderID)]
		if source == nil || text(source, orders.CustomerID) != text(target, orders.CustomerID) {
			deletes = append(deletes, types.WriteRequest{
				DeleteRequest: &types.DeleteRequest{Key: key(target, orders.CustomerID, orders.OrderID)}})
		}
	}

	return write(ctx, client, deletes)
}

// put puts the target items of source items.
func put(ctx context.Context, client *dynamodb.Client, sources []item) error {
	requests := make([]types.WriteRequest, len(sources))
	for i, source := range sources {
		requests[i].PutRequest = &types.PutRequest{Item: project(source)}
	}

	return write(ctx, client, requests)
}

func write(ctx context.Context, client *dynamodb.Client, requests []types.WriteRequest) error {
	for batch := range slices.Chunk(requests, typed.MaxBatchWrites) {
		if err := typed.BatchWrite(ctx, client, orders.ByCustomer, batch); err != nil {
			return err
		}
	}

	return nil
}

// get reads the items of a table with the keys that items have, by their order IDs.
func get(
	ctx context.Context, client *dynamodb.Client, table string, items []item, names ...string,
) (map[string]item, error) {
	keys := make([]item, len(items))
	for i := range items {
		keys[i] = key(items[i], names...)
	}
	found := make(map[string]item, len(items))
	pending := map[string]types.KeysAndAttributes{table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	for len(pending) > 0 {
		out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending})
		if err != nil {
			return nil, err
		}
		for _, one := range out.Responses[table] {
			found[text(one, orders.OrderID)] = one
		}
		pending = out.UnprocessedKeys
	}

	return found, nil
}

// segments calls do with the pages of all segments of a table, of each segment one after the other.
func segments(ctx context.Context, client *dynamodb.Client, table string, do func(page []item) error) error {
	errs := make([]error, Segments)
	var all sync.WaitGroup
	for number := range int32(Segments) {
		all.Go(func() { errs[number] = pages(ctx, client, table, number, Segments, do) })
	}
	all.Wait()

	return errors.Join(errs...)
}

// pages calls do with the pages of one segment of a table.
func pages(
	ctx context.Context, client *dynamodb.Client, table string, number, of int32, do func(page []item) error,
) error {
	scan := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: &table, ConsistentRead: aws.Bool(true), Segment: &number, TotalSegments: &of,
	})
	for scan.HasMorePages() {
		page, err := scan.NextPage(ctx)
		if err != nil {
			return err
		}
		if err := do(page.Items); err != nil {
			return err
		}
	}

	return nil
}

// project returns the target item of a source item.
func project(source item) item {
	target := maps.Clone(source)
	delete(target, orders.InternalNote)

	return target
}

func key(of item, names ...string) item {
	key := item{}
	for _, name := range names {
		key[name] = of[name]
	}

	return key
}

// text returns the text of an attribute that is a string.
func text(of item, name string) string {
	s, _ := of[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}

	return s.Value
}

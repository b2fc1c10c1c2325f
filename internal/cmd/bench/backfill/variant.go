package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/plain"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// variant is one of the ways of filling the target table of orders.Unique.
type variant struct {
	name  string
	title string
	// part of the items are in the source table: 1/part, and scaled says that the figures are multiplied.
	part   int
	scaled bool
	// inFlight is how many requests it has in flight at once.
	inFlight int
	// races says that it takes part in the races.
	races bool
	fill  func(ctx context.Context, o dynamodb.Options, writeUnits float64) error
}

// scale is the part of the items that is put one by one.
const scale = 100

var variants = []variant{
	{"loop", "a loop with Scan and PutItem", scale, true, 1, true, plainly(plain.Loop)},
	{"typed", "typed SDK, parallel Scan, BatchWriteItem", 1, false, plain.Segments, true, plainly(plain.Parallel)},
	{"diff", "the same, then compared as dynamodb-replicator does", 1, false, plain.Segments, true, plainly(plain.Diff)},
	{"ours", "this reconciler", 1, false, segments, true, reconcile(1)},
	{"ours_tenth", "the same, with a tenth of the items", 10, false, segments, false, reconcile(1)},
	{"ours_default", "the same with all items, 64 in flight by default", 1, false,
		segments * reconciler.DefaultInFlight, false, reconcile(reconciler.DefaultInFlight)},
}

// segments is how many the operator's command scans of a table of this size.
const segments = 8

func findVariant(name string) (variant, error) {
	i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
	if i < 0 {
		return variant{}, fmt.Errorf("there is no variant %q", name)
	}
	return variants[i], nil
}

func plainly(
	fill func(context.Context, *dynamodb.Client) error,
) func(context.Context, dynamodb.Options, float64) error {
	return func(ctx context.Context, o dynamodb.Options, _ float64) error { return fill(ctx, dynamodb.New(o)) }
}

// reconcile returns the backfill of the operator's command, with so many requests in flight for each
// segment.
func reconcile(inFlight int) func(context.Context, dynamodb.Options, float64) error {
	return func(ctx context.Context, o dynamodb.Options, writeUnits float64) error {
		engine := reconciler.New(orders.Unique(), reconciler.Options{
			DynamoDB: o, InFlight: inFlight, WriteUnits: writeUnits,
		})
		pass := engine.Passes(reconciler.Backfill)[0]
		errs := make([]error, segments)
		var all sync.WaitGroup
		for number := range segments {
			s := reconciler.Segment{Pass: pass, Number: number, Of: segments}
			all.Go(func() {
				for !s.Done && errs[number] == nil {
					errs[number] = engine.Page(ctx, &s, func(reconciler.Segment) error { return nil })
				}
			})
		}
		all.Wait()

		return errors.Join(errs...)
	}
}

// clientOptions are those of a client for an endpoint, with connections for all requests in flight.
func clientOptions(url string) dynamodb.Options {
	return dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = segments * reconciler.DefaultInFlight
		}),
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/runtime/compositekey"
	"github.com/replicatedtable/cdk-go/runtime/replicator"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// worldSpec has two targets: one with a composite key, and one whose writes are guarded, which has a
// part of the items and of their attributes.
func worldSpec(prefix string) spec.Spec {
	s := usersSpec(prefix)
	place := spec.Attribute{Name: "place", Type: spec.String}
	s.Targets[0].SortKey = &place
	s.Targets[0].KeySources = map[string]spec.KeySource{"place": {Parts: [][]string{{"zip"}, {"id"}}, Separator: "#"}}
	s.Targets = append(s.Targets, spec.Target{
		Table: spec.Table{TableName: s.Source.TableName + "-active", KeySchema: spec.KeySchema{
			PartitionKey: spec.Attribute{Name: "zip", Type: spec.String},
			SortKey:      &spec.Attribute{Name: "id", Type: spec.String},
		}},
		Projection: spec.Projection{Type: spec.Include, Attributes: []string{"name"}},
		Filter: &spec.Condition{Path: []string{"status"}, Operator: spec.Equals,
			Values: []spec.Value{{Type: "S", Text: "ACTIVE"}}},
		VersionAttribute: "v",
	})

	return s
}

// user returns a random item with the id.
func user(random *rand.Rand, id int) attributes {
	item := attributes{
		"id": text(fmt.Sprintf("user-%05d", id)), "city": text(fmt.Sprintf("city-%d", random.IntN(50))),
		"zip": text(fmt.Sprintf("zip-%d", random.IntN(20))), "name": text(fmt.Sprint(random.Uint64())),
		"status": text([]string{"ACTIVE", "LOCKED"}[random.IntN(2)]),
	}
	if random.IntN(20) == 0 {
		delete(item, "city") // sparse
	}
	return item
}

// mapped returns the items of both targets for an item of the source: what worldSpec says, written
// a second time.
func mapped(item attributes) (byCity, active attributes) {
	value := func(name string) string { return item[name].(*types.AttributeValueMemberS).Value }
	if item["city"] != nil {
		byCity = maps.Clone(item)
		byCity["place"] = text(compositekey.Join("#", value("zip"), value("id")))
	}
	if value("status") == "ACTIVE" {
		active = attributes{"zip": item["zip"], "id": item["id"], "name": item["name"]}
	}
	return byCity, active
}

// keyOf identifies an item by some of its attributes.
func keyOf(item attributes, names ...string) string {
	key := ""
	for _, name := range names {
		key += item[name].(*types.AttributeValueMemberS).Value + " "
	}
	return key
}

// scan returns the items of a table.
func (r *rig) scan(table string) []attributes {
	r.t.Helper()
	var items []attributes
	pages := dynamodb.NewScanPaginator(r.db, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.t.Context())
		check(r.t, err)
		items = append(items, page.Items...)
	}
	return items
}

// wantMapped compares both targets with what their source table maps to.
func (r *rig) wantMapped(s spec.Spec) {
	r.t.Helper()
	wantCity, wantActive := map[string]attributes{}, map[string]attributes{}
	for _, item := range r.scan(s.Source.TableName) {
		byCity, active := mapped(item)
		if byCity != nil {
			wantCity[keyOf(byCity, "city", "place")] = byCity
		}
		if active != nil {
			wantActive[keyOf(active, "zip", "id")] = active
		}
	}
	wants := []map[string]attributes{wantCity, wantActive}
	for i, target := range s.Targets {
		want := wants[i]
		found := map[string]attributes{}
		for _, item := range r.scan(target.TableName) {
			delete(item, "v")
			found[keyOf(item, target.PartitionKey.Name, target.SortKey.Name)] = item
		}
		missing, wrong := 0, 0
		for key, item := range want {
			switch {
			case found[key] == nil:
				missing++
			case !reflect.DeepEqual(found[key], item):
				wrong++
			}
			delete(found, key)
		}
		if missing+wrong+len(found) > 0 {
			r.t.Errorf("%s: of %d items %d are missing and %d are stale; %d are orphans",
				target.TableName, len(want), missing, wrong, len(found))
		}
	}
}

// fill puts items into a table, in batches.
func (r *rig) fill(table string, items []attributes) {
	r.t.Helper()
	const batch, workers = 25, 4
	batches := make(chan []types.WriteRequest)
	errs := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for requests := range batches {
				_, err := r.db.BatchWriteItem(r.t.Context(), &dynamodb.BatchWriteItemInput{
					RequestItems: map[string][]types.WriteRequest{table: requests}})
				if err != nil {
					errs[i] = err
				}
			}
		})
	}
	for len(items) > 0 {
		n := min(batch, len(items))
		requests := make([]types.WriteRequest, n)
		for i, item := range items[:n] {
			requests[i].PutRequest = &types.PutRequest{Item: item}
		}
		batches <- requests
		items = items[n:]
	}
	close(batches)
	all.Wait()
	for _, err := range errs {
		check(r.t, err)
	}
}

// existing creates the tables of a spec, fills the source table with items, and then turns its
// stream on: the stream knows nothing of these items.
func (r *rig) existing(s spec.Spec, items []attributes) {
	r.t.Helper()
	r.createTable(s.Source, "")
	for _, target := range s.Targets {
		r.createTable(target.Table, "")
	}
	r.fill(s.Source.TableName, items)
	_, err := r.db.UpdateTable(r.t.Context(), &dynamodb.UpdateTableInput{
		TableName: &s.Source.TableName, StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}})
	check(r.t, err)
}

// writer changes random items of the source table until it is stopped.
func (r *rig) writer(ctx context.Context, table string, random *rand.Rand, items int) error {
	for ctx.Err() == nil {
		id := random.IntN(items + items/10)
		item := user(random, id)
		var err error
		if random.IntN(4) == 0 {
			_, err = r.db.DeleteItem(context.WithoutCancel(ctx), &dynamodb.DeleteItemInput{
				TableName: &table, Key: attributes{"id": item["id"]}})
		} else {
			_, err = r.db.PutItem(context.WithoutCancel(ctx), &dynamodb.PutItemInput{TableName: &table, Item: item})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replication applies the stream of a source table to its targets.
type replication struct {
	stream  *eventsource.Stream
	handler *replicator.Replicator
	mapping eventsource.Mapping
}

func (r *rig) replication(s spec.Spec) *replication {
	r.t.Helper()
	environment := map[string]string{
		spec.EnvironmentVariable: s.Encode(), "AWS_REGION": r.config.Region, "AWS_ENDPOINT_URL": *r.config.BaseEndpoint,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}
	handler, err := replicator.New(func(name string) string { return environment[name] },
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	check(r.t, err)
	return &replication{
		stream: eventsource.Open(r.config, r.streamARN(s.Source.TableName)), handler: handler,
		mapping: eventsource.Mapping{PartialResponses: true, MaxRetryAttempts: -1},
	}
}

// drain applies what is in the stream now.
func (p *replication) drain(ctx context.Context) error {
	shards, err := p.stream.Shards(ctx)
	if err != nil {
		return err
	}
	_, err = p.mapping.Drain(ctx, shards, p.handler.Invoke)
	return err
}

// run applies the stream until ctx ends, and then what is left.
func (p *replication) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.drain(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	return p.drain(context.WithoutCancel(ctx))
}

func users(t testing.TB, n int) []attributes {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	var items []attributes
	for id := range n {
		items = append(items, user(random, id))
	}
	return items
}

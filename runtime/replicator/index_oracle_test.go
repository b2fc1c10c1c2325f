package replicator

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

var indexWrites = flag.Int("index.writes", 300, "source writes of each key shape of the index oracle")

// A second oracle, which is not this project's own: DynamoDB Local's global secondary
// index on the source table has the key of the target table. After any history both show
// the same items. Values that an index cannot hold (K7) are refused in the source already.
func TestTheTargetIsWhatAnIndexOfDynamoDBLocalShows(t *testing.T) {
	for _, shape := range indexShapes() {
		t.Run(shape.name, func(t *testing.T) {
			newIndexedSource(t, shape).check()
		})
	}
}

// indexShape is a key of the source and of the target, which an index can have too.
type indexShape struct {
	name string
	spec spec.Spec
}

func indexShapes() []indexShape {
	var shapes []indexShape
	attribute := func(name string, typ spec.AttributeType) *spec.Attribute {
		return &spec.Attribute{Name: name, Type: typ}
	}
	add := func(name string, source, target spec.KeySchema) {
		s := spec.Spec{Source: spec.Table{TableName: "source", KeySchema: source}, FailureQueueURL: "queue"}
		s.Targets = []spec.Target{{Table: spec.Table{TableName: "target", KeySchema: target}, Projection: all}}
		if len(s.MissingSourceKeys(s.Targets[0])) > 0 {
			s.Targets[0].OnKeyCollision, s.Targets[0].VersionAttribute = spec.LastWriterWins, spec.DefaultVersionAttribute
			name += ", last writer wins"
		}
		shapes = append(shapes, indexShape{name, s})
	}
	for i, typ := range []spec.AttributeType{spec.String, spec.Number, spec.Binary} {
		id, group := attribute("id", []spec.AttributeType{spec.Number, spec.Binary, spec.String}[i]), attribute("group", typ)
		since, other := attribute("since", typ), attribute("other", spec.String)
		one := spec.KeySchema{PartitionKey: *id}
		two := spec.KeySchema{PartitionKey: *id, SortKey: since}
		add(fmt.Sprintf("%s and the source key", typ), one, spec.KeySchema{PartitionKey: *group, SortKey: id})
		add(fmt.Sprintf("the source key and %s", typ), one, spec.KeySchema{PartitionKey: *id, SortKey: group})
		add(fmt.Sprintf("the source key the other way round, %s", typ), two, spec.KeySchema{PartitionKey: *since, SortKey: id})
		add(fmt.Sprintf("%s alone", typ), one, spec.KeySchema{PartitionKey: *group})
		add(fmt.Sprintf("%s and another", typ), one, spec.KeySchema{PartitionKey: *group, SortKey: other})
	}
	return shapes
}

// indexedSource is a source table with an index, its stream and a target table.
type indexedSource struct {
	t      *testing.T
	random *rand.Rand
	spec   spec.Spec
	db     *dynamodb.Client
	stream *eventsource.Stream
	r      *Replicator
}

func newIndexedSource(t *testing.T, shape indexShape) *indexedSource {
	t.Helper()
	endpoint := enginetest.DynamoDBLocal(t)
	account := "index" + strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}, shape.name)
	c := aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, APIOptions: awsconfig.APIOptions,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account, SecretAccessKey: "secret"}, nil
		}),
	}
	x := &indexedSource{t: t, random: rand.New(rand.NewPCG(1, 1)), spec: shape.spec, db: dynamodb.NewFromConfig(c)}
	x.create(shape.spec.Targets[0].Table, nil)
	x.stream = eventsource.Open(c, x.create(shape.spec.Source, &shape.spec.Targets[0].KeySchema))
	x.r = localCloud{t: t, endpoint: endpoint, account: account}.config().replicator(shape.spec, slog.New(slog.DiscardHandler))
	return x
}

// create creates a table, with an index if there is one, and returns its stream's ARN.
func (x *indexedSource) create(table spec.Table, index *spec.KeySchema) string {
	x.t.Helper()
	definitions := map[string]types.ScalarAttributeType{}
	elements := func(k spec.KeySchema) []types.KeySchemaElement {
		var list []types.KeySchemaElement
		for i, a := range k.Attributes() {
			definitions[a.Name] = types.ScalarAttributeType(a.Type)
			role := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]
			list = append(list, types.KeySchemaElement{AttributeName: &a.Name, KeyType: role})
		}
		return list
	}
	input := &dynamodb.CreateTableInput{
		TableName: &table.TableName, BillingMode: types.BillingModePayPerRequest, KeySchema: elements(table.KeySchema),
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
	if index != nil {
		input.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
			IndexName: aws.String("index"), KeySchema: elements(*index), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}
	}
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: definitions[name]})
	}
	out, err := x.db.CreateTable(x.t.Context(), input)
	if err != nil {
		x.t.Fatal(err)
	}
	return *out.TableDescription.LatestStreamArn
}

// check writes to the source, delivers the stream in batches, some of them twice, and
// compares the target with the index.
func (x *indexedSource) check() {
	x.t.Helper()
	for range *indexWrites {
		x.write()
	}
	shards, err := x.stream.Shards(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	m := eventsource.Mapping{
		BatchSize: 50, PartialResponses: true, MaxRetryAttempts: -1,
		Disturb: eventsource.Seeded(1, eventsource.Odds{Cut: 0.3, Rewind: 0.1, Reach: 100}),
	}
	if _, err := m.Drain(x.t.Context(), shards, x.r.Invoke); err != nil {
		x.t.Fatal(err)
	}

	target, index := x.scan("target", nil), x.scan("source", aws.String("index"))
	if len(index) == 0 {
		x.t.Fatal("the index is empty: nothing was compared")
	}
	shown := map[string]bool{} // keys
	for _, item := range target {
		delete(item, spec.DefaultVersionAttribute)
		shown[x.key(item)] = true
		if !slices.ContainsFunc(index, func(other attributes) bool { return show(other) == show(item) }) {
			x.t.Errorf("the index does not show %s", show(item))
		}
	}
	for _, item := range index {
		// Several items of an index can have one key. The target then shows one of them, or
		// none when the newest was deleted (K3).
		if collides := x.spec.Targets[0].OnKeyCollision != ""; !collides && !shown[x.key(item)] {
			x.t.Errorf("the target does not show %s", show(item))
		}
	}
	if collides := x.spec.Targets[0].OnKeyCollision != ""; !collides && len(target) != len(index) {
		x.t.Errorf("the target shows %d items, the index %d", len(target), len(index))
	}
}

func (x *indexedSource) key(item attributes) string {
	key := attributes{}
	for _, a := range x.spec.Targets[0].Attributes() {
		key[a.Name] = item[a.Name]
	}
	return show(key)
}

// write puts or deletes a random source item.
func (x *indexedSource) write() {
	x.t.Helper()
	item := attributes{}
	for _, a := range x.spec.Source.Attributes() {
		item[a.Name] = keyOf(a.Type, x.random.IntN(12))
	}
	if x.random.IntN(5) == 0 {
		_, err := x.db.DeleteItem(x.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("source"), Key: item})
		if err != nil {
			x.t.Fatal(err)
		}
		return
	}
	for _, a := range x.spec.Targets[0].Attributes() {
		if !x.spec.Source.Contains(a.Name) && x.random.IntN(5) > 0 {
			item[a.Name] = keyOf(a.Type, x.random.IntN(5))
		}
	}
	item["note"] = n(fmt.Sprint(x.random.IntN(3)))
	if _, err := x.db.PutItem(x.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("source"), Item: item}); err != nil {
		x.t.Fatal(err)
	}
}

// keyOf returns value number i of a key type.
func keyOf(typ spec.AttributeType, i int) types.AttributeValue {
	switch typ {
	case spec.Number:
		return n([]string{"-1", "0", "1.50", "100", "1e-3", "7"}[i%6] + strings.Repeat("0", i/6))
	case spec.Binary:
		return b(strings.Repeat("\xff", 1+i))
	default:
		return s([]string{"a", `b"é`, "c/#", "😀"}[i%4] + strings.Repeat("x", i/4))
	}
}

// scan reads a whole table or index.
func (x *indexedSource) scan(table string, index *string) []attributes {
	x.t.Helper()
	var items []attributes
	pages := dynamodb.NewScanPaginator(x.db, &dynamodb.ScanInput{TableName: &table, IndexName: index})
	for pages.HasMorePages() {
		page, err := pages.NextPage(x.t.Context())
		if err != nil {
			x.t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
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

// pair is a source and a target table in DynamoDB Local, the source's stream,
// and a replicator between them.
type pair struct {
	t          *testing.T
	spec       spec.Spec
	config     aws.Config
	db         *dynamodb.Client
	source     string
	streamARN  string
	stream     *eventsource.Stream
	replicator *Replicator
}

type attributes = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
func b(v string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(v)} }

// newPair creates the tables of a spec with one target, under a table name of the test's
// own.
func newPair(t *testing.T, sp spec.Spec) *pair {
	t.Helper()
	endpoint := enginetest.DynamoDBLocal(t)
	// DynamoDB Local keeps the tables of each access key apart, so every test has
	// an account of its own.
	account := "test" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, t.Name())
	p := &pair{t: t, source: "source", config: aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		APIOptions:   awsconfig.APIOptions,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account, SecretAccessKey: "secret"}, nil
		}),
	}}
	sp.Targets = slices.Clone(sp.Targets)
	sp.Targets[0].TableName = "target"
	p.spec = sp
	p.db = dynamodb.NewFromConfig(p.config)
	p.streamARN = p.create(p.source, sp.Source.KeySchema)
	p.create("target", sp.Targets[0].KeySchema)
	p.stream = eventsource.Open(p.config, p.streamARN)
	p.replicator = p.replicatorAt(endpoint)
	return p
}

// replicatorAt returns a replicator that reads its environment as the function
// does, with DynamoDB at endpoint.
func (p *pair) replicatorAt(endpoint string) *Replicator {
	p.t.Helper()
	credentials, _ := p.config.Credentials.Retrieve(p.t.Context())
	environment := map[string]string{
		spec.EnvironmentVariable: p.spec.Encode(),
		"AWS_REGION":             p.config.Region,
		"AWS_ACCESS_KEY_ID":      credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":  credentials.SecretAccessKey,
		"AWS_ENDPOINT_URL":       endpoint,
	}
	r, err := New(func(name string) string { return environment[name] },
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// create creates a table with a stream and returns the stream's ARN.
func (p *pair) create(name string, k spec.KeySchema) string {
	p.t.Helper()
	input := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	}
	for i, a := range k.Attributes() {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
		input.KeySchema = append(input.KeySchema, types.KeySchemaElement{
			AttributeName: &a.Name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
	}
	out, err := p.db.CreateTable(p.t.Context(), input)
	if err != nil {
		p.t.Fatal(err)
	}
	return *out.TableDescription.LatestStreamArn
}

func (p *pair) put(item attributes) {
	p.t.Helper()
	if _, err := p.db.PutItem(p.t.Context(), &dynamodb.PutItemInput{TableName: &p.source, Item: item}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) delete(key attributes) {
	p.t.Helper()
	if _, err := p.db.DeleteItem(p.t.Context(),
		&dynamodb.DeleteItemInput{TableName: &p.source, Key: key}); err != nil {
		p.t.Fatal(err)
	}
}

// records returns the new records of the source's stream.
func (p *pair) records() [][]byte {
	p.t.Helper()
	records, err := p.stream.Records(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return records
}

// deliver invokes the replicator with one batch and returns the sequence numbers that must
// be redelivered.
func (p *pair) deliver(records ...[]byte) []string {
	p.t.Helper()
	answer, err := p.replicator.Invoke(p.t.Context(), eventsource.Event(records...))
	if err != nil {
		p.t.Fatal(err)
	}
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(&response); err != nil {
		p.t.Fatalf("the response %s: %v", answer, err)
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// drain delivers all new records of the stream and expects success.
func (p *pair) drain() {
	p.t.Helper()
	if failed := p.deliver(p.records()...); len(failed) > 0 {
		p.t.Fatalf("records must be redelivered: %v", failed)
	}
}

// scan reads a whole table of a test.
func (p *pair) scan(table string) []attributes {
	p.t.Helper()
	out, err := p.db.Scan(p.t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Items
}

// items reads a table, without the version attribute, in a stable order.
func (p *pair) items(table string) []attributes {
	p.t.Helper()
	items := p.scan(table)
	for _, item := range items {
		delete(item, spec.DefaultVersionAttribute)
		for _, value := range item {
			switch v := value.(type) { // a set has no order
			case *types.AttributeValueMemberSS:
				slices.Sort(v.Value)
			case *types.AttributeValueMemberNS:
				slices.Sort(v.Value)
			case *types.AttributeValueMemberBS:
				slices.SortFunc(v.Value, bytes.Compare)
			}
		}
	}
	slices.SortFunc(items, func(a, b attributes) int { return strings.Compare(show(a), show(b)) })
	return items
}

// show returns the text of an item. Equal items have equal texts.
func show(item attributes) string {
	text, err := json.Marshal(item)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// wantTarget compares the target table with want, in any order.
func (p *pair) wantTarget(why string, want ...attributes) {
	p.t.Helper()
	slices.SortFunc(want, func(a, b attributes) int { return strings.Compare(show(a), show(b)) })
	got := p.items("target")
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		p.t.Errorf("%s\n missing %s\n unexpected %s", why, showAll(without(want, got)), showAll(without(got, want)))
	}
}

// without returns the items of a that are not in b.
func without(a, b []attributes) []attributes {
	return slices.DeleteFunc(slices.Clone(a), func(item attributes) bool {
		return slices.ContainsFunc(b, func(other attributes) bool { return reflect.DeepEqual(item, other) })
	})
}

func showAll(items []attributes) string {
	var lines []string
	for _, item := range items {
		lines = append(lines, show(item))
	}
	return fmt.Sprintf("%d items\n     %s", len(items), strings.Join(lines, "\n     "))
}

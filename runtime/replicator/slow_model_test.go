package replicator

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

var slowSteps = flag.Int("model.slow-steps", 2_000, "source writes of the model test on DynamoDB Local in all")

// The slow form of the model test: the source and the target are tables of
// DynamoDB Local, and the records are those of its stream. Time is real.
func TestTheTargetIsTheOracleAfterAnyHistoryOnDynamoDBLocal(t *testing.T) {
	endpoint := enginetest.DynamoDBLocal(t)
	total, found, seed := tally{faults: map[faults.Kind]int{}, checked: map[partiql.Kind]int{}}, 0, *modelSeed
	for ; total.steps < *slowSteps && found == 0; seed++ {
		// A number in the account's name keeps the worlds' tables apart.
		l := localCloud{t: t, endpoint: endpoint, account: fmt.Sprintf("model%d", seed)}
		w := newWorld(seed)
		streamARN := l.createTables(w.spec)
		var changes []sourceChange
		w.emit = func(c sourceChange) {
			c.expired = false // DynamoDB Local expires items at any time
			l.write(w, c)
			changes = append(changes, c)
		}
		for w.writes < 500 {
			w.write()
		}
		l.follow(w, changes, streamARN)
		guard := &guardWatch{world: w, db: l, checked: map[partiql.Kind]int{}}
		c := l.config()
		c.http = guard
		queued, violations, sum, err := w.drain(t, seed, cloud{
			config:     c,
			rules:      slowFaults(rand.New(rand.NewPCG(seed, 4))),
			batches:    []int{200}, // small ones would take too long
			refuses:    true,
			retryDelay: 10 * time.Millisecond,
			around:     func([]byte, string) func() { return func() {} },
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		sum.checked = guard.checked
		divergences := slices.Concat(w.divergences(l.items, queued), violations, guard.violations)
		for _, d := range divergences[:min(5, len(divergences))] {
			t.Errorf("seed %d: %s", seed, d)
		}
		total.add(sum)
		found += len(divergences)
	}
	t.Logf("seeds %d to %d on DynamoDB Local: %s, divergences %d", *modelSeed, seed-1, total, found)
}

// slowFaults returns rules for all kinds of faults, with delays that a test can wait for.
func slowFaults(random *rand.Rand) []faults.Rule {
	rules := randomFaults(random)[:1] // the items that the table refuses
	return append(rules,
		faults.Rule{Kind: faults.Throttled, Probability: 0.05},
		faults.Rule{Kind: faults.InternalServerError, Probability: 0.02},
		faults.Rule{Kind: faults.ServiceUnavailable, Probability: 0.02},
		faults.Rule{Kind: faults.ResetBefore, Probability: 0.02},
		faults.Rule{Kind: faults.ResetAfter, Probability: 0.02},
		faults.Rule{Kind: faults.Slow, Probability: 0.02, Delay: 30 * time.Millisecond},
		faults.Rule{Kind: faults.Unprocessed, Probability: 0.05},
		faults.Rule{Kind: faults.AccessDenied, Probability: 0.01},
		faults.Rule{Kind: faults.NotFound, Probability: 0.01},
	)
}

// localCloud is one account in DynamoDB Local.
type localCloud struct {
	t        *testing.T
	endpoint string
	account  string
}

func (l localCloud) config() config {
	return config{
		Config: awsconfig.Config{
			Region: "us-east-1",
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: l.account, SecretAccessKey: "secret"}, nil
			}),
			Endpoint: func(string) *string { return &l.endpoint },
		},
		inFlight: minInFlight,
		http:     awsconfig.NewHTTPClient(minInFlight),
	}
}

// Do sends a signed request.
func (l localCloud) Do(r *http.Request) (*http.Response, error) { return http.DefaultClient.Do(r) }

// Item returns an item in canonical form, or "".
func (l localCloud) Item(table string, key []byte) string {
	l.t.Helper()
	var out struct{ Item json.RawMessage }
	l.call("GetItem", fmt.Sprintf(`{"TableName":%q,"Key":%s,"ConsistentRead":true}`, table, key), &out)
	if out.Item == nil {
		return ""
	}
	item, err := memorydb.Canonical(out.Item)
	if err != nil {
		l.t.Fatal(err)
	}
	return item
}

// call sends a request. DynamoDB Local reads the account from the signature and does not
// check the rest of it.
func (l localCloud) call(operation, body string, out any) {
	l.t.Helper()
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.endpoint, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential="+l.account+"/20260101/us-east-1/dynamodb/aws4_request, "+
			"SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %v %s", operation, err, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		l.t.Fatal(err)
	}
}

// createTables creates both tables and returns the ARN of the source's stream.
func (l localCloud) createTables(s spec.Spec) (streamARN string) {
	l.t.Helper()
	var created struct {
		TableDescription struct{ LatestStreamArn string }
	}
	for _, target := range s.Targets {
		l.call("CreateTable", createTableBody(target.Table, ""), &created)
	}
	l.call("CreateTable", createTableBody(s.Source,
		`,"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}`), &created)
	return created.TableDescription.LatestStreamArn
}

// write carries out a change of the source table.
func (l localCloud) write(w *world, c sourceChange) {
	l.t.Helper()
	var none struct{}
	if c.after == nil {
		l.call("DeleteItem", fmt.Sprintf(`{"TableName":"source","Key":{%s}}`, w.ids[c.id]), &none)
		return
	}
	l.call("PutItem", fmt.Sprintf(`{"TableName":"source","Item":%s}`, w.json(c.after)), &none)
}

// follow reads the stream into the world's shards, and applies the changes to the oracle in
// the order of their records.
func (l localCloud) follow(w *world, changes []sourceChange, streamARN string) {
	l.t.Helper()
	c := l.config()
	local := aws.Config{Region: c.Region, Credentials: c.Credentials, BaseEndpoint: &l.endpoint}
	stream := eventsource.Open(local, streamARN)
	shards, err := stream.Shards(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	label := streamLabel([]byte(streamARN))
	for _, shard := range shards {
		for _, r := range shard.Records {
			w.apply(changes[0], int(r.Created.Unix()), string(label), r.SequenceNumber)
			changes = changes[1:]
		}
	}
	if len(changes) > 0 {
		l.t.Fatalf("the stream lacks %d records", len(changes))
	}
	w.shards = shards
}

// items returns the items of a table in canonical form.
func (l localCloud) items(table string) []string {
	l.t.Helper()
	var out struct{ Items []json.RawMessage }
	l.call("Scan", fmt.Sprintf(`{"TableName":%q,"ConsistentRead":true}`, table), &out)
	var items []string
	for _, item := range out.Items {
		text, err := memorydb.Canonical(item)
		if err != nil {
			l.t.Fatal(err)
		}
		items = append(items, text)
	}
	return items
}

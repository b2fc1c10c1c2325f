package incidents

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

const (
	// users is how many items the source table may have.
	users = 40
	burst = 2
	// often is how often the application writes a burst: in each period of an alarm. seldom is
	// for stories of many hours.
	often  = 4 * time.Minute
	seldom = time.Hour
)

// pass lets time pass, in which the application writes.
func (r *run) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		r.write(burst)
		time.Sleep(min(r.writeEvery, time.Until(end)))
	}
}

// fill puts all items.
func (r *run) fill() {
	for id := range users {
		r.put(id, false)
	}
	r.appendRecords()
}

// write makes changes to random items of the source table.
func (r *run) write(changes int) {
	for range changes {
		r.put(r.random.IntN(users), r.random.IntN(5) == 0)
	}
	r.appendRecords()
}

func (r *run) put(id int, remove bool) {
	item := attributes{"email": text(fmt.Sprintf("user-%d@example.com", id))}
	r.must(r.outside.run(func() error {
		if remove {
			_, err := r.db.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
				TableName: &r.spec.Source.TableName, Key: item})
			return err
		}
		item["state"] = text([]string{"WA", "OR", "CA"}[r.random.IntN(3)])
		// Two users never share a city: under LAST_WRITER_WINS one of them would hide the other.
		city := fmt.Sprintf("city %d of user %d", r.random.IntN(50), id)
		item["city"] = text(city)
		item["address"] = &types.AttributeValueMemberM{Value: attributes{"city": text(city)}}
		item["visits"] = &types.AttributeValueMemberN{Value: fmt.Sprint(r.random.IntN(1000))}
		_, err := r.db.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &r.spec.Source.TableName, Item: item})
		return err
	}))
}

// appendRecords reads what the stream has got, and tells the event source mapping.
func (r *run) appendRecords() {
	var shards []eventsource.Shard
	r.must(r.outside.run(func() (err error) {
		shards, err = r.stream.Shards(context.Background())
		return err
	}))
	r.poller.Append(shards)
}

// mapped are the items that a target has for an item of the source: what the construct's
// mapping says, written a second time.
func mapped(target int, item attributes) attributes {
	mapped := maps.Clone(item)
	if target == byPlace {
		city := item["address"].(*types.AttributeValueMemberM).Value["city"].(*types.AttributeValueMemberS).Value
		email := item["email"].(*types.AttributeValueMemberS).Value
		mapped["place"] = text(compositekey.Join("#", city, email))
	}
	return mapped
}

// The targets, by their place in the spec.
const (
	byState = iota
	byPlace
	byCity
)

// difference compares a target with the mapping of the source, and says what is wrong.
func (r *run) difference(target int) string {
	schema := r.spec.Targets[target].KeySchema
	key := func(item attributes) string {
		return fmt.Sprint(item[schema.PartitionKey.Name].(*types.AttributeValueMemberS).Value, " / ",
			item[schema.SortKey.Name].(*types.AttributeValueMemberS).Value)
	}
	want := map[string]attributes{}
	for _, item := range r.scan(r.spec.Source) {
		if _, isText := item["state"].(*types.AttributeValueMemberS); !isText {
			continue // without a key, or with one that no target can have
		}
		m := mapped(target, item)
		want[key(m)] = m
	}
	wrong, orphans := 0, 0
	for _, item := range r.scan(r.spec.Targets[target].Table) {
		delete(item, r.spec.Targets[target].VersionAttribute)
		switch expected := want[key(item)]; {
		case expected == nil:
			orphans++
		case !reflect.DeepEqual(expected, item):
			wrong++
		}
		delete(want, key(item))
	}
	missing := len(want)
	if missing+wrong+orphans == 0 {
		return ""
	}
	return fmt.Sprintf("%d items are missing, %d wrong, and %d have no source item", missing, wrong, orphans)
}

func (r *run) scan(table spec.Table) (items []attributes) {
	r.must(r.outside.run(func() error {
		out, err := r.db.Scan(context.Background(), &dynamodb.ScanInput{
			TableName: &table.TableName, ConsistentRead: aws.Bool(true)})
		if err == nil {
			items = out.Items
		}
		return err
	}))
	return items
}

// wantExact wants all targets, or some, to be the mapping of the source.
func (r *run) wantExact(targets ...int) {
	if len(targets) == 0 {
		targets = []int{byState, byPlace, byCity}
	}
	for _, target := range targets {
		if d := r.difference(target); d != "" {
			r.problem("%s: %s", r.spec.Targets[target].TableName, d)
		}
	}
}

// wantInexact wants a target to differ from the mapping of the source: otherwise the rest of
// the story would show nothing.
func (r *run) wantInexact(target int) {
	if r.difference(target) == "" {
		r.problem("%s is exact although it should not be", r.spec.Targets[target].TableName)
	}
}

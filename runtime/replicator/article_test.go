package replicator

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/article"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

// The article's function loses data in six ways. Each test runs one source history through
// the article's function, which must show the loss, and through the replicator, which must
// not.

// articleDrain delivers records to the article's function, as its event source
// mapping does. It has no answer, so no record is ever redelivered.
func (p *pair) articleDrain(records ...[]byte) {
	p.t.Helper()
	var event events.DynamoDBEvent
	if err := json.Unmarshal(eventsource.Event(records...), &event); err != nil {
		p.t.Fatal(err)
	}
	f := &article.Function{Client: p.db, TableName: "target", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	f.Handle(p.t.Context(), event)
}

// loses runs the article's function over the whole stream and expects the target to
// differ from want. Then it clears the target.
func (p *pair) loses(want ...attributes) {
	p.t.Helper()
	p.articleDrain(p.records()...)
	p.mustDiffer(want...)
	// The replicator gets an empty target and the same stream from its start.
	if err := p.recreateTarget(); err != nil {
		p.t.Fatal(err)
	}
	p.stream = eventsource.Open(p.config, p.streamARN)
}

func (p *pair) mustDiffer(want ...attributes) {
	p.t.Helper()
	if got := p.items("target"); reflect.DeepEqual(got, want) {
		p.t.Fatalf("the article's function must lose something here, but the target is right: %s", showAll(got))
	}
}

func user(email, state, city string) attributes {
	return attributes{"email": s(email), "state": s(state), "city": s(city)}
}

func TestHole1TypesOtherThanStringsAndBooleansAreLost(t *testing.T) {
	p := newPair(t, usersSpec())
	p.put(with(everyType(), user("ann", "NY", "Albany")))
	p.loses(p.items(p.source)...)
	p.drain()
	p.wantTarget("C2: all ten types arrive", p.items(p.source)...)
}

func TestHole2ADeletedItemStays(t *testing.T) {
	p := newPair(t, usersSpec())
	p.put(user("ann", "NY", "Albany"))
	p.delete(attributes{"email": s("ann")})
	p.loses()
	p.drain()
	p.wantTarget("D1: the target item goes with its source item")
}

func TestHole3AFailedWriteIsSwallowed(t *testing.T) {
	p := newPair(t, usersSpec())
	ann := user("ann", "NY", "Albany")
	p.put(ann)
	records := p.records()
	if err := p.dropTarget(); err != nil {
		t.Fatal(err)
	}
	p.articleDrain(records...) // logs and answers nothing: the record is done for Lambda
	if failed := p.deliver(records...); len(failed) != 1 {
		t.Fatalf("F2: the record must be reported, got %v", failed)
	}
	p.createTarget()
	p.mustDiffer(ann)
	if failed := p.deliver(records...); failed != nil {
		t.Fatal(failed)
	}
	p.wantTarget("a reported record is redelivered and applied", ann)
}

func TestHole4AMovedItemStaysUnderItsOldKeyToo(t *testing.T) {
	p := newPair(t, usersSpec())
	p.put(user("ann", "NY", "Albany"))
	p.put(user("ann", "NY", "Buffalo"))
	p.loses(user("ann", "NY", "Buffalo"))
	p.drain()
	p.wantTarget("D1: the old key is deleted", user("ann", "NY", "Buffalo"))
}

func TestHole5AnotherItemsTargetItemIsOverwritten(t *testing.T) {
	t.Run("unnoticed", func(t *testing.T) {
		sp := usersSpec()
		sp.Targets[0].OnKeyCollision, sp.Targets[0].VersionAttribute = "", ""
		if _, err := spec.Parse(sp.Encode()); err == nil {
			t.Error("K2: a mapping that is not unique must be refused until a policy is chosen")
		}
	})
	t.Run("by an older change", func(t *testing.T) {
		p := newPair(t, usersSpec())
		older := []byte(guardedRecord("INSERT", 1, 1, nil, user("ann", "NY", "Albany")))
		newer := []byte(guardedRecord("INSERT", 2, 2, nil, user("bob", "NY", "Albany")))
		want := user("bob", "NY", "Albany")

		p.articleDrain(older, newer)
		p.articleDrain(older) // redelivered
		p.mustDiffer(want)
		if err := p.recreateTarget(); err != nil {
			t.Fatal(err)
		}
		for _, batch := range [][][]byte{{older, newer}, {older}} {
			if failed := p.deliver(batch...); failed != nil {
				t.Fatal(failed)
			}
		}
		p.wantTarget("K3: the newest change wins, whatever is delivered again", want)
	})
	t.Run("avoided by a unique key", func(t *testing.T) {
		sp := usersSpec()
		sp.Targets[0].SortKey = &spec.Attribute{Name: "email", Type: spec.String}
		sp.Targets[0].OnKeyCollision, sp.Targets[0].VersionAttribute = "", ""
		p := newPair(t, sp)
		p.put(user("ann", "NY", "Albany"))
		p.put(user("bob", "NY", "Albany"))
		p.drain()
		p.wantTarget("K1: two source items never meet", user("ann", "NY", "Albany"), user("bob", "NY", "Albany"))
	})
}

func TestHole6ChangesFromBeforeTheMappingIsReadyAreMissed(t *testing.T) {
	// The construct's template test proves that its event source mapping starts at
	// TRIM_HORIZON; this test shows why that matters.
	p := newPair(t, usersSpec())
	p.put(user("ann", "NY", "Albany"))
	want := []attributes{user("ann", "NY", "Albany"), user("bob", "NY", "Buffalo")}

	p.records() // a mapping that starts at LATEST skips the existing records
	p.put(user("bob", "NY", "Buffalo"))
	p.articleDrain(p.records()...)
	p.mustDiffer(want...)
	if err := p.recreateTarget(); err != nil {
		t.Fatal(err)
	}
	p.stream = eventsource.Open(p.config, p.streamARN)
	p.drain()
	p.wantTarget("everything the stream holds is applied", want...)
}

func (p *pair) dropTarget() error {
	_, err := p.db.DeleteTable(p.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("target")})
	return err
}

func (p *pair) createTarget() { p.create("target", p.spec.Targets[0].KeySchema) }

func (p *pair) recreateTarget() error {
	if err := p.dropTarget(); err != nil {
		return fmt.Errorf("drop the target: %w", err)
	}
	p.createTarget()
	return nil
}

package replicator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/backoff"
	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// refusing is a rule: the table refuses the puts that contain text, for a reason in its own
// definition.
func refusing(text string) faults.Rule {
	holds := selects(text)
	return faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey,
		Select: func(w faults.Write) bool { return w.Put && holds(w) }}
}

// modifications returns records that change n items whose target items exist. Every other
// item moves to another target key.
func modifications(t *testing.T, f *function, n int) (records []string) {
	t.Helper()
	var insertions []string
	for i := range n {
		id := fmt.Sprint(i)
		group := []string{"g", "h"}[i%2]
		insertions = append(insertions, insertion(i+1, id))
		before, after := item("id", id, "group", "g"), item("id", id, "group", group, "note", "new")
		records = append(records, record("MODIFY", n+i+1, item("id", id), before, after))
	}
	f.invoke(t, insertions...)
	if items := f.db.Items("target"); len(items) != n {
		t.Fatalf("the target has %d of %d items", len(items), n)
	}
	return records
}

// guarded makes every write of a spec's target conditional.
func guarded(s spec.Spec) spec.Spec {
	s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
	return s
}

func TestATableThatRefusesEveryPutStopsTheStreamAndLosesNothing(t *testing.T) {
	// F7.
	for name, s := range map[string]spec.Spec{"batches": uniqueSpec(all), "guarded": guarded(uniqueSpec(all))} {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, s)
			const n = 1000
			records := modifications(t, f, n)
			before := f.db.Items("target")
			f.faults.Use(refusing("new"))

			if again := f.invoke(t, records...); !slices.Equal(again, []string{fmt.Sprint(n + 1)}) {
				t.Errorf("%d records are redelivered, want the batch from its first record", len(again))
			}
			if after := f.db.Items("target"); !slices.Equal(after, before) || len(f.queue.bodies) > 0 {
				t.Errorf("%d of %d items remain, %d records went to the failure queue",
					len(after), n, len(f.queue.bodies))
			}
			if log := f.log.String(); strings.Count(log, "\n") != 1 ||
				!strings.Contains(log, dynamodberror.AboutIndexKeyType.String()) || !strings.Contains(log, "WriteBrake") {
				t.Errorf("one line must name the reason and the remedy: %s", log)
			}

			// While the brake is on, an invocation tries one request.
			tried := f.faults.Injected()[faults.Poison]
			f.invoke(t, records...)
			if got := f.faults.Injected()[faults.Poison] - tried; got != 1 || len(f.queue.bodies) > 0 {
				t.Errorf("the next invocation sent %d requests, want 1; %d records went to the failure queue",
					got, len(f.queue.bodies))
			}

			// A put that succeeds ends the brake.
			f.faults.Use()
			if again := f.invoke(t, records...); again != nil {
				t.Errorf("%d records are redelivered", len(again))
			}
			items := strings.Join(f.db.Items("target"), "\n")
			if strings.Count(items, `"new"`) != n || strings.Count(items, `{"S":"h"}`) != n/2 {
				t.Error("not all changes were applied")
			}
			f.faults.Use(refusing("late"))
			if again := f.invoke(t, insertion(9999, "9999", "note", "late")); again != nil ||
				len(f.queue.bodies) != 1 {
				t.Errorf("%v is redelivered, %d records went to the failure queue: the brake must have ended",
					again, len(f.queue.bodies))
			}
		})
	}
}

func TestSmallInvocationsQueueAtMostTwentyFiveRecordsOfAWrongTable(t *testing.T) {
	// F7: counted over the invocations of one process.
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 100)
	f.faults.Use(refusing("new"))
	queued := 0
	for batch := range slices.Chunk(records, 10) {
		again := f.invoke(t, batch...)
		if again == nil {
			queued += len(batch)
		}
	}
	if queued != 20 || len(f.queue.bodies) != queued || len(f.db.Items("target")) != 100-queued {
		t.Errorf("%d records went to the failure queue with %d messages, the target has %d items; want 20, 20, 80",
			queued, len(f.queue.bodies), len(f.db.Items("target")))
	}
}

func TestATableThatRefusesNineInTenPutsIsWrongAndOneThatRefusesHalfIsNot(t *testing.T) {
	for _, test := range []struct {
		name  string
		fine  func(i int) bool
		wrong bool
	}{
		{"90 percent are refused", func(i int) bool { return i%10 == 0 }, true},
		{"half are refused", func(i int) bool { return i%2 == 0 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFunction(t, uniqueSpec(all), refusing("refused"))
			var records []string
			for i := range 500 {
				note := "refused"
				if test.fine(i) {
					note = "fine"
				}
				records = append(records, insertion(i+1, fmt.Sprint(i), "note", note))
			}
			again := f.invoke(t, records...)
			if test.wrong && (!slices.Equal(again, []string{"1"}) || len(f.queue.bodies) > 0) {
				t.Errorf("%d records are redelivered and %d went to the failure queue, want the whole batch and none",
					len(again), len(f.queue.bodies))
			}
			if !test.wrong && (again != nil || len(f.queue.bodies) != 250) {
				t.Errorf("%d records are redelivered and %d went to the failure queue, want none and 250",
					len(again), len(f.queue.bodies))
			}
		})
	}
}

func TestRefusalsForReasonsInTheItemsNeverStopTheStream(t *testing.T) {
	// F7, F1: a run of 1,000 items that are too large.
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 1000)
	rule := refusing("new")
	rule.Message = faults.TooLarge
	f.faults.Use(rule)
	for batch := range slices.Chunk(records, 300) {
		if again := f.invoke(t, batch...); again != nil {
			t.Errorf("%d records are redelivered", len(again))
		}
	}
	if len(f.queue.bodies) != 1000 || len(f.db.Items("target")) != 0 {
		t.Errorf("%d records went to the failure queue, and the target has %d items",
			len(f.queue.bodies), len(f.db.Items("target")))
	}
}

func TestWithoutTheBrakeEveryRefusedRecordGoesToTheFailureQueue(t *testing.T) {
	s := uniqueSpec(all)
	s.Targets[0].WriteBrakeDisabled = true
	f := newFunction(t, s)
	records := modifications(t, f, 100)
	f.faults.Use(refusing("new"))
	if again := f.invoke(t, records...); again != nil || len(f.queue.bodies) != 100 || len(f.db.Items("target")) != 0 {
		t.Errorf("%d records are redelivered, %d went to the failure queue, and the target has %d items",
			len(again), len(f.queue.bodies), len(f.db.Items("target")))
	}
	line := `"sent":100,"records":100,"reasons":[{"target":"target","reason":"ValidationException: ` +
		dynamodberror.AboutIndexKeyType.String() +
		`","count":100,"sequenceNumber":"` + fmt.Sprintf("%024d", 101) + `"}]`
	if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, line) {
		t.Errorf("one line must have the reason, its count and the first record: %s", log)
	}
}

func TestARedeliveredRecordCountsOnce(t *testing.T) {
	// F1: one poison record never stops its shard, even when the failure queue accepts it
	// late.
	f := newFunction(t, uniqueSpec(all), refusing("poison"))
	f.queue.refuse = func(string) error { return errors.New("no") }
	poison := insertion(1, "1", "note", "poison")
	for range 3 * maxRefusedInRow {
		f.invoke(t, poison)
	}
	f.queue.refuse = nil
	if again := f.invoke(t, poison); again != nil || len(f.queue.bodies) != 1 {
		t.Errorf("%v is redelivered, the queue has %d messages", again, len(f.queue.bodies))
	}
}

func TestTheRowEndsWithAPutThatSucceedsAndWithAnotherReason(t *testing.T) {
	other := refusing("other")
	other.Message = "an unknown text"
	f := newFunction(t, uniqueSpec(all), refusing("refused"), other)
	for i := range 4 * maxRefusedInRow {
		note := "refused"
		if i > 2*maxRefusedInRow {
			note = []string{"refused", "other"}[i/10%2]
		} else if i%20 == 0 {
			note = "fine"
		}
		if again := f.invoke(t, insertion(i+1, fmt.Sprint(i), "note", note)); again != nil {
			t.Fatalf("the stream stops at record %d", i)
		}
	}
}

func TestNothingIsDeletedBeforeItIsClearThatTheTableIsNotWrong(t *testing.T) {
	// 24 puts are refused, and three more have no answer before the deadline: with them
	// there could be 26 in a row.
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, guarded(uniqueSpec(all))) // a request for each write
		records := modifications(t, f, 24)
		before := f.db.Items("target")
		f.faults.Use(faults.Rule{Kind: faults.Throttled, Probability: 1, Select: selects("slow")}, unknown("new"))

		for i := range 3 {
			records = append(records, insertion(100+i, fmt.Sprint(100+i), "note", "slow"))
		}
		if again := f.invoke(t, records...); len(again) != len(records) {
			t.Errorf("got %v, want all records again", again)
		}
		if after := f.db.Items("target"); !slices.Equal(after, before) || len(f.queue.bodies) > 0 {
			t.Errorf("the target has %d of %d items; %d records went to the failure queue",
				len(after), len(before), len(f.queue.bodies))
		}
		if log := f.log.String(); !strings.Contains(log, "only when it is clear that the table is not wrong") {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestABrakedTargetThatDoesNotAnswerIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, uniqueSpec(all))
		records := modifications(t, f, 100)
		f.faults.Use(refusing("new"))
		f.invoke(t, records...)
		f.faults.Use(faults.Rule{Kind: faults.Throttled, Probability: 1})
		f.log.Reset()

		if again := f.invoke(t, records...); !slices.Equal(again, []string{"101"}) || len(f.queue.bodies) > 0 {
			t.Errorf("got %v, want the batch from its first record", again)
		}
		if got := f.faults.Injected()[faults.Throttled]; got != attempts {
			t.Errorf("%d requests were sent, want %d attempts at one", got, attempts)
		}
		if log := f.log.String(); !strings.Contains(log, "not everything was applied") {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestABrakedTargetContinuesWhenAnItemIsRefusedForAReasonOfItsOwn(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 100)
	f.faults.Use(refusing("new"))
	f.invoke(t, records...)
	large := refusing("new")
	large.Message = faults.TooLarge
	f.faults.Use(large)

	if again := f.invoke(t, records...); again != nil || len(f.queue.bodies) != 100 {
		t.Errorf("%d records are redelivered, %d went to the failure queue", len(again), len(f.queue.bodies))
	}
}

func TestABrakedTargetStillDeletesTheItemsThatTheSourceDeleted(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 100)
	f.faults.Use(refusing("new"))
	f.invoke(t, records...)
	removal := record("REMOVE", 300, item("id", "7"), item("id", "7", "group", "g"), "")
	if again := f.invoke(t, removal); again != nil || len(f.db.Items("target")) != 99 {
		t.Errorf("%v is redelivered, the target has %d items", again, len(f.db.Items("target")))
	}
}

// addIndex adds a secondary index on one attribute to the target table, and waits until it
// exists.
func (p *pair) addIndex(attribute string, typ types.ScalarAttributeType) {
	p.t.Helper()
	index := &types.CreateGlobalSecondaryIndexAction{
		IndexName:  aws.String("byAttribute"),
		KeySchema:  []types.KeySchemaElement{{AttributeName: &attribute, KeyType: types.KeyTypeHash}},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
	}
	input := &dynamodb.UpdateTableInput{
		TableName:                   aws.String("target"),
		AttributeDefinitions:        []types.AttributeDefinition{{AttributeName: &attribute, AttributeType: typ}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: index}},
	}
	for _, a := range p.spec.Targets[0].Attributes() {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
	}
	if _, err := p.db.UpdateTable(p.t.Context(), input); err != nil {
		p.t.Fatal(err)
	}
	active := func(d *types.TableDescription) bool {
		return d.TableStatus == types.TableStatusActive &&
			d.GlobalSecondaryIndexes[0].IndexStatus == types.IndexStatusActive
	}
	for {
		out, err := p.db.DescribeTable(p.t.Context(), &dynamodb.DescribeTableInput{TableName: input.TableName})
		if err != nil {
			p.t.Fatal(err)
		}
		if active(out.Table) {
			return
		}
		backoff.Sleep(p.t.Context(), 10*time.Millisecond)
	}
}

func TestAnIndexWithAKeyOfTheWrongTypeStopsTheStreamOnDynamoDBLocal(t *testing.T) {
	// F7: somebody adds an index to the target table, and no item fits it.
	for name, mapping := range map[string]spec.Spec{"batches": uniqueSpec(all), "guarded": guarded(uniqueSpec(all))} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, mapping)
			// DynamoDB Local takes such an item from an UPDATE, and refuses it from PutItem only.
			singly(p.replicator)
			put := func(i int, value types.AttributeValue) {
				p.put(attributes{"id": s(fmt.Sprint(i)), "group": s("g"), "note": value})
			}
			const items = 60
			for i := range items {
				put(i, s("old"))
			}
			p.drain()
			p.addIndex("note", types.ScalarAttributeTypeN)
			before := p.items("target")
			for i := range items {
				put(i, s("new"))
			}
			records := p.records()

			// Nothing answers at the failure queue's address: if a record were sent there,
			// that record would be redelivered, not the whole batch.
			if again := p.deliver(records...); len(again) != 1 {
				t.Errorf("%d records are redelivered, want the batch from its first record", len(again))
			}
			p.wantTarget("nothing may be deleted", before...)
		})
	}
}

func TestTheReasonsOfRefusalsAreThoseOfDynamoDBLocal(t *testing.T) {
	p := newPair(t, uniqueSpec(all))
	p.addIndex("indexed", types.ScalarAttributeTypeS)
	nested := s("x")
	for range 33 {
		nested = &types.AttributeValueMemberL{Value: []types.AttributeValue{nested}}
	}
	for name, test := range map[string]struct {
		attribute string
		value     types.AttributeValue
		want      dynamodberror.Reason
	}{
		"the type of an index key": {"indexed", n("1"), dynamodberror.AboutIndexKeyType},
		"an empty index key":       {"indexed", s(""), dynamodberror.AboutIndexKeySize},
		"an index key that is too long": {
			"indexed", s(strings.Repeat("x", mapping.MaxPartitionKeyBytes+1)), dynamodberror.AboutIndexKeySize,
		},
		"an item that is too large":     {"note", s(strings.Repeat("x", 400<<10)), dynamodberror.AboutItem},
		"an item that is nested deeply": {"note", nested, dynamodberror.AboutItem},
		"a number that is too large":    {"note", n("1e200"), dynamodberror.AboutItem},
		"a number that is too small":    {"note", n("1e-200"), dynamodberror.AboutItem},
		"a number of too many digits":   {"note", n(strings.Repeat("1", 39)), dynamodberror.AboutItem},
		"no number":                     {"note", n("x"), dynamodberror.AboutItem},
		"an empty set":                  {"note", &types.AttributeValueMemberSS{Value: []string{}}, dynamodberror.AboutItem},
		"a set with an element twice": {
			"note", &types.AttributeValueMemberSS{Value: []string{"a", "a"}}, dynamodberror.AboutItem,
		},
		"NULL where the index wants one": {"indexed", &types.AttributeValueMemberNULL{Value: true}, dynamodberror.AboutUnknown},
	} {
		item := attributes{"id": s("1"), "group": s("g"), test.attribute: test.value}
		_, err := p.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("target"), Item: item})
		if got := dynamodberror.ReasonOf(err); err == nil || got != test.want {
			t.Errorf("%s: got %d, want %d: %v", name, got, test.want, err)
		}
	}
}

func TestTheReasonsOfRefusalsAreThoseOfDynamoDB(t *testing.T) {
	// DynamoDB Local has other texts: these are DynamoDB's, quoted from public reports.
	for message, want := range map[string]dynamodberror.Reason{
		"One or more parameter values were invalid: " +
			"Type mismatch for Index Key a Expected: S Actual: NULL IndexName: i": dynamodberror.AboutIndexKeyType,
		"One or more parameter values were invalid: " +
			"Size of hashkey has exceeded the maximum size limit of2048 bytes": dynamodberror.AboutIndexKeySize,
		"One or more parameter values were invalid: " +
			"Aggregated size of all range keys has exceeded the size limit of 1024 bytes": dynamodberror.AboutIndexKeySize,

		"Attempting to store more than 38 significant digits in a Number":                       dynamodberror.AboutItem,
		"The parameter cannot be converted to a numeric value: x":                               dynamodberror.AboutItem,
		"Item size to update has exceeded the maximum allowed size":                             dynamodberror.AboutItem,
		"Supplied AttributeValue is empty, must contain exactly one of the supported datatypes": dynamodberror.AboutItem,

		"an unknown text": dynamodberror.AboutUnknown,
	} {
		if got := dynamodberror.ReasonOf(answered(400, "ValidationException", message)); got != want {
			t.Errorf("%q: got %d, want %d", message, got, want)
		}
	}
	tooLarge := answered(400, "ItemCollectionSizeLimitExceededException", "Collection size exceeded.")
	if got := dynamodberror.ReasonOf(tooLarge); got != dynamodberror.AboutItem {
		t.Errorf("the size of an item's collection: got %d", got)
	}
}

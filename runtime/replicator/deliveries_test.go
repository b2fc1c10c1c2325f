package replicator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// The deliveries are strange but legal, or the result of a mistake elsewhere.
func TestStrangeDeliveriesAreAppliedOrReported(t *testing.T) {
	manyAttributes := func(n int) string {
		members := []string{`"id":{"S":"1"}`}
		for i := range n {
			members = append(members, fmt.Sprintf(`"attribute%d":{"N":"%d"}`, i, i))
		}
		return "{" + strings.Join(append(members, `"group":{"S":"g"}`), ",") + "}"
	}
	// DynamoDB nests values 32 levels deep: 31 lists around a scalar.
	deep := `{"id":{"S":"1"},"group":{"S":"g"},"deep":` + strings.Repeat(`{"L":[`, 31) + `{"S":"x"}` +
		strings.Repeat(`]}`, 31) + `}`
	keys := item("id", "1")
	whole := item("id", "1", "group", "g")
	moved := func(sequence int) string {
		return record("MODIFY", sequence, keys, whole, item("id", "1", "group", "h"))
	}

	for _, test := range []struct {
		name, why string
		payload   []byte
		want      []string // items of the target
		again     bool     // records are redelivered
		messages  int      // in the failure queue
	}{
		{"no records", "there is nothing to do", []byte(`{"Records":[]}`), nil, false, 0},
		{"a record twice", "delivery is at least once, also within a batch",
			payload(insertion(1, "1"), insertion(1, "1")), []string{whole}, false, 0},
		{"records of another table",
			"somebody mapped another stream to the function: its records are neither applied nor queued",
			payload(strings.Replace(insertion(1, "1"), "table/source/", "table/other/", 1), insertion(2, "2")),
			nil, true, 0},
		{"a stream without old images", "moves of items would be invisible: the stream must be repaired",
			payload(insertion(1, "1"),
				strings.Replace(insertion(2, "2"), `"Keys"`, `"StreamViewType":"NEW_IMAGE","Keys"`, 1)), nil, true, 0},
		{"half a surrogate pair", "DynamoDB lets it through; one such string must not stop the stream",
			payload(record("INSERT", 1, keys, "", `{"id":{"S":"1"},"group":{"BOOL":true},"note":{"S":"\ud83d"}}`),
				insertion(2, "2")), []string{item("id", "2", "group", "g")}, false, 1},
		{"half a surrogate pair in a source key", "only this record is wrong: the stream continues",
			payload(insertion(1, "1"),
				record("INSERT", 2, `{"id":{"S":"\ud83d"}}`, "", `{"id":{"S":"\ud83d"},"group":{"S":"g"}}`),
				insertion(3, "3")),
			[]string{whole, item("id", "3", "group", "g")}, false, 1},
		{"an attribute value that is null",
			"D6 and F1: the record goes to the failure queue, and the older item is deleted",
			payload(insertion(1, "1"), insertion(2, "2"),
				strings.Replace(moved(3), `"group":{"S":"h"}`, `"group":null`, 1)),
			[]string{item("id", "2", "group", "g")}, false, 1},
		{"an identity that is null", "the author is an application",
			payload(strings.Replace(insertion(1, "1"), `{"eventName"`, `{"userIdentity":null,"eventName"`, 1)),
			[]string{whole}, false, 0},
		{"an unknown event name", "its effect on the item is not known",
			payload(strings.Replace(insertion(1, "1"), "INSERT", "UPSERT", 1)), nil, false, 1},
		{"fields of the future", "unknown fields are ignored",
			payload(strings.Replace(insertion(1, "1"), `{"eventName"`, `{"future":{"a":[{}]},"eventName"`, 1)),
			[]string{whole}, false, 0},
		{"no Keys", "the source item cannot be identified",
			payload(strings.Replace(insertion(1, "1"), `"Keys"`, `"Quays"`, 1)), nil, false, 1},
		{"10,000 attributes", "an item may have them",
			payload(record("INSERT", 1, keys, "", manyAttributes(10_000))),
			[]string{manyAttributes(10_000)}, false, 0},
		{"10,000 attributes, one changed", "comparing both images must be fast",
			payload(record("MODIFY", 1, keys, manyAttributes(9_999), manyAttributes(10_000))),
			[]string{manyAttributes(10_000)}, false, 0},
		{"32 levels deep", "a value is carried, not walked",
			payload(record("INSERT", 1, keys, "", deep)), []string{deep}, false, 0},
		{"sequence numbers of 21 to 40 digits", "their width varies", payload(
			strings.Replace(insertion(1, "1"), fmt.Sprintf("%024d", 1), strings.Repeat("1", 21), 1),
			strings.Replace(moved(2), fmt.Sprintf("%024d", 2), strings.Repeat("2", 40), 1)),
			[]string{item("id", "1", "group", "h")}, false, 0},
		{"no sequence number", "it cannot be named, but the failure queue accepts it",
			payload(insertion(1, "1"), strings.Replace(insertion(2, "2"), `"SequenceNumber"`, `"Number"`, 1)),
			[]string{whole}, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFunction(t, uniqueSpec(all))
			answer, err := f.Invoke(t.Context(), test.payload)
			if err != nil {
				t.Fatal(err)
			}
			if again := string(answer) != `{"batchItemFailures":[]}`; again != test.again {
				t.Errorf("%s: the answer is %s", test.why, answer)
			}
			if got := f.db.Items("target"); len(got) != len(test.want) {
				t.Errorf("%s: the target has %d items, want %d", test.why, len(got), len(test.want))
			} else {
				for i := range got {
					if want := canonical(t, test.want[i]); got[i] != want {
						t.Errorf("%s\n got %.300s\nwant %.300s", test.why, got[i], want)
					}
				}
			}
			if len(f.queue.bodies) != test.messages {
				t.Errorf("%s: the failure queue has %d messages, want %d",
					test.why, len(f.queue.bodies), test.messages)
			}
		})
	}
}

func canonical(t *testing.T, item string) string {
	t.Helper()
	text, err := memorydb.Canonical([]byte(item))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheLargestPayloadIsApplied(t *testing.T) {
	// Lambda ends a batch at 6 MB. That is many small records or a few large ones.
	for _, size := range []int{600, 300_000} {
		f := newFunction(t, uniqueSpec(all))
		var records []string
		for n := 0; n < 6<<20; {
			records = append(records,
				insertion(len(records)+1, fmt.Sprint(len(records)), "note", strings.Repeat("x", size)))
			n += len(records[len(records)-1]) + 1
		}
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("%d records are redelivered", len(again))
		}
		if n := len(f.db.Items("target")); n != len(records) {
			t.Errorf("the target has %d of %d items", n, len(records))
		}
	}
}

func TestExpiredItemsAreDeletedOrKeptAsConfigured(t *testing.T) {
	// D5.
	whole := item("id", "1", "group", "g")
	removal := record("REMOVE", 2, item("id", "1"), whole, "")
	expired := expiry(2, "1", whole)
	for _, test := range []struct {
		name  string
		keep  bool
		last  string
		items int
	}{
		{"an expired item is deleted by default", false, expired, 0},
		{"an expired item is kept on request", true, expired, 1},
		{"an item that an application deletes is deleted in any case", true, removal, 0},
		{"a user of another name is an application", true,
			strings.Replace(expired, "dynamodb.amazonaws.com", "AIDA", 1), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := uniqueSpec(all)
			if test.keep {
				s.Targets[0].ExpiredItems = spec.KeepExpired
			}
			f := newFunction(t, s)
			f.invoke(t, insertion(1, "1"))
			f.invoke(t, test.last)
			if items := f.db.Items("target"); len(items) != test.items {
				t.Errorf("the target has %v", items)
			}
		})
	}
}

func TestAKeptItemStaysWhenItsSourceItemIsInsertedAgain(t *testing.T) {
	// In one batch: the item changes, expires and is kept, and is inserted again under
	// another target key. Its last state must be written before that.
	s := uniqueSpec(all)
	s.Targets[0].ExpiredItems = spec.KeepExpired
	f := newFunction(t, s)
	state := func(group string) string { return item("id", "1", "group", group) }
	expiry := strings.TrimSuffix(record("REMOVE", 3, item("id", "1"), state("b"), ""), "}") +
		`,"userIdentity":{"principalId":"dynamodb.amazonaws.com"}}`
	if again := f.invoke(t,
		record("INSERT", 1, item("id", "1"), "", state("a")),
		record("MODIFY", 2, item("id", "1"), state("a"), state("b")),
		expiry,
		record("INSERT", 4, item("id", "1"), "", state("c"))); again != nil {
		t.Errorf("records are redelivered: %v", again)
	}
	want := []string{canonical(t, state("b")), canonical(t, state("c"))}
	if got := f.db.Items("target"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTheFilterDecidesWhichItemsHaveATargetItem(t *testing.T) {
	// D4: an item that enters the filter is put, one that drops out of it is deleted.
	s := uniqueSpec(all)
	s.Targets[0].Filter = &spec.Condition{Path: []string{"status"}, Operator: spec.Equals,
		Values: []spec.Value{{Type: "S", Text: "on"}}}
	f := newFunction(t, s)
	state := func(status string) string { return item("id", "1", "group", "g", "status", status) }
	for n, step := range []struct {
		record string
		items  int
	}{
		{record("INSERT", 1, item("id", "1"), "", state("off")), 0},
		{record("MODIFY", 2, item("id", "1"), state("off"), state("on")), 1},
		{record("MODIFY", 3, item("id", "1"), state("on"), state("off")), 0},
		{record("MODIFY", 4, item("id", "1"), state("off"), state("on")), 1},
		{record("REMOVE", 5, item("id", "1"), state("on"), ""), 0},
	} {
		f.invoke(t, step.record)
		if items := f.db.Items("target"); len(items) != step.items {
			t.Errorf("after step %d the target has %v, want %d items", n, items, step.items)
		}
	}
}

func TestTheVersionGuardNeverShowsAnOlderState(t *testing.T) {
	s := uniqueSpec(all)
	s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
	f := newFunction(t, s)
	first := insertion(9, "1", "note", "first")
	second := record("MODIFY", 10, item("id", "1"), item("id", "1", "group", "g", "note", "first"),
		item("id", "1", "group", "g", "note", "second"))
	f.invoke(t, first, second)
	f.invoke(t, first) // a redelivery that stops before the second record
	want := strings.TrimSuffix(item("id", "1", "group", "g", "note", "second"), "}") +
		fmt.Sprintf(`,%q:{"S":"2026-01-02T03:04:05.678/%040d/%s"}}`, spec.DefaultVersionAttribute, 10,
			mapping.Fingerprint([][]byte{[]byte("group"), []byte("id"), []byte("note")}))
	if got := f.db.Items("target"); len(got) != 1 || got[0] != canonical(t, want) {
		t.Errorf("got %v, want %s", got, want)
	}
}

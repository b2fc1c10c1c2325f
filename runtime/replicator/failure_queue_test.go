package replicator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

func TestARecordThatCanNeverBeAppliedGoesToTheFailureQueueAndCountsAsDone(t *testing.T) {
	// F1. The other records are applied, and the shard continues.
	bad := record("MODIFY", 2, item("id", "2"), item("id", "2", "group", "g", "secret", "s3cret"),
		`{"id":{"S":"2"},"group":{"N":"7"}}`)
	f := newFunction(t, uniqueSpec(all))
	if again := f.invoke(t, insertion(1, "1"), bad, insertion(3, "3")); again != nil {
		t.Errorf("records are redelivered: %v", again)
	}
	if items := f.db.Items("target"); len(items) != 2 {
		t.Errorf("the neighbours must be applied: %v", items)
	}
	messages := f.queue.messages(t)
	if len(messages) != 1 {
		t.Fatalf("got %d messages, want 1", len(messages))
	}
	got := messages[0]
	want := failurequeue.Message{
		Version:        1,
		Kind:           failurequeue.KindRecord,
		Reason:         `key attribute "group" has type N, the key schema says S`,
		TargetTable:    "target",
		StreamARN:      "arn:aws:dynamodb:eu-west-1:123456789012:table/source/stream/2026-01-02T03:04:05.678",
		EventName:      "MODIFY",
		SequenceNumber: fmt.Sprintf("%024d", 2),
		CreatedAt:      json.RawMessage("1700000002"),
		SourceKey:      json.RawMessage(`{"id":{"S":"2"}}`),
		OldImage:       json.RawMessage(item("id", "2", "group", "g", "secret", "s3cret")),
		NewImage:       json.RawMessage(`{"id":{"S":"2"},"group":{"N":"7"}}`),
	}
	if encodeMessage(got) != encodeMessage(want) {
		t.Errorf("got  %s\nwant %s", encodeMessage(got), encodeMessage(want))
	}
	if log := f.log.String(); !strings.Contains(log, "failure queue") || strings.Contains(log, "s3cret") {
		t.Errorf("the log must say that a record went to the failure queue, and quote nothing of it: %s", log)
	}
}

func TestARecordThatCannotBeDecodedGoesToTheFailureQueueAsAWhole(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	bad := `{"eventName":"INSERT","dynamodb":{"SequenceNumber":"2","Keys":{"id":{"S":"2"}},"NewImage":["no image"]}}`
	if again := f.invoke(t, insertion(1, "1"), " \n"+bad, insertion(3, "3")); again != nil {
		t.Errorf("records are redelivered: %v", again)
	}
	messages := f.queue.messages(t)
	if len(messages) != 1 || string(messages[0].Record) != bad || messages[0].TargetTable != "" ||
		messages[0].LeftOut {
		t.Errorf("got %+v", messages)
	}
}

func TestAnItemThatTheTableRefusesIsFoundWithoutFailingOthers(t *testing.T) {
	// F1. One bad item refuses a whole BatchWriteItem call.
	for _, guarded := range []bool{false, true} {
		s := uniqueSpec(all)
		if guarded {
			s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
		}
		f := newFunction(t, s, faults.Rule{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
			return w.Put && bytes.Contains(w.Attributes, []byte("poison"))
		}})
		var records []string
		for i := range 60 {
			note := "fine"
			if i == 7 || i == 31 || i == 32 {
				note = "poison"
			}
			records = append(records, insertion(i, fmt.Sprint(i), "note", note))
		}
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("records are redelivered: %v", again)
		}
		if n := len(f.db.Items("target")); n != 57 {
			t.Errorf("the target has %d items, want the 57 neighbours", n)
		}
		var keys []string
		for _, m := range f.queue.messages(t) {
			keys = append(keys, string(m.SourceKey))
		}
		if want := []string{item("id", "7"), item("id", "31"), item("id", "32")}; !slices.Equal(keys, want) {
			t.Errorf("the failure queue has %v, want %v", keys, want)
		}
		if log := f.log.String(); strings.Contains(log, "poison") {
			t.Errorf("the log quotes the item: %s", log)
		}
	}
}

func TestARefusedPutDeletesTheOlderState(t *testing.T) {
	// D6: the older state is outdated, and the new one cannot be shown.
	f := newFunction(t, uniqueSpec(all),
		faults.Rule{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
			return w.Put && bytes.Contains(w.Attributes, []byte("poison"))
		}})
	f.invoke(t, insertion(1, "1", "note", "fine"))
	f.invoke(t, record("MODIFY", 2, item("id", "1"), item("id", "1", "group", "g", "note", "fine"),
		item("id", "1", "group", "g", "note", "poison")))
	if items := f.db.Items("target"); len(items) != 0 {
		t.Errorf("the target still shows %v", items)
	}
}

func TestAMessageOmitsImagesThatDoNotFitAndSaysSo(t *testing.T) {
	large := strings.Repeat("x", 600_000)
	f := newFunction(t, uniqueSpec(all))
	f.invoke(t,
		record("MODIFY", 1, item("id", "1"), item("id", "1", "group", "g", "note", large),
			`{"id":{"S":"1"},"group":{"BOOL":true},"note":{"S":"`+large+`"}}`),
		record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":{"BOOL":true},"note":{"S":"`+large+`"}}`))
	messages := f.queue.messages(t)
	if len(messages) != 2 || !messages[0].LeftOut || messages[0].NewImage != nil || messages[0].OldImage != nil ||
		messages[0].SourceKey == nil {
		t.Fatalf("the first message must be without images and say so: %d messages", len(messages))
	}
	if messages[1].LeftOut || len(messages[1].NewImage) < len(large) {
		t.Error("the second message fits and must be whole")
	}
	for _, body := range f.queue.bodies {
		if len(body) > maxQueueBytes {
			t.Errorf("a message has %d bytes", len(body))
		}
	}
}

func TestAMessageHoldsOnlyCharactersThatSQSAccepts(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	f.invoke(t, record("INSERT", 1, item("id", "1"), "",
		"{\"id\":{\"S\":\"1\"},\"group\":{\"BOOL\":true},\"note\":{\"S\":\"a\uffffb\ufffec<&>\"}}"))
	if body := f.queue.bodies[0]; strings.ContainsAny(body, "\ufffe\uffff") ||
		!strings.Contains(body, `a\uffffb\ufffec<&>`) {
		t.Errorf("got %s", body)
	}
	if got := string(f.queue.messages(t)[0].NewImage); !strings.Contains(got, `\uffff`) {
		t.Errorf("the character is lost: %s", got)
	}
}

func TestARecordThatTheFailureQueueDoesNotAcceptIsRedelivered(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	bad := func(n int) string {
		return record("INSERT", n, item("id", fmt.Sprint(n)), "",
			fmt.Sprintf(`{"id":{"S":"%d"},"group":{"BOOL":true}}`, n))
	}
	f.queue.refuse = func(body string) error {
		if strings.Contains(body, `{"id":{"S":"3"}}`) {
			return errors.New("no")
		}
		return nil
	}
	again := f.invoke(t, bad(1), insertion(2, "2"), bad(3), insertion(4, "4"))
	if !slices.Equal(again, []string{"3"}) {
		t.Errorf("got %v, want the one record that the queue did not accept", again)
	}
	if len(f.queue.bodies) != 1 || len(f.db.Items("target")) != 2 {
		t.Errorf("the others are done: %d messages, %d items", len(f.queue.bodies), len(f.db.Items("target")))
	}
}

func TestAPermanentFailureBehindATransientOneWaitsForIt(t *testing.T) {
	// It is redelivered anyway, and one message is enough.
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, uniqueSpec(all),
			faults.Rule{Kind: faults.Throttled, Probability: 1, Select: selects(`"S":"1"`)})
		bad := record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":{"BOOL":true}}`)
		if again := f.invoke(t, insertion(1, "1"), bad); !slices.Equal(again, []string{"1", "2"}) {
			t.Errorf("got %v, want both", again)
		}
		if len(f.queue.bodies) != 0 {
			t.Errorf("the queue has %d messages already", len(f.queue.bodies))
		}
		f.faults.Use()
		if again := f.invoke(t, insertion(1, "1"), bad); again != nil {
			t.Errorf("got %v", again)
		}
		if len(f.queue.bodies) != 1 {
			t.Errorf("the queue has %d messages, want 1", len(f.queue.bodies))
		}
	})
}

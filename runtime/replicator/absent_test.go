package replicator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// groupedSpec is uniqueSpec with a partition key of the type.
func groupedSpec(typ spec.AttributeType) spec.Spec {
	s := uniqueSpec(all)
	s.Targets[0].PartitionKey.Type = typ
	return s
}

func TestNullAndEmptyKeyAttributesCountAsAbsent(t *testing.T) {
	// K7, K6: no target item, no message.
	for _, absent := range []string{`{"NULL":true}`, `{"S":""}`, `{"B":""}`, `{ "NULL" : true }`, `{ "S" : "" }`} {
		for _, typ := range []spec.AttributeType{spec.String, spec.Number, spec.Binary} {
			f := newFunction(t, groupedSpec(typ))
			value := map[spec.AttributeType]string{
				spec.String: `{"S":"g"}`, spec.Number: `{"N":"1"}`, spec.Binary: `{"B":"AA=="}`,
			}[typ]
			here := fmt.Sprintf(`{"id":{"S":"1"},"group":%s}`, value)
			none := fmt.Sprintf(`{"id":{"S":"1"},"group":%s}`, absent)
			for n, step := range []struct {
				record string
				items  int
			}{
				{record("INSERT", 1, item("id", "1"), "", none), 0},
				{record("MODIFY", 2, item("id", "1"), none, here), 1},
				{record("MODIFY", 3, item("id", "1"), here, none), 0},
				{record("REMOVE", 4, item("id", "1"), none, ""), 0},
			} {
				if again := f.invoke(t, step.record); again != nil {
					t.Errorf("%s as a key of type %s, step %d: the record is redelivered", absent, typ, n)
				}
				if items := f.db.Items("target"); len(items) != step.items {
					t.Errorf("%s as a key of type %s, step %d: the target has %v", absent, typ, n, items)
				}
			}
			if len(f.queue.bodies) > 0 {
				t.Errorf("%s as a key of type %s: %d messages", absent, typ, len(f.queue.bodies))
			}
		}
	}
}

func TestNullAsAPartOfACompositeCountsAsAbsentAndAnEmptyPartDoesNot(t *testing.T) {
	// K7, K4.
	for _, test := range []struct{ city, place string }{
		{`{"NULL":true}`, ""},
		{`{"S":""}`, "#1"},
		{`{"B":""}`, "#1"},
	} {
		f := newFunction(t, derivedSpec(all))
		image := fmt.Sprintf(`{"id":{"S":"1"},"address":{"M":{"country":{"S":"NZ"},"city":%s}}}`, test.city)
		f.invoke(t, record("INSERT", 1, item("id", "1"), "", image))
		items := strings.Join(f.db.Items("target"), "")
		if test.place == "" && items != "" ||
			test.place != "" && !strings.Contains(items, fmt.Sprintf(`"place":{"S":%q}`, test.place)) {
			t.Errorf("%s: the target has %s", test.city, items)
		}
		if len(f.queue.bodies) > 0 {
			t.Errorf("%s: %s", test.city, f.queue.bodies)
		}
	}
}

func TestAnImageThatIsNullOrEmptyCountsAsAbsent(t *testing.T) {
	// F8: emulators send such images.
	withImage := func(record, name, image string) string {
		return strings.Replace(record, `"SequenceNumber"`, fmt.Sprintf(`%q:%s,"SequenceNumber"`, name, image), 1)
	}
	for _, none := range []string{`{}`, `null`, ` { } `} {
		f := newFunction(t, uniqueSpec(all))
		insert := withImage(insertion(1, "1"), "OldImage", none)
		if again := f.invoke(t, insert); again != nil || len(f.db.Items("target")) != 1 || len(f.queue.bodies) > 0 {
			t.Errorf("an old image %s: %v is redelivered, the target has %v, %v",
				none, again, f.db.Items("target"), f.queue.bodies)
		}
		remove := withImage(record("REMOVE", 2, item("id", "1"), item("id", "1", "group", "g"), ""), "NewImage", none)
		if again := f.invoke(t, remove); again != nil || len(f.db.Items("target")) != 0 || len(f.queue.bodies) > 0 {
			t.Errorf("a new image %s: %v is redelivered, the target has %v, %v",
				none, again, f.db.Items("target"), f.queue.bodies)
		}
		// An event that needs an image lacks it when the image counts as absent.
		f.invoke(t, withImage(record("INSERT", 3, item("id", "2"), "", ""), "NewImage", none))
		if messages := f.queue.messages(t); len(messages) != 1 || messages[0].Reason != "it lacks a NewImage" {
			t.Errorf("a new image %s: %v", none, messages)
		}
	}
}

func TestARecordWithSeveralTypeDescriptorsIsNotFromDynamoDB(t *testing.T) {
	// F3: SDKs write their own event types like this. No record goes to the failure queue.
	all10 := func(text string) string {
		return `{"B":null,"BOOL":null,"BS":null,"L":null,"M":null,"N":null,"NS":null,"NULL":null,"S":` + text +
			`,"SS":null}`
	}
	for name, bad := range map[string]string{
		"in the keys": record("INSERT", 2, `{"id":`+all10(`"2"`)+`}`, "", item("id", "2", "group", "g")),
		"in a key":    record("INSERT", 2, item("id", "2"), "", `{"id":{"S":"2"},"group":`+all10(`"g"`)+`}`),
		"in a value": record("INSERT", 2, item("id", "2"), "",
			`{"id":{"S":"2"},"group":{"S":"g"},"note":`+all10(`"n"`)+`}`),
		"in an old value": record("MODIFY", 2, item("id", "2"), `{"id":{"S":"2"},"note":{"N":"1","S":"1"}}`,
			item("id", "2", "group", "g")),
		"one letter twice": record("INSERT", 2, item("id", "2"), "",
			`{"id":{"S":"2"},"group":{"S":"g"},"note":{"S":"a","S":"b"}}`),
		"with white space": record("INSERT", 2, item("id", "2"), "",
			`{"id":{"S":"2"},"group":{"S":"g"},"note":{ "N" : "1" , "S" : null }}`),
	} {
		f := newFunction(t, uniqueSpec(all))
		if again := f.invoke(t, insertion(1, "1"), bad); !slices.Equal(again, []string{"1"}) {
			t.Errorf("%s: %v is redelivered, want the whole batch", name, again)
		}
		if len(f.queue.bodies) > 0 || len(f.db.Items("target")) > 0 {
			t.Errorf("%s: the queue has %d messages, the target has %v",
				name, len(f.queue.bodies), f.db.Items("target"))
		}
		if log := f.log.String(); !strings.Contains(log, "several type descriptors") ||
			!strings.Contains(log, "one type descriptor per value") {
			t.Errorf("%s: the log must name the fault of the event: %s", name, log)
		}
	}

	// Values inside lists and maps are only carried.
	f := newFunction(t, uniqueSpec(all))
	nested := record("INSERT", 2, item("id", "2"), "",
		`{"id":{"S":"2"},"group":{"S":"g"},"note":{"M":{"a":{"S":"x","N":"1"}}}}`)
	if f.invoke(t, nested); len(f.queue.bodies) > 1 || strings.Contains(f.log.String(), "type descriptors") {
		t.Errorf("the log says %s", f.log)
	}
}

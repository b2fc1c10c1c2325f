package replicator

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func decodeOne(t *testing.T, payload string) (*event, change) {
	t.Helper()
	e, _, err := newDecoder(uniqueSpec(all)).decode([]byte(payload))
	if err != nil || len(e.changes) != 1 {
		t.Fatalf("got %+v and error %v, want 1 change", e, err)
	}
	return e, e.changes[0]
}

func TestDecodeReadsAnEventAsLambdaDeliversIt(t *testing.T) {
	text, err := os.ReadFile("testdata/events/users.json")
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := newDecoder(usersSpec()).decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.changes) != 3 {
		t.Fatalf("got %d changes, want 3", len(e.changes))
	}
	for i, want := range []struct {
		event, sequence string
		old, new        int
	}{
		{"INSERT", "111100000000000000000001", 0, 4},
		{"MODIFY", "111100000000000000000002", 4, 4},
		{"REMOVE", "111100000000000000000003", 4, 0},
	} {
		c := e.changes[i]
		oldImage, newImage := e.payload.Members(c.oldImage), e.payload.Members(c.newImage)
		if c.err != nil || string(c.eventName) != want.event || string(c.sequenceNumber) != want.sequence ||
			len(oldImage) != want.old || len(newImage) != want.new {
			t.Errorf("change %d: got %s %s with %d old and %d new attributes, error %v; want %+v",
				i, c.eventName, c.sequenceNumber, len(oldImage), len(newImage), c.err, want)
		}
	}
	last := &e.payload.Members(e.changes[0].newImage)[3]
	name, value, raw := e.payload.Name(last), e.payload.Value(last), e.payload.Raw(last)
	if string(name) != "zipcode" ||
		string(value) != `{"S": "00501"}` || string(raw) != `"zipcode": {"S": "00501"}` {
		t.Errorf("the last attribute is %q %s %s", name, value, raw)
	}
	if !bytes.Equal(e.changes[0].source, e.changes[2].source) {
		t.Error("two changes of one source item have different identities")
	}
}

func TestAValueIsCarriedUnchanged(t *testing.T) {
	// C2: a value outside of keys is never decoded, whatever it is.
	value := `{ "FUTURE" : [1e400, "\ud83d\ude00", {"deep":{"deeper":null}}, -0.0] }`
	e, c := decodeOne(t, string(payload(record("INSERT", 1, item("id", "1"), "", `{"id":{"S":"1"},"x":`+value+`}`))))
	if got := string(e.payload.Value(&e.payload.Members(c.newImage)[1])); got != value {
		t.Errorf("got %s, want %s", got, value)
	}
}

func TestAnEscapedNameIsUnescaped(t *testing.T) {
	e, c := decodeOne(t, string(payload(record("INSERT", 1, item("id", "1"), "",
		`{"\u0069d":{"S":"1"},"say \"hi\"":{"S":"x"}}`))))
	members := e.payload.Members(c.newImage)
	if id, say := e.payload.Name(&members[0]), e.payload.Name(&members[1]); string(id) != "id" ||
		string(say) != `say "hi"` {
		t.Errorf("got names %q and %q", id, say)
	}
	if got := string(e.payload.Raw(&members[1])); got != `"say \"hi\"":{"S":"x"}` {
		t.Errorf("the member must be carried as it came, got %s", got)
	}
}

func TestANameThatIsHalfASurrogatePairIsCarriedUnchanged(t *testing.T) {
	e, c := decodeOne(t, string(payload(record("INSERT", 1, item("id", "1"), "",
		`{"\ud83d":{"S":"x"},"id":{"S":"1"}}`))))
	if got := string(e.payload.Raw(&e.payload.Members(c.newImage)[0])); c.err != nil || got != `"\ud83d":{"S":"x"}` {
		t.Errorf("got %s, error %v", got, c.err)
	}
}

func TestABadRecordIsOneFailureAndItsNeighboursAreRead(t *testing.T) {
	good := func(n int) string {
		return record("INSERT", n, item("id", "1"), "", item("id", "1", "group", "a"))
	}
	in := func(dynamodb string) string { return `{"eventName":"INSERT","dynamodb":` + dynamodb + `}` }
	for _, test := range []struct{ name, record, want string }{
		{"a number", `7`, "a part of a record is a number, not an object"},
		{"null", `null`, "a part of a record is null, not an object"},
		{"empty", `{}`, "it has no SequenceNumber"},
		{"no dynamodb object", `{"eventName":"INSERT"}`, "it has no SequenceNumber"},
		{"dynamodb is a list", in(`[1,[2],{"a":3}]`), "a part of a record is an array, not an object"},
		{"sequence number is a number", in(`{"SequenceNumber":1,"Keys":{}}`),
			"SequenceNumber is a number, not a string"},
		{"sequence number is not a number", in(`{"SequenceNumber":"1x"}`), "SequenceNumber is not a decimal number"},
		{"sequence number of 41 digits",
			in(`{"SequenceNumber":"` + strings.Repeat("1", 41) + `"}`), "SequenceNumber has 41 digits"},
		{"no keys", in(`{"SequenceNumber":"1"}`), `it has no Keys`},
		{"unknown event", strings.Replace(good(2), "INSERT", "UPSERT", 1),
			"eventName is not INSERT, MODIFY or REMOVE"},
		{"event is an object", `{"eventName":{"a":[]},"dynamodb":{}}`, "eventName is an object, not a string"},
		{"no image", record("MODIFY", 2, item("id", "1"), item("id", "1"), ""), "it lacks a NewImage"},
		{"no old image", record("MODIFY", 2, item("id", "1"), "", item("id", "1")), "it lacks an OldImage"},
		{"image of an insert's past", record("INSERT", 2, item("id", "1"), item("id", "1"), item("id", "1")),
			"it has an OldImage, which its event does not have"},
		{"image without the key", record("INSERT", 2, item("id", "1"), "", item("x", "1")),
			`it has a NewImage without "id", the source table's key attribute`},
		{"attribute value is a string", record("INSERT", 2, item("id", "1"), "", `{"id":"1","x":{"M":{}}}`),
			"an attribute value is a string, not an object"},
		{"image is a list", record("INSERT", 2, item("id", "1"), "", `[{"id":{"S":"1"}}]`),
			"a part of a record is an array, not an object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, _, err := newDecoder(uniqueSpec(all)).decode(payload(good(1), test.record, good(3)))
			if err != nil {
				t.Fatal(err)
			}
			changes := e.changes
			if len(changes) != 3 || changes[0].err != nil || changes[2].err != nil {
				t.Fatalf("the neighbours are not read: %d changes, %v", len(changes), changes)
			}
			if changes[1].err == nil || !strings.Contains(changes[1].err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", changes[1].err, test.want)
			}
		})
	}
}

func TestRecordsThatAreNotMeantForTheFunctionAreAnErrorOfTheConfiguration(t *testing.T) {
	good := insertion(1, "1")
	for _, test := range []struct{ name, record, want string }{
		{"another table", strings.Replace(good, "table/source/", "table/other/", 1), "stream of another table"},
		{"another view type", strings.Replace(good, `"Keys"`, `"StreamViewType":"NEW_IMAGE","Keys"`, 1),
			"view type is not NEW_AND_OLD_IMAGES"},
		{"keys of another name", strings.Replace(good, `"Keys":{"id"`, `"Keys":{"other"`, 1), `Keys have no "id"`},
		{"keys of another type", strings.Replace(good, `"Keys":{"id":{"S"`, `"Keys":{"id":{"N"`, 1),
			`key attribute "id" has type N, the key schema says S`},
	} {
		_, c := decodeOne(t, string(payload(test.record)))
		if wrong, ok := c.err.(*configurationError); !ok || !strings.Contains(wrong.Error(), test.want) {
			t.Errorf("%s: got %T %v, want an error of the configuration with %q", test.name, c.err, c.err, test.want)
		}
	}
}

func TestAPayloadThatIsNotAnEventIsAnError(t *testing.T) {
	for _, test := range []struct{ payload, want string }{
		{``, "the event is missing, not an object"},
		{`{`, "malformed at byte 1"},
		{`{"Records":[{"a":"b`, "malformed at byte 19"},
		{`[]`, "is an array, not an object"},
		{`{"records":[]}`, "it has no Records"},
		{`{"Records":null}`, "Records is null, not an array"},
		{`{"Records":[}`, "malformed at byte 12"},
		{`{"Records":[{"a":1]}`, "malformed at byte 18"},
		{`{"Records":[{"dynamodb":{"Keys":{"id":"bad" oops}}}]}`, "malformed at byte 44"},
		{`{"Records":[{},]}`, "malformed at byte 15"},
		{`{"Records":[]} {}`, "something follows the event"},
	} {
		_, _, err := newDecoder(uniqueSpec(all)).decode([]byte(test.payload))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.payload, err, test.want)
		}
	}
}

func TestAnEventWithoutRecordsHasNoChanges(t *testing.T) {
	e, _, err := newDecoder(uniqueSpec(all)).decode([]byte(`{"Records":[],"more":{"a":[1]}}`))
	if err != nil || len(e.changes) != 0 {
		t.Errorf("got %+v, error %v", e, err)
	}
}

func TestAVersionedMappingNeedsATimeAndAStreamLabel(t *testing.T) {
	keys := item("email", "a")
	good := record("INSERT", 1, keys, "", keys)
	for _, test := range []struct{ name, record, want string }{
		{"complete", good, ""},
		{"no time", strings.Replace(good, "ApproximateCreationDateTime", "x", 1),
			"ApproximateCreationDateTime is missing or not a number"},
		{"time is a string", strings.Replace(good, "1700000001", `"now"`, 1),
			"ApproximateCreationDateTime is missing or not a number"},
		{"no stream", strings.Replace(good, "eventSourceARN", "x", 1),
			"eventSourceARN is missing or not the ARN of a stream"},
		{"no label", strings.Replace(good, "/stream/2026-01-02T03:04:05.678", "", 1),
			"eventSourceARN is missing or not the ARN of a stream"},
	} {
		e, _, err := newDecoder(usersSpec()).decode(payload(test.record))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := e.changes[0].versionErr; err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: got error %q, want one with %q", test.name, got, test.want)
		}
	}
}

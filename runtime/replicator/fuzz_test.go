package replicator

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// FuzzDecode: the decoder never panics, and it reads all of the images that it accepts:
// every attribute is there, with its value.
func FuzzDecode(f *testing.F) {
	users, err := os.ReadFile("testdata/events/users.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(users)
	f.Add(payload(record("INSERT", 1, item("id", "1"), "",
		`{"\u0069d":{"S":"1"}, "x" : {"M":{"y":{"L":[{"NULL":true}]}}}}`)))
	f.Add([]byte(`{"Records":[{},7,{"dynamodb":{"Keys":[]}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := newDecoder(uniqueSpec(all))
		decoded, _, err := d.decode(payload)
		if err != nil {
			return
		}
		if !json.Valid(payload) {
			t.Fatalf("a payload that is not JSON was accepted: %q", payload)
		}
		var event struct{ Records []json.RawMessage }
		if err := json.Unmarshal(payload, &event); err != nil || len(event.Records) != len(decoded.changes) {
			return // Go's own package ignores the case of names, so there is nothing to compare
		}
		for i := range decoded.changes {
			c := &decoded.changes[i]
			if raw := c.raw; !bytes.Equal(raw, bytes.TrimSpace(event.Records[i])) {
				t.Fatalf("record %d is %q, want %q", i, raw, event.Records[i])
			}
			wholeImage(t, decoded, c.oldImage)
			wholeImage(t, decoded, c.newImage)
		}
	})
}

// wholeImage compares an image with Go's own reading of its JSON.
func wholeImage(t *testing.T, e *event, image dynamodbjson.Item) {
	t.Helper()
	if !image.Exists() {
		return
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(image.Raw, &want); err != nil {
		t.Fatalf("an image that is not a JSON object was accepted: %q", image.Raw)
	}
	p := &e.payload
	members := p.Members(image)
	for name, value := range want {
		found := false
		for i := range members { // a name that appears twice: the last one counts for Go
			found = found || string(p.Name(&members[i])) == name && bytes.Equal(p.Value(&members[i]), value)
		}
		if !found {
			t.Fatalf("the attribute %q of %q is lost", name, image.Raw)
		}
	}

	var again map[string]json.RawMessage
	text := "{"
	for i := range members {
		if i > 0 {
			text += ","
		}
		text += string(p.Raw(&members[i]))
	}
	if err := json.Unmarshal([]byte(text+"}"), &again); err != nil || len(again) != len(want) {
		t.Fatalf("the members of %q are not an item: %q", image.Raw, text)
	}
}

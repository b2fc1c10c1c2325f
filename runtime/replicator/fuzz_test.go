package replicator

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// FuzzDecode: no payload makes the decoder panic, and what it takes it takes
// whole: every attribute of an image is there, with the value it came with.
func FuzzDecode(f *testing.F) {
	users, err := os.ReadFile("testdata/events/users.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(users)
	f.Add(payload(record("INSERT", 1, item("id", "1"), "", `{"\u0069d":{"S":"1"}, "x" : {"M":{"y":{"L":[{"NULL":true}]}}}}`)))
	f.Add([]byte(`{"Records":[{},7,{"dynamodb":{"Keys":[]}}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := newDecoder(uniqueSpec(all))
		decoded, err := d.decode(payload)
		if err != nil {
			return
		}
		if !json.Valid(payload) {
			t.Fatalf("a payload that is no JSON was taken: %q", payload)
		}
		var event struct{ Records []json.RawMessage }
		if err := json.Unmarshal(payload, &event); err != nil || len(event.Records) != len(decoded.changes) {
			return // Go's own package folds the case of names; then there is nothing to compare
		}
		for i := range decoded.changes {
			c := &decoded.changes[i]
			if raw := decoded.text(c.raw); !bytes.Equal(raw, bytes.TrimSpace(event.Records[i])) {
				t.Fatalf("record %d is %q, want %q", i, raw, event.Records[i])
			}
			wholeImage(t, decoded, c.oldImage)
			wholeImage(t, decoded, c.newImage)
		}
	})
}

// wholeImage compares an image with Go's own reading of its JSON.
func wholeImage(t *testing.T, e *event, img image) {
	t.Helper()
	if !img.exists() {
		return
	}
	raw := e.text(img.raw)
	var want map[string]json.RawMessage
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatalf("an image that is no JSON object was taken: %q", raw)
	}
	for name, value := range want {
		found := false
		for _, m := range e.attributes(img) { // a name that stands twice: the last one counts for Go
			found = found || string(e.text(m.name)) == name && bytes.Equal(e.text(m.value), value)
		}
		if !found {
			t.Fatalf("the attribute %q of %q is lost", name, raw)
		}
	}
	var again map[string]json.RawMessage
	text := "{"
	for i, m := range e.attributes(img) {
		if i > 0 {
			text += ","
		}
		text += string(e.text(m.raw()))
	}
	if err := json.Unmarshal([]byte(text+"}"), &again); err != nil || len(again) != len(want) {
		t.Fatalf("the members of %q do not make an item again: %q", raw, text)
	}
}

// FuzzNumber: two numbers have one identity exactly when they are equal.
func FuzzNumber(f *testing.F) {
	for _, pair := range [][2]string{{"1", "1.0"}, {"1e2", "100"}, {"0", "-0"}, {"0.1", "1E-1"}, {"-5", "5"}, {"12345678901234567890123456789012345678", "1"}} {
		f.Add(pair[0], pair[1])
	}
	k := keyAttribute{name: "n", typ: spec.Number, maxBytes: maxPartitionKeyBytes}
	read := func(text string) (identity []byte, value *big.Rat) {
		if len(text) > 50 || strings.ContainsAny(text, "/_xXpPbBoO") { // what only Go takes for a number
			return nil, nil
		}
		value, ok := new(big.Rat).SetString(text)
		identity, err := k.appendIdentity(nil, []byte(`{"N":`+quote(text)+`}`))
		if !ok || err != nil {
			return nil, nil
		}
		return identity, value
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if i := strings.IndexAny(a+b, "eE"); i >= 0 && len(a)+len(b)-i > 5 {
			return // Go would spend its time on an exponent that DynamoDB does not have
		}
		identityA, valueA := read(a)
		identityB, valueB := read(b)
		if valueA == nil || valueB == nil {
			return
		}
		if bytes.Equal(identityA, identityB) != (valueA.Cmp(valueB) == 0) {
			t.Errorf("%s and %s have the identities %q and %q", a, b, identityA, identityB)
		}
	})
}

// FuzzCondition: a condition never panics, and says of any image what a plain
// reading of its JSON says.
func FuzzCondition(f *testing.F) {
	f.Add(`{"Path":["a"],"Operator":"EQUALS","Values":[{"Type":"S","Text":"x"}]}`, `{"a":{"S":"\u0078"}}`)
	f.Add(`{"Any":[{"Path":["a","b"],"Operator":"EXISTS"},{"Path":["c"],"Operator":"NOT_EQUALS","Values":[{"Type":"BOOL","Text":"true"}]}]}`, `{"a":{"M":{"b":{"NULL":true}}},"c":{"BOOL":true}}`)
	f.Add(`{"All":[{"Path":["a"],"Operator":"BEGINS_WITH","Values":[{"Type":"S","Text":"x"}]},{"Path":["n"],"Operator":"IN","Values":[{"Type":"N","Text":"1"},{"Type":"N","Text":"20e-1"}]}]}`, `{"a":{"S":"xy"},"n":{"N":"2"}}`)
	f.Fuzz(func(t *testing.T, conditionText, imageText string) {
		s := uniqueSpec(all)
		if json.Unmarshal([]byte(conditionText), &s.Targets[0].Filter) != nil || s.Targets[0].Filter == nil || len(s.Problems()) > 0 {
			return
		}
		d := newDecoder(s)
		decoded, err := d.decode(payload(record("INSERT", 1, item("id", "1"), "", imageText)))
		if err != nil || !decoded.changes[0].newImage.exists() {
			return
		}
		img := decoded.changes[0].newImage
		var attributes map[string]any
		if json.Unmarshal(decoded.text(img.raw), &attributes) != nil || len(attributes) != len(decoded.attributes(img)) {
			return // a name that stands twice
		}
		c := newCondition(*s.Targets[0].Filter)
		var v evaluator
		if got, want := v.holds(&c, decoded, img), plainly(*s.Targets[0].Filter, attributes); got != want {
			t.Errorf("%s on %s: got %t, want %t", conditionText, imageText, got, want)
		}
	})
}

// plainly evaluates a condition on an item that Go's own JSON package has read.
func plainly(c spec.Condition, item map[string]any) bool {
	for _, sub := range c.Any {
		if plainly(sub, item) {
			return true
		}
	}
	if c.Any != nil {
		return false
	}
	for _, sub := range c.All {
		if !plainly(sub, item) {
			return false
		}
	}
	if c.All != nil {
		return true
	}
	value, exists := item[c.Path[0]].(map[string]any)
	for _, name := range c.Path[1:] {
		members, _ := value["M"].(map[string]any)
		value, exists = members[name].(map[string]any)
	}
	text, isString := value["S"].(string)
	only := len(value) == 1
	equals := func(v spec.Value) bool {
		switch v.Type {
		case "S":
			return only && isString && text == v.Text
		case "N":
			digits, _ := value["N"].(string)
			a, okA := new(big.Rat).SetString(digits)
			b, okB := new(big.Rat).SetString(v.Text)
			return only && okA && okB && a.Cmp(b) == 0
		default:
			truth, ok := value["BOOL"].(bool)
			return ok && truth == (v.Text == "true")
		}
	}
	switch c.Operator {
	case spec.Exists:
		return exists
	case spec.BeginsWith:
		return only && isString && strings.HasPrefix(text, c.Values[0].Text)
	default:
		in := false
		for _, v := range c.Values {
			in = in || equals(v)
		}
		return in == (c.Operator != spec.NotEquals)
	}
}

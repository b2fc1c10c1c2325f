package reconciler

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The keys of images are those that may be wrong in a target, and the last one is marked.
func TestKeysOfRecords(t *testing.T) {
	const none = ""
	insert := func(city string) string { return streamed("INSERT", none, city, "") }
	modify := func(from, to string) string { return streamed("MODIFY", from, to, "") }
	remove := func(city string) string { return streamed("REMOVE", city, none, "") }
	expire := func(city string) string {
		return streamed("REMOVE", city, none, `"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},`)
	}
	for _, c := range []struct {
		name    string
		expired spec.ExpiredItems
		records []string
		want    string
	}{
		{name: "a new item", records: []string{insert("a")}, want: "a*"},
		{name: "an item that moves twice", records: []string{modify("a", "b"), modify("b", "c")}, want: "a b c*"},
		{name: "an item that comes back", records: []string{modify("a", "b"), modify("b", "a")}, want: "a* b"},
		{name: "an item that is deleted", records: []string{modify("a", "b"), remove("b")}, want: "a b"},
		{name: "an item that loses its key", records: []string{modify("a", none)}, want: "a"},
		{name: "an item that expires", records: []string{insert("a"), expire("a")}, want: "a"},
		{name: "an item that expires and is kept", expired: spec.KeepExpired,
			records: []string{insert("a"), modify("a", "b"), expire("b")}, want: "a"},
		{name: "a kept item whose key is used once more, and left", expired: spec.KeepExpired,
			records: []string{insert("a"), expire("a"), insert("a"), modify("a", "b")}, want: "a b*"},
		{name: "a kept item that lives on under another key", expired: spec.KeepExpired,
			records: []string{insert("a"), expire("a"), insert("b")}, want: "b*"},
		{name: "an image that cannot be mapped", records: []string{modify("a", strings.Repeat("x", 2049))}, want: "a"},
	} {
		s := spec.New()
		s.Source.PartitionKey = spec.Attribute{Name: "id", Type: spec.String}
		target := spec.Target{Projection: spec.Projection{Type: spec.All}, ExpiredItems: c.expired}
		target.PartitionKey = spec.Attribute{Name: "city", Type: spec.String}
		target.SortKey = &spec.Attribute{Name: "id", Type: spec.String}
		s.Targets = []spec.Target{target}
		r := New(s, Options{})
		keys := (&redrive{Reconciler: r}).newKeys(r.targets)
		for _, record := range c.records {
			if err := keys.addJSON(json.RawMessage(record)); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}

		var found []string
		for _, k := range keys.work()[0].also {
			var key struct{ City struct{ S string } }
			if err := json.Unmarshal(k.Key, &key); err != nil {
				t.Fatal(err)
			}
			text := key.City.S
			if k.Last {
				text += "*"
			}
			found = append(found, text)
		}
		if text := strings.Join(found, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

// streamed is a record about the item 1, whose images have a city or, without one, are absent.
func streamed(event, before, after, more string) string {
	image := func(name, city string) string {
		if city == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:{"id":{"S":"1"},"city":{"S":%q}}`, name, city)
	}
	return fmt.Sprintf(`{"eventName":%q,%s"dynamodb":{"Keys":{"id":{"S":"1"}},"ApproximateCreationDateTime":1.7e9%s%s}}`,
		event, more, image("OldImage", before), image("NewImage", after))
}

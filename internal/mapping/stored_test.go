package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

func readItem(t *testing.T, text string) (*dynamodbjson.Payload, dynamodbjson.Item) {
	t.Helper()
	p, r := new(dynamodbjson.Payload), dynamodbjson.Reader{}
	p.Reset([]byte(text))
	r.Reset(p)
	item, err := r.Item()
	if err != nil || r.Err() != nil {
		t.Fatal(text, err, r.Err())
	}
	return p, item
}

// storedTarget is a target by city and id, with a renamed attribute, a filter and a version.
var storedTarget = spec.Target{
	Table: spec.Table{TableName: "target", KeySchema: spec.KeySchema{PartitionKey: spec.Attribute{Name: "key", Type: "S"}}},
	KeySources: map[string]spec.KeySource{
		"key": {Parts: [][]string{{"address", "city"}, {"id"}}, Separator: "#"},
	},
	Projection: spec.Projection{
		Type: spec.Include, Attributes: []string{"n", "note"}, Renames: map[string]string{"note": "text"},
	},
	Filter: &spec.Condition{Any: []spec.Condition{
		{Path: []string{"kind"}, Operator: spec.Equals, Values: []spec.Value{{Type: "S", Text: "user"}}},
		{All: []spec.Condition{{Path: []string{"n"}, Operator: spec.Exists}, {Path: []string{"id"}, Operator: spec.Exists}}},
	}},
	VersionAttribute: "v",
}

func newStored() Mapping {
	return New(spec.KeySchema{PartitionKey: spec.Attribute{Name: "id", Type: "S"}}, storedTarget)
}

func TestEqualComparesAStoredItemWithATargetItem(t *testing.T) {
	m := newStored()
	p, source := readItem(t, `{"id":{"S":"a"},"address":{"M":{"city":{"S":"c"}}},"n":{"N":"1"},"note":{"S":"x"},"other":{"S":"y"}}`)
	var mapper Mapper
	var item TargetItem
	mapper.Map(&item, &m, p, &source)
	if !item.Exists() {
		t.Fatal(item.Err)
	}
	seq := "2026-01-02T03:04:05.678/" + strings.Repeat("1", MaxSequenceNumberDigits)
	names := Fingerprint([][]byte{[]byte("key"), []byte("id"), []byte("n"), []byte("text")})
	const right = `"id":{"S":"a"},"key":{"S":"c#a"},"n":{"N":"1.0"},"text":{"S":"x"}`
	for _, test := range []struct {
		why, stored string
		equal       bool
	}{
		{"the same", right, true},
		{"with a version", right + `,"v":{"S":"` + seq + "/" + names + `"}`, true},
		{"with a version of an earlier release", right + `,"v":{"S":"` + seq + `"}`, true},
		{"with a version that cannot be read", right + `,"v":{"N":"1"}`, true},
		{"with another fingerprint", right + `,"v":{"S":"` + seq + `/AAAAAAAAAAAAAAAAAAAA"}`, false},
		{"with an attribute too many", right + `,"more":{"S":""}`, false},
		{"with an attribute too many, and a version", right + `,"more":{"S":""},"v":{"S":"` + seq + `"}`, false},
		{"without an attribute", `"id":{"S":"a"},"key":{"S":"c#a"},"n":{"N":"1"}`, false},
		{"with the old name", `"id":{"S":"a"},"key":{"S":"c#a"},"n":{"N":"1"},"note":{"S":"x"}`, false},
		{"with another value", strings.Replace(right, "1.0", "2", 1), false},
		{"with another key", strings.Replace(right, "c#a", "c#b", 1), false},
	} {
		in, stored := readItem(t, "{"+test.stored+"}")
		if got := m.Equal(p, &item, in, stored); got != test.equal {
			t.Errorf("%s: %t", test.why, got)
		}
	}
}

func TestInputsDecideAboutTheKeyAndTheFilter(t *testing.T) {
	m := newStored()
	if got := m.AppendInputs(nil); !slices.Equal(got, []string{"address", "id", "kind", "n"}) {
		t.Error(got)
	}
}

func TestAVersionIsReadAsItWasWritten(t *testing.T) {
	for _, collisions := range []bool{false, true} {
		m := Mapping{Collisions: collisions}
		for _, v := range []Version{
			LowestVersion(),
			{At: []byte("12"), Label: []byte("2026-01-02T03:04:05.678"), Number: []byte("34"), Names: "abc"},
		} {
			text := m.AppendVersion(nil, &v)
			got, ok := m.ReadVersion(text)
			again := m.AppendVersion(nil, &got)
			if !ok || string(again) != string(text) || got.Names != v.Names {
				t.Errorf("%s is read as %s", text, again)
			}
		}
		for _, text := range []string{"", `{"N":"1"}`, `{"S":"x"}`, `{"S":"x/1"}`, `{"M":{}}`, `{"M":{"at":{"S":"1"}}}`} {
			if v, ok := m.ReadVersion([]byte(text)); ok {
				t.Errorf("%s is read as %+v", text, v)
			}
		}
	}
}

func TestVersionsOfEarlierReleasesHaveNoNames(t *testing.T) {
	seq := "label/" + strings.Repeat("1", MaxSequenceNumberDigits)
	for m, text := range map[*Mapping]string{
		{}:                 fmt.Sprintf(`{"S":%q}`, seq),
		{Collisions: true}: fmt.Sprintf(`{"M":{"at":{"N":"5"},"seq":{"S":%q}}}`, seq),
	} {
		v, ok := m.ReadVersion([]byte(text))
		if !ok || v.Names != "" || string(v.AppendSeq(nil)) != seq || m.Collisions && string(v.At) != "5" {
			t.Errorf("%s: %+v", text, v)
		}
	}
}

func TestIdentifyNeedsEveryKeyAttribute(t *testing.T) {
	key := SourceKey(spec.KeySchema{
		PartitionKey: spec.Attribute{Name: "id", Type: "S"}, SortKey: &spec.Attribute{Name: "n", Type: "N"},
	})
	p, item := readItem(t, `{"n":{"N":"1.0"},"id":{"S":"secret"},"x":{"S":"y"}}`)
	q, other := readItem(t, `{"id":{"S":"secret"},"n":{"N":"1"}}`)
	one, err := Identify(nil, key, p, item)
	two, errTwo := Identify(nil, key, q, other)
	if err != nil || errTwo != nil || string(one) != string(two) {
		t.Errorf("%q, %q, %v, %v", one, two, err, errTwo)
	}
	if got := string(AppendKeyOf(nil, key, p, item)); got != `"id":{"S":"secret"},"n":{"N":"1.0"}` {
		t.Error(got)
	}
	for _, text := range []string{`{"id":{"S":"secret"}}`, `{"id":{"N":"1"},"n":{"N":"1"}}`, `{"id":{"S":""},"n":{"N":"1"}}`} {
		p, item := readItem(t, text)
		if _, err := Identify(nil, key, p, item); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

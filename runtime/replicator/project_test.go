package replicator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// itemOf returns the target item that the spec's mapping derives from newImage.
func itemOf(t *testing.T, s spec.Spec, keys, newImage string) string {
	t.Helper()
	e, f := effectOf(t, s, record("INSERT", 1, keys, "", newImage))
	if !f.after.Exists() {
		t.Fatalf("no target item: %v", f.after.Err)
	}
	m := mapping.New(s.Source.KeySchema, s.Targets[0])
	return "{" + string(m.AppendAttributes(nil, &e.payload, &f.after)) + "}"
}

// effectOf returns the effect of one record.
func effectOf(t *testing.T, s spec.Spec, record string) (*event, *effect) {
	t.Helper()
	w := newReplicator(s, nil, nil, minInFlight, nil).workspace()
	e, undecoded, err := w.decoder.decode(payload(record))
	if err != nil || len(undecoded) > 0 {
		t.Fatal(err, undecoded)
	}
	effects, _ := w.projector.project(e)
	return e, &effects[0]
}

func TestATargetItemHasTheProjectedAndAlwaysTheKeyAttributes(t *testing.T) {
	image := item("note", "n", "id", "1", "group", "a", "extra", "e")
	for _, test := range []struct {
		projection spec.Projection
		want       string
	}{
		{spec.Projection{Type: spec.All}, image},
		{spec.Projection{Type: spec.KeysOnly}, item("id", "1", "group", "a")},
		{spec.Projection{Type: spec.Include, Attributes: []string{"extra", "absent"}},
			item("id", "1", "group", "a", "extra", "e")},
		{spec.Projection{Type: spec.Exclude, Attributes: []string{"note"}},
			item("id", "1", "group", "a", "extra", "e")},
		{spec.Projection{Type: spec.Exclude, Attributes: []string{"extra"}},
			item("note", "n", "id", "1", "group", "a")},
	} {
		if got := itemOf(t, uniqueSpec(test.projection), item("id", "1"), image); got != test.want {
			t.Errorf("%s %q: got %s, want %s", test.projection.Type, test.projection.Attributes, got, test.want)
		}
	}
}

func TestATargetItemHasItsDerivedKeyAttributesAndNewNames(t *testing.T) {
	// K4 and K5. An attribute that a key is derived from is carried or not, like any other.
	const address = `"address":{"M":{"city":{"S":"a#b"},"country":{"S":"US"}}}`
	const derived = `"country":{"S":"US"},"place":{"S":"a\\#b#1"}`
	image := `{"id":{"S":"1"},` + address + `,"note":{"N":"1"},"extra":{"BOOL":true}}`
	for _, test := range []struct {
		projection spec.Projection
		want       string
	}{
		{spec.Projection{Type: spec.All},
			derived + `,"id":{"S":"1"},` + address + `,"note":{"N":"1"},"extra":{"BOOL":true}`},
		{spec.Projection{Type: spec.KeysOnly}, derived + `,"id":{"S":"1"}`},
		{spec.Projection{Type: spec.Include, Attributes: []string{"note"}},
			derived + `,"id":{"S":"1"},"note":{"N":"1"}`},
		{spec.Projection{Type: spec.Exclude, Attributes: []string{"address", "note"}},
			derived + `,"id":{"S":"1"},"extra":{"BOOL":true}`},
		{spec.Projection{Type: spec.Include, Attributes: []string{"note"},
			Renames: map[string]string{"note": `a "note"`}},
			derived + `,"id":{"S":"1"},"a \"note\"":{"N":"1"}`},
		{spec.Projection{Type: spec.Exclude, Attributes: []string{"address"},
			Renames: map[string]string{"note": "extra", "extra": "note"}},
			derived + `,"id":{"S":"1"},"extra":{"N":"1"},"note":{"BOOL":true}`},
	} {
		s := derivedSpec(test.projection)
		if problems := s.Problems(); len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := itemOf(t, s, item("id", "1"), image); got != "{"+test.want+"}" {
			t.Errorf("%+v:\n got %s\nwant {%s}", test.projection, got, test.want)
		}
	}
}

func TestTwoAttributesOfATargetItemWithOneNameAreAPermanentError(t *testing.T) {
	const image = `{"id":{"S":"1"},"address":{"M":{"city":{"S":"c"},"country":{"S":"US"}}},` +
		`"note":{"S":"n"},"place":{"S":"here"}}`
	for _, test := range []struct {
		name       string
		projection spec.Projection
		want       string // "" for a target item
	}{
		{"a source attribute and a derived key", spec.Projection{Type: spec.All},
			`attribute "place", which is also the name of a target key attribute`},
		{"it is excluded", spec.Projection{Type: spec.Exclude, Attributes: []string{"place"}}, ""},
		{"it is not included", spec.Projection{Type: spec.Include, Attributes: []string{"note"}}, ""},
		{"it is renamed", spec.Projection{Type: spec.All, Renames: map[string]string{"place": "spot"}}, ""},
		{"a source attribute and a new name",
			spec.Projection{Type: spec.Exclude, Attributes: []string{"place"},
				Renames: map[string]string{"address": "note"}},
			`attribute "note", which is also the new name of another`},
		{"a source attribute and the new name of one that is not there",
			spec.Projection{Type: spec.Exclude, Attributes: []string{"place"},
				Renames: map[string]string{"remark": "note"}}, ""},
		{"two swap their names",
			spec.Projection{Type: spec.Exclude, Attributes: []string{"place"},
				Renames: map[string]string{"address": "note", "note": "address"}}, ""},
	} {
		s := derivedSpec(test.projection)
		if problems := s.Problems(); len(problems) > 0 {
			t.Fatal(problems)
		}
		_, failures := planOf(t, s, payload(record("INSERT", 1, item("id", "1"), "", image)))
		if test.want == "" && len(failures) == 0 ||
			len(failures) == 1 && test.want != "" && strings.Contains(failures[0].err.Error(), test.want) {
			continue
		}
		t.Errorf("%s: got %v, want %q", test.name, failures, test.want)
	}
}

func TestASourceKeyThatIsNotATargetKeyIsCarriedToo(t *testing.T) {
	s := usersSpec()
	s.Targets[0].Projection = spec.Projection{Type: spec.KeysOnly}
	image := item("email", "a", "state", "s", "city", "c", "zipcode", "00501")
	got, want := itemOf(t, s, item("email", "a"), image), item("email", "a", "state", "s", "city", "c")
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnAttributeWithTheVersionsNameIsAPermanentError(t *testing.T) {
	s := usersSpec()
	_, f := effectOf(t, s, record("INSERT", 1, item("email", "a"), "",
		item("email", "a", "state", "s", "city", "c", spec.DefaultVersionAttribute, "mine")))
	if err := f.after.Err; err == nil || !strings.Contains(err.Error(), spec.DefaultVersionAttribute) {
		t.Errorf("got %v, want an error that names the attribute", err)
	}
}

func TestAChangeIsUnchangedOnlyWhenTheWholeTargetItemStays(t *testing.T) {
	s := usersSpec()
	with := func(more ...string) string {
		return item(append([]string{"email", "a", "state", "s", "city", "c"}, more...)...)
	}
	for _, test := range []struct {
		name, oldImage, newImage string
		want                     bool
	}{
		{"equal", with("x", "1"), with("x", "1"), true},
		{"excluded attribute changes", with("zipcode", "1"), with("zipcode", "2"), true},
		{"excluded attribute is removed", with("zipcode", "1"), with(), true},
		{"other order", with("x", "1", "y", "2"), with("y", "2", "x", "1"), true},
		{"value changes", with("x", "1"), with("x", "2"), false},
		{"attribute comes", with(), with("x", "1"), false},
		{"attribute goes", with("x", "1"), with(), false},
		{"name changes", with("x", "1"), with("y", "1"), false},
		{"key changes", with(), item("email", "a", "state", "s", "city", "d"), false},
		{"item without target key before", item("email", "a", "state", "s"), with(), false},
		{"item without target key before and after", item("email", "a", "state", "s"),
			item("email", "a", "city", "c"), true},
	} {
		_, f := effectOf(t, s, record("MODIFY", 1, item("email", "a"), test.oldImage, test.newImage))
		if f.unchanged != test.want {
			t.Errorf("%s: unchanged is %t, want %t", test.name, f.unchanged, test.want)
		}
	}
}

func TestOneFunctionServesSeveralTargets(t *testing.T) {
	s := uniqueSpec(all)
	second := s.Targets[0]
	second.TableName = "second"
	second.PartitionKey.Name = "note"
	s.Targets = append(s.Targets, second)
	got, _ := planOf(t, s, payload(record("INSERT", 1, item("id", "1"), "",
		item("id", "1", "group", "g", "note", "n"))))
	if want := []string{"put g/1", "put n/1"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

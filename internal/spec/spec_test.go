package spec

import (
	"reflect"
	"strings"
	"testing"
)

// sound is a spec without problems, with every field set.
func sound() Spec {
	return Spec{
		Source: KeySchema{
			PartitionKey: Attribute{"email", String},
			SortKey:      &Attribute{"since", Number},
		},
		Targets: []Target{{
			TableName: "target",
			KeySchema: KeySchema{
				PartitionKey: Attribute{"state", String},
				SortKey:      &Attribute{"city", Binary},
			},
			Projection:       Projection{Exclude, []string{"zipcode", "a <b> & \"c\""}},
			OnKeyCollision:   LastWriterWins,
			VersionAttribute: DefaultVersionAttribute,
		}},
	}
}

// unique is a sound spec whose mapping is unique.
func unique() Spec {
	s := sound()
	t := &s.Targets[0]
	t.PartitionKey, t.SortKey = Attribute{"since", Number}, &Attribute{"email", String}
	t.OnKeyCollision, t.VersionAttribute = "", ""
	return s
}

func TestASpecSurvivesItsRoundTrip(t *testing.T) {
	for _, want := range []Spec{sound(), unique()} {
		got, err := Parse(want.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestTheEncodingIsOneLineAndEscapesNoMoreThanItMust(t *testing.T) {
	text := sound().Encode()
	if strings.ContainsAny(text, "\n") || !strings.Contains(text, `a <b> & \"c\"`) {
		t.Errorf("got %s", text)
	}
}

func TestATextThatIsNoSpecIsRefused(t *testing.T) {
	good := sound().Encode()
	for _, test := range []struct{ name, text, want string }{
		{"unset", "", "REPLICATEDTABLE_SPEC is not set"},
		{"cut off", good[:20], "REPLICATEDTABLE_SPEC is not a spec this version understands"},
		{"a field of the future", strings.Replace(good, "{", `{"Filter":1,`, 1), `unknown field "Filter"`},
		{"a nested field of the future", strings.Replace(good, `"Type":"S"`, `"Type":"S","Path":"a.b"`, 1), `unknown field "Path"`},
		{"two values", good + good, "holds more than one JSON value"},
		{"problems", strings.Replace(good, `"EXCLUDE"`, `"OMIT"`, 1), `REPLICATEDTABLE_SPEC: Targets[0].Projection has type "OMIT"`},
	} {
		if _, err := Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestEveryRuleNamesTheFieldTheValueAndTheRemedy(t *testing.T) {
	if problems := append(sound().Problems(), unique().Problems()...); len(problems) > 0 {
		t.Fatalf("the sound specs have problems: %v", problems)
	}
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		name  string
		spec  func() Spec
		spoil func(*Spec, *Target)
		want  string
	}{
		{"no target", sound, func(s *Spec, _ *Target) { s.Targets = nil },
			`Targets is empty: the function needs at least one target table`},
		{"no table name", sound, func(_ *Spec, t *Target) { t.TableName = "" },
			`Targets[0].TableName is empty: name the target table`},
		{"no key name", sound, func(s *Spec, _ *Target) { s.Source.PartitionKey.Name = "" },
			`Source.PartitionKey has no name: name the key attribute`},
		{"long key name", sound, func(_ *Spec, t *Target) { t.SortKey.Name = long },
			`Targets[0].SortKey has a name of 256 bytes: a key attribute's name has at most 255`},
		{"bad key name", sound, func(_ *Spec, t *Target) { t.SortKey.Name = "\xff" },
			`Targets[0].SortKey "\xff" is not valid UTF-8: attribute names are UTF-8 strings`},
		{"bad key type", sound, func(s *Spec, _ *Target) { s.Source.SortKey.Type = "BOOL" },
			`Source.SortKey "since" has type "BOOL": a key attribute has type S, N or B`},
		{"one attribute twice", sound, func(s *Spec, _ *Target) { s.Source.SortKey = &Attribute{"email", String} },
			`Source.SortKey "email" is the partition key too: a key schema names two different attributes`},
		{"two types", unique, func(_ *Spec, t *Target) { t.PartitionKey.Type = String },
			`Targets[0].PartitionKey has type S but the source key "since" has type N: one attribute has one type`},
		{"unknown projection", sound, func(_ *Spec, t *Target) { t.Projection.Type = "" },
			`Targets[0].Projection has type "": use ALL, KEYS_ONLY, INCLUDE or EXCLUDE`},
		{"list with ALL", sound, func(_ *Spec, t *Target) { t.Projection = Projection{All, []string{"a"}} },
			`Targets[0].Projection ALL lists attributes ("a"): only INCLUDE and EXCLUDE do`},
		{"no list", sound, func(_ *Spec, t *Target) { t.Projection = Projection{Include, nil} },
			`Targets[0].Projection INCLUDE lists no attributes: name at least one, or use ALL or KEYS_ONLY`},
		{"empty name", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{""} },
			`Targets[0].Projection EXCLUDE lists an empty name: remove it`},
		{"bad name", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{"\xff"} },
			`Targets[0].Projection EXCLUDE lists "\xff", which is not valid UTF-8: attribute names are UTF-8 strings`},
		{"name twice", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{"a", "a"} },
			`Targets[0].Projection EXCLUDE lists "a" twice: remove one`},
		{"source key listed", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{"email"} },
			`Targets[0].Projection EXCLUDE lists "email", a key attribute of the source table: a target item always carries it; remove it from the list`},
		{"target key listed", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{"city"} },
			`Targets[0].Projection EXCLUDE lists "city", a key attribute of the target table: a target item always carries it; remove it from the list`},
		{"version listed", sound, func(_ *Spec, t *Target) { t.Projection.Attributes = []string{DefaultVersionAttribute} },
			`Targets[0].Projection EXCLUDE lists "replicatedtable:version", the version attribute: it belongs to the target table; choose another VersionAttribute`},
		{"not unique, sort key", sound, func(s *Spec, t *Target) {
			s.Source.SortKey, t.OnKeyCollision, t.VersionAttribute = nil, "", ""
		},
			`Targets[0].SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		{"not unique, no sort key", sound, func(_ *Spec, t *Target) {
			t.SortKey, t.OnKeyCollision, t.VersionAttribute = nil, "", ""
		},
			`Targets[0].PartitionKey "state" does not contain the source keys "email", "since": two items could meet on one target key; add "email", "since" to the sort key or set OnKeyCollision`},
		{"unknown policy", sound, func(_ *Spec, t *Target) { t.OnKeyCollision = "FIRST" },
			`Targets[0].OnKeyCollision is "FIRST": the policy is LAST_WRITER_WINS`},
		{"needless policy", unique, func(_ *Spec, t *Target) {
			t.OnKeyCollision, t.VersionAttribute = LastWriterWins, DefaultVersionAttribute
		},
			`Targets[0].OnKeyCollision is LAST_WRITER_WINS but the target key contains the whole source key: two items can never meet; remove it, unconditional writes are cheaper`},
		{"version without policy", unique, func(_ *Spec, t *Target) { t.VersionAttribute = "v" },
			`Targets[0].VersionAttribute "v" is set without OnKeyCollision: only LAST_WRITER_WINS writes versions; remove it`},
		{"policy without version", sound, func(_ *Spec, t *Target) { t.VersionAttribute = "" },
			`Targets[0].VersionAttribute is empty: LAST_WRITER_WINS needs an attribute for the version`},
		{"bad version name", sound, func(_ *Spec, t *Target) { t.VersionAttribute = "\xff" },
			`Targets[0].VersionAttribute "\xff" is not valid UTF-8: attribute names are UTF-8 strings`},
		{"version is a key", sound, func(_ *Spec, t *Target) { t.VersionAttribute = "email" },
			`Targets[0].VersionAttribute "email" is a key attribute: name an attribute that nothing else uses`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.spec()
			test.spoil(&s, &s.Targets[0])
			problems := s.Problems()
			if len(problems) != 1 || problems[0].String() != test.want {
				t.Errorf("got  %v\nwant [%s]", problems, test.want)
			}
		})
	}
}

package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// sound is a spec without problems, with every field set.
func sound() Spec {
	return Spec{
		Source: Table{"source", KeySchema{
			PartitionKey: Attribute{"email", String},
			SortKey:      &Attribute{"since", Number},
		}},
		Targets: []Target{{
			Table: Table{"target", KeySchema{
				PartitionKey: Attribute{"state", String},
				SortKey:      &Attribute{"city", Binary},
			}},
			Filter: &Condition{Any: []Condition{
				{Path: []string{"address", "country"}, Operator: Equals, Values: []Value{{"S", "US"}}},
				{All: []Condition{
					{Path: []string{"age"}, Operator: In, Values: []Value{{"N", "1"}, {"N", "-2.5e3"}}},
					{Path: []string{"banned"}, Operator: NotEquals, Values: []Value{{"BOOL", "true"}}},
					{Path: []string{"name"}, Operator: BeginsWith, Values: []Value{{"S", "A"}}},
					{Path: []string{"name"}, Operator: Exists},
				}},
			}},
			ExpiredItems: KeepExpired,
			Projection: Projection{
				Type: Exclude, Attributes: []string{"zipcode", "a <b> & \"c\""},
				Renames: map[string]string{"name": "title", "title": "name"},
			},
			OnKeyCollision:   LastWriterWins,
			VersionAttribute: DefaultVersionAttribute,

			WriteBrakeDisabled: true,
		}},
		FailureQueueURL: "https://queue",
		LogLevel:        LogWarn,
		Metrics:         MetricsPerTarget,
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

// derived is a sound spec whose target key is derived from a nested attribute and from a
// composite that contains the source key.
func derived() Spec {
	s := unique()
	t := &s.Targets[0]
	t.PartitionKey, t.SortKey = Attribute{"country", String}, &Attribute{"place", String}
	t.KeySources = map[string]KeySource{
		"country": {Parts: [][]string{{"address", "country"}}},
		"place":   {Parts: [][]string{{"address", "city"}, {"since"}, {"email"}}, Separator: "#"},
	}
	return s
}

// source spoils a spec with a source of the target key attribute called name.
func source(name string, k KeySource) func(*Spec, *Target) {
	return func(_ *Spec, t *Target) { t.KeySources[name] = k }
}

// renames spoils a spec with a projection.
func renames(typ ProjectionType, attributes []string, renames map[string]string) func(*Spec, *Target) {
	return func(_ *Spec, t *Target) { t.Projection = Projection{typ, attributes, renames} }
}

func TestASourceKeyIsContainedAsItIsUnderAnotherNameOrInAComposite(t *testing.T) {
	s := derived()
	for _, test := range []struct {
		name string
		k    KeySource
		want string
	}{
		{"in a composite", s.Targets[0].KeySources["place"], "[]"},
		{"one of two", KeySource{Parts: [][]string{{"since"}, {"city"}}, Separator: "#"}, "[email]"},
		{"under another name", KeySource{Parts: [][]string{{"email"}}}, "[since]"},
		{"a nested attribute of that name is another one", KeySource{Parts: [][]string{{"address", "email"}, {"since", "x"}}, Separator: "#"}, "[email since]"},
	} {
		s.Targets[0].KeySources["place"] = test.k
		if got := fmt.Sprint(s.MissingSourceKeys(s.Targets[0])); got != test.want {
			t.Errorf("%s: missing are %s, want %s", test.name, got, test.want)
		}
	}
}

func TestASpecSurvivesItsRoundTrip(t *testing.T) {
	for _, want := range []Spec{sound(), unique(), derived()} {
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

func TestATextThatIsNotASpecIsRefused(t *testing.T) {
	good := sound().Encode()
	for _, test := range []struct{ name, text, want string }{
		{"unset", "", "REPLICATEDTABLE_SPEC is not set"},
		{"cut off", good[:20], "REPLICATEDTABLE_SPEC is not a spec this version understands: Source is cut off"},
		{"a field of the future", strings.Replace(good, "{", `{"Sauce":1,`, 1), "Sauce is not a field"},
		{"a nested field of the future", strings.Replace(good, `"Type":"S"`, `"Type":"S","Length":1`, 1), "Source.PartitionKey.Length is not a field"},
		{"two values", good + good, "after top-level value"},
		{"something follows", good + "}", "after top-level value"},
		{"another spelling", strings.Replace(good, `"Targets"`, `"targets"`, 1), "targets is not a field"},
		{"a name twice", strings.Replace(good, `"TableName":"source"`, `"TableName":"a","TableName":"source"`, 1), "Source.TableName appears twice"},
		{"a text for a truth", strings.Replace(good, `"WriteBrakeDisabled":true`, `"WriteBrakeDisabled":"true"`, 1), "Targets[0].WriteBrakeDisabled is not a boolean"},
		{"a number for a text", strings.Replace(good, `"TableName":"source"`, `"TableName":1`, 1), "Source.TableName is not a string"},
		{"a text for a number", strings.Replace(good, "{", `{"MappingVersion":"1",`, 1), "MappingVersion is not a number"},
		{"a text for an object", strings.Replace(good, `"Projection":{`, `"Projection":"ALL","Other":{`, 1), "Targets[0].Projection is not an object"},
		{"a text for an array", strings.Replace(good, `"Targets":[`, `"Targets":"all","Other":[`, 1), "Targets is not an array"},
		{"null for an object", strings.Replace(good, `"Projection":{`, `"Filter":null,"Projection":{`, 1), "Targets[0].Filter is not an object"},
		{"null for a text", strings.Replace(good, `"TableName":"source"`, `"TableName":null`, 1), "Source.TableName is not a string"},
		{"a Go field that is not in the text", strings.Replace(good, `"TableName":"source"`, `"KeySchema":{}`, 1), "Source.KeySchema is not a field"},
		{"another spelling below", strings.Replace(good, `"Attributes"`, `"attributes"`, 1), "Targets[0].Projection.attributes is not a field"},
		{"an attribute twice", strings.Replace(good, `"name":"title"`, `"name":"title","name":"title"`, 1), "Targets[0].Projection.Renames.name appears twice"},
		{"nothing to join", strings.Replace(good, `"Projection":{`, `"KeySources":{},"Projection":{`, 1), "Targets[0].KeySources is empty"},
		{"no names", strings.Replace(good, `"Type":"EXCLUDE"`, `"Type":"EXCLUDE","Renames":{}`, 1), "Targets[0].Projection.Renames is empty"},
		{"no conditions", strings.Replace(good, `"Projection":{`, `"Filter":{"All":[],"Path":["a"],"Operator":"EXISTS"},"Projection":{`, 1), "Targets[0].Filter.All is empty"},
		{"not Unicode", strings.Replace(good, `"TableName":"source"`, "\"TableName\":\"source\xff\"", 1), "Source.TableName has a text that is not Unicode"},
		{"half a character in a name", strings.Replace(good, `"name":"title"`, `"\ud800":"title"`, 1), "Targets[0].Projection.Renames has a text that is not Unicode"},
		{"half a character", strings.Replace(good, `"TableName":"source"`, `"TableName":"source\ud800"`, 1), "Source.TableName has a text that is not Unicode"},
		{"a comma too much", strings.Replace(good, `"Source":{`, `"Source":{,`, 1), "Source is cut off or malformed: invalid character ','"},
		{"problems", strings.Replace(good, `"EXCLUDE"`, `"OMIT"`, 1), `REPLICATEDTABLE_SPEC: Targets[0].Projection has type "OMIT"`},
	} {
		if _, err := Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestASpecIsReadInWhateverFormItsTextHas(t *testing.T) {
	for _, test := range []struct{ name, old, new string }{
		{"white space", `{"Source":{`, "\n{ \"Source\" : {\t"},
		{"another order", `"Name":"email","Type":"S"`, `"Type":"S","Name":"email"`},
		{"an unnecessary escape", `"source"`, `"\u0073ource"`},
		{"the implied version", `{"Source":{`, `{"MappingVersion":0,"Source":{`},
		{"white space and a number", `"Targets":[`, `"SetAsideSeconds" : 0, "Targets":[`},
		{"a zero value", `{"Parts":[["address","country"]]`, `{"Separator":"","Parts":[["address","country"]]`},
	} {
		text := strings.Replace(derived().Encode(), test.old, test.new, 1)
		if text == derived().Encode() {
			t.Fatalf("%s: nothing was replaced", test.name)
		}
		if got, err := Parse(text); err != nil || !reflect.DeepEqual(got, derived()) {
			t.Errorf("%s: got %+v, %v", test.name, got, err)
		}
	}
}

func TestATargetIsSetAsideAfterAMinuteToTenHours(t *testing.T) {
	for _, seconds := range []int{0, 60, 36_000} {
		s := sound()
		s.SetAsideSeconds = seconds
		if got, err := Parse(s.Encode()); err != nil || got.SetAsideSeconds != seconds {
			t.Errorf("%d: got %d, %v", seconds, got.SetAsideSeconds, err)
		}
	}
}

// filter spoils a spec with a condition.
func filter(c Condition) func(*Spec, *Target) {
	return func(_ *Spec, t *Target) { t.Filter = &c }
}

// nested returns a sound condition of the given depth.
func nested(depth int) Condition {
	c := Condition{Operator: Exists, Path: []string{"a"}}
	for range depth - 1 {
		c = Condition{All: []Condition{c}}
	}
	return c
}

func TestASourceAttributeWithATargetsOwnNameCanBeLeftOutOrRenamed(t *testing.T) {
	for _, p := range []Projection{
		{Exclude, []string{"country", "version"}, nil},
		{All, nil, map[string]string{"country": "countryOfBirth", "version": "sourceVersion"}},
		{Include, []string{"country", "version"}, map[string]string{"country": "countryOfBirth", "version": "sourceVersion"}},
		{KeysOnly, nil, nil},
	} {
		s := derived()
		s.Targets[0].VersionAttribute = "version"
		s.Targets[0].KeySources["country"] = KeySource{Parts: [][]string{{"country", "code"}}}
		s.Targets[0].Projection = p
		if problems := s.Problems(); len(problems) > 0 {
			t.Errorf("%+v: %v", p, problems)
		}
	}
}

func TestEveryRuleNamesTheFieldTheValueAndTheRemedy(t *testing.T) {
	if problems := slices.Concat(sound().Problems(), unique().Problems(), derived().Problems()); len(problems) > 0 {
		t.Fatalf("the sound specs have problems: %v", problems)
	}
	long := strings.Repeat("x", 256)
	for _, test := range []struct {
		name  string
		spec  func() Spec
		spoil func(*Spec, *Target)
		want  string
	}{
		{"rules of another version", sound, func(s *Spec, _ *Target) { s.MappingVersion = 2 },
			`MappingVersion is 2, and the function maps by the rules of version 1: deploy the construct and the function of one release`},
		{"unknown log level", sound, func(s *Spec, _ *Target) { s.LogLevel = "TRACE" },
			`LogLevel is "TRACE": use DEBUG, INFO, WARN or ERROR, or leave it out for INFO`},
		{"unknown metrics", sound, func(s *Spec, _ *Target) { s.Metrics = "ALL" },
			`Metrics is "ALL": use BASIC, PER_TARGET or NONE, or leave it out for BASIC`},
		{"set aside at once", sound, func(s *Spec, _ *Target) { s.SetAsideSeconds = -1 },
			`SetAsideSeconds is -1: set a number from 60 to 36000, or leave it out for the default`},
		{"set aside too early", sound, func(s *Spec, _ *Target) { s.SetAsideSeconds = 59 },
			`SetAsideSeconds is 59: set a number from 60 to 36000, or leave it out for the default`},
		{"set aside too late", sound, func(s *Spec, _ *Target) { s.SetAsideSeconds = 36_001 },
			`SetAsideSeconds is 36001: set a number from 60 to 36000, or leave it out for the default`},
		{"no target", sound, func(s *Spec, _ *Target) { s.Targets = nil },
			`Targets is empty: the function needs at least one target table`},
		{"no table name", sound, func(_ *Spec, t *Target) { t.TableName = "" },
			`Targets[0].TableName is empty: name the table`},
		{"the source is a target", sound, func(_ *Spec, t *Target) { t.TableName = "source" },
			`Targets[0].TableName "source" is the source table: its changes would never end; name another table`},
		{"one target twice", sound, func(s *Spec, t *Target) { s.Targets = append(s.Targets, *t) },
			`Targets[1].TableName "target" is the table of Targets[0] too: they would delete each other's items; name another table`},
		{"no source name", sound, func(s *Spec, _ *Target) { s.Source.TableName = "" },
			`Source.TableName is empty: name the table`},
		{"no failure queue", sound, func(s *Spec, _ *Target) { s.FailureQueueURL = "" },
			`FailureQueueURL is empty: name the queue for records that can never be applied`},
		{"unknown expiry", sound, func(_ *Spec, t *Target) { t.ExpiredItems = "MAYBE" },
			`Targets[0].ExpiredItems is "MAYBE": leave it out to delete the target item, or use KEEP`},
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
		{"list with ALL", sound, func(_ *Spec, t *Target) { t.Projection = Projection{All, []string{"a"}, nil} },
			`Targets[0].Projection ALL lists attributes ("a"): only INCLUDE and EXCLUDE do`},
		{"no list", sound, func(_ *Spec, t *Target) { t.Projection = Projection{Type: Include} },
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
		{"version included", sound, renames(Include, []string{DefaultVersionAttribute}, nil),
			`Targets[0].Projection INCLUDE lists "replicatedtable:version", which is also the name of the version attribute: remove it from the list, or rename it`},
		{"not unique, sort key", sound, func(s *Spec, t *Target) {
			s.Source.SortKey, t.OnKeyCollision, t.VersionAttribute = nil, "", ""
		},
			`Targets[0].SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		{"not unique, no sort key", sound, func(_ *Spec, t *Target) {
			t.SortKey, t.OnKeyCollision, t.VersionAttribute = nil, "", ""
		},
			`Targets[0].PartitionKey "state" does not contain the source keys "email", "since": two items could meet on one target key; use "email" and "since" as the target key or set OnKeyCollision`},
		{"unknown policy", sound, func(_ *Spec, t *Target) { t.OnKeyCollision = "FIRST" },
			`Targets[0].OnKeyCollision is "FIRST": the policy is LAST_WRITER_WINS`},
		{"needless policy", unique, func(_ *Spec, t *Target) {
			t.OnKeyCollision, t.VersionAttribute = LastWriterWins, DefaultVersionAttribute
		},
			`Targets[0].OnKeyCollision is LAST_WRITER_WINS but the target key contains the whole source key: two items can never meet; remove it, unconditional writes are cheaper`},
		{"policy without version", sound, func(_ *Spec, t *Target) { t.VersionAttribute = "" },
			`Targets[0].VersionAttribute is empty: LAST_WRITER_WINS needs an attribute for the version`},
		{"guard on a key", unique, func(_ *Spec, t *Target) { t.VersionAttribute = "since" },
			`Targets[0].VersionAttribute "since" is a key attribute: name an attribute that nothing else uses`},
		{"bad version name", sound, func(_ *Spec, t *Target) { t.VersionAttribute = "\xff" },
			`Targets[0].VersionAttribute "\xff" is not valid UTF-8: attribute names are UTF-8 strings`},
		{"source of no key", derived, source("name", KeySource{Parts: [][]string{{"a"}, {"b"}}}),
			`Targets[0].KeySources "name" is not a key attribute of the target table: name one of its key attributes`},
		{"derived from nothing", derived, source("country", KeySource{}),
			`Targets[0].KeySources "country" is derived from nothing: name an attribute of the source item`},
		{"a part without a name", derived, source("country", KeySource{Parts: [][]string{{}}}),
			`Targets[0].KeySources "country" has no Path: name the attribute`},
		{"a part with an empty step", derived, source("country", KeySource{Parts: [][]string{{"a", ""}}}),
			`Targets[0].KeySources "country" has an empty name in its Path "a", "": name every step`},
		{"derived from itself", derived, source("country", KeySource{Parts: [][]string{{"country"}}}),
			`Targets[0].KeySources "country" is derived from the source attribute of the same name, which is the default: remove it`},
		{"a separator for nothing", derived, source("country", KeySource{Parts: [][]string{{"a"}}, Separator: "#"}),
			`Targets[0].KeySources "country" has a separator but one part: nothing is joined; remove it`},
		{"no separator", derived, source("country", KeySource{Parts: [][]string{{"a"}, {"b"}}}),
			`Targets[0].KeySources "country" has the separator "": use one character, and not the backslash, which escapes it`},
		{"long separator", derived, source("country", KeySource{Parts: [][]string{{"a"}, {"b"}}, Separator: "::"}),
			`Targets[0].KeySources "country" has the separator "::": use one character, and not the backslash, which escapes it`},
		{"separator that escapes", derived, source("country", KeySource{Parts: [][]string{{"a"}, {"b"}}, Separator: `\`}),
			`Targets[0].KeySources "country" has the separator "\\": use one character, and not the backslash, which escapes it`},
		{"bad separator", derived, source("country", KeySource{Parts: [][]string{{"a"}, {"b"}}, Separator: "\xff"}),
			`Targets[0].KeySources "country" has the separator "\xff": use one character, and not the backslash, which escapes it`},
		{"composite number", derived, func(_ *Spec, t *Target) { t.SortKey.Type = Number },
			`Targets[0].KeySources "place" joins 3 attributes and has type N: a composite is a string; give it type S`},
		{"source key of another type", derived, source("country", KeySource{Parts: [][]string{{"since"}}}),
			`Targets[0].KeySources "country" has type S but is derived from the source key "since" of type N: one value has one type`},
		{"derived key with a source key's name", derived, func(_ *Spec, t *Target) {
			t.PartitionKey.Name = "email"
			t.KeySources["email"] = t.KeySources["country"]
			delete(t.KeySources, "country")
		},
			`Targets[0].KeySources "email" is a key attribute of the source table, and a target item always carries that one as it is: give the target's key attribute another name`},
		{"composite without the source key", derived, source("place", KeySource{Parts: [][]string{{"city"}, {"since"}}, Separator: "#"}),
			`Targets[0].SortKey "place" and PartitionKey "country" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		{"derived key included", derived, renames(Include, []string{"country"}, nil),
			`Targets[0].Projection INCLUDE lists "country", which is also the name of a derived target key attribute: remove it from the list, or rename it`},
		{"a key derived from its own name and more", derived, func(_ *Spec, t *Target) {
			t.Projection = Projection{Type: All}
			t.KeySources["country"] = KeySource{Parts: [][]string{{"country", "code"}}}
		},
			`Targets[0].KeySources need "country", which Projection carries, and that is the name of a derived target key attribute: no item could have both; choose another name for that, or leave "country" out with EXCLUDE or rename it`},
		{"a key derived from the version", derived, func(_ *Spec, t *Target) {
			t.Projection, t.VersionAttribute = Projection{Type: All}, "version"
			t.KeySources["country"] = KeySource{Parts: [][]string{{"version"}}}
		},
			`Targets[0].KeySources need "version", which Projection carries, and that is the name of the version attribute: no item could have both; choose another name for that, or leave "version" out with EXCLUDE or rename it`},
		{"a part inside another", derived, func(_ *Spec, t *Target) {
			t.KeySources["country"] = KeySource{Parts: [][]string{{"address"}}}
		},
			`Targets[0].KeySources need "address" and inside of it "address.city": no item could have both; name a value of one of them`},
		{"rename without a name", derived, renames(All, nil, map[string]string{"a": ""}),
			`Targets[0].Projection renames "a" to "": write both names out`},
		{"bad rename", derived, renames(All, nil, map[string]string{"a": "\xff"}),
			`Targets[0].Projection renames "a" to "\xff", which is not valid UTF-8: attribute names are UTF-8 strings`},
		{"rename to itself", derived, renames(All, nil, map[string]string{"a": "a"}),
			`Targets[0].Projection renames "a" to itself: remove it`},
		{"rename of a source key", derived, renames(All, nil, map[string]string{"email": "a"}),
			`Targets[0].Projection renames "email", a key attribute of the source table: a target item always carries it as it is; remove it`},
		{"rename of a target key", sound, renames(All, nil, map[string]string{"city": "a"}),
			`Targets[0].Projection renames "city", a key attribute of the target table: give the key attribute the other name instead, and name its source in KeySources`},
		{"rename of what is not included", derived, renames(Include, []string{"a"}, map[string]string{"b": "c"}),
			`Targets[0].Projection renames "b", which INCLUDE does not carry: remove it, or carry the attribute`},
		{"rename of what is excluded", derived, renames(Exclude, []string{"a"}, map[string]string{"a": "c"}),
			`Targets[0].Projection renames "a", which EXCLUDE does not carry: remove it, or carry the attribute`},
		{"rename with keys only", derived, renames(KeysOnly, nil, map[string]string{"a": "c"}),
			`Targets[0].Projection renames "a", which KEYS_ONLY does not carry: remove it, or carry the attribute`},
		{"rename to a key", derived, renames(All, nil, map[string]string{"a": "place"}),
			`Targets[0].Projection renames "a" to "place", a key attribute: choose another name`},
		{"rename of nothing", derived, renames(All, nil, map[string]string{"": "a"}),
			`Targets[0].Projection renames "" to "a": write both names out`},
		{"rename of a bad name", derived, renames(All, nil, map[string]string{"\xff": "a"}),
			`Targets[0].Projection renames "\xff" to "a", which is not valid UTF-8: attribute names are UTF-8 strings`},
		{"rename to a source key", sound, renames(All, nil, map[string]string{"a": "email"}),
			`Targets[0].Projection renames "a" to "email", a key attribute: choose another name`},
		{"rename to the version", sound, renames(All, nil, map[string]string{"a": DefaultVersionAttribute}),
			`Targets[0].Projection renames "a" to "replicatedtable:version", the version attribute: choose another name`},
		{"two renames to one name", derived, renames(All, nil, map[string]string{"a": "c", "b": "c"}),
			`Targets[0].Projection renames "a" and "b" to "c": choose two names`},
		{"rename to what is included", derived, renames(Include, []string{"a", "b"}, map[string]string{"a": "b"}),
			`Targets[0].Projection renames "a" to "b", which INCLUDE lists too: rename that one as well, or choose another name`},
		{"empty condition", sound, filter(Condition{}),
			`Targets[0].Filter is empty: give a Path with an Operator, or conditions in All or Any`},
		{"two conditions in one", sound, filter(Condition{Operator: Exists, Path: []string{"a"}, All: []Condition{{Operator: Exists, Path: []string{"a"}}}}),
			`Targets[0].Filter has more than one of Operator, All and Any: nest them instead`},
		{"unknown operator", sound, filter(Condition{Operator: "LIKE", Path: []string{"a"}}),
			`Targets[0].Filter has operator "LIKE": use EQUALS, NOT_EQUALS, IN, EXISTS or BEGINS_WITH`},
		{"no path", sound, filter(Condition{Operator: Exists}),
			`Targets[0].Filter has no Path: name the attribute`},
		{"empty name in a path", sound, filter(Condition{Operator: Exists, Path: []string{"a", ""}}),
			`Targets[0].Filter has an empty name in its Path "a", "": name every step`},
		{"bad name in a path", sound, filter(Condition{Operator: Exists, Path: []string{"\xff"}}),
			`Targets[0].Filter has the Path "\xff", which is not valid UTF-8: attribute names are UTF-8 strings`},
		{"too few values", sound, filter(Condition{Operator: Equals, Path: []string{"a"}}),
			`Targets[0].Filter EQUALS has 0 values: give 1`},
		{"too many values", sound, filter(Condition{Operator: Exists, Path: []string{"a"}, Values: []Value{{"S", "x"}}}),
			`Targets[0].Filter EXISTS has 1 values: give none`},
		{"nothing to be in", sound, filter(Condition{Operator: In, Path: []string{"a"}}),
			`Targets[0].Filter IN has 0 values: give at least 1`},
		{"value without a type", sound, filter(Condition{Operator: Equals, Path: []string{"a"}, Values: []Value{{"", "x"}}}),
			`Targets[0].Filter compares with a value of type "": use S, N or BOOL`},
		{"bad number", sound, filter(Condition{Operator: Equals, Path: []string{"a"}, Values: []Value{{"N", "0x1"}}}),
			`Targets[0].Filter compares with "0x1", which is not a decimal number`},
		{"bad boolean", sound, filter(Condition{Operator: Equals, Path: []string{"a"}, Values: []Value{{"BOOL", "yes"}}}),
			`Targets[0].Filter compares with "yes", which is neither true nor false`},
		{"prefix of a number", sound, filter(Condition{Operator: BeginsWith, Path: []string{"a"}, Values: []Value{{"N", "1"}}}),
			`Targets[0].Filter BEGINS_WITH has a value of type N: only a string begins with another`},
		{"bad value below", sound, filter(Condition{Any: []Condition{{Operator: Exists, Path: []string{"a"}}, {Operator: Equals, Path: []string{"a"}}}}),
			`Targets[0].Filter.Any[1] EQUALS has 0 values: give 1`},
		{"too deep", sound, filter(nested(MaxConditionDepth + 1)),
			`Targets[0].Filter` + strings.Repeat(".All[0]", MaxConditionDepth) + ` is nested deeper than 10 levels: flatten it`},
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

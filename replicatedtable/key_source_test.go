package replicatedtable

import (
	"reflect"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestKeySourcesThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "source of an unknown key",
			why:  "with a misspelt name, the key attribute would keep its default",
			props: func(p *ReplicatedTableProps) {
				p.Target.KeySources = &map[string]*KeySource{"sate": from("x")}
			},
			want: []string{
				`Target.KeySources "sate" is not a key attribute of the target table: ` +
					`name one of its key attributes`,
			},
		},
		{
			name:  "nil source",
			why:   "the map's zero value",
			props: func(p *ReplicatedTableProps) { p.Target.KeySources = &map[string]*KeySource{"state": nil} },
			want:  []string{`Target.KeySources "state" is derived from nothing: name an attribute of the source item`},
		},
		{
			name: "nil attribute and separator",
			why:  "all problems at once",
			props: func(p *ReplicatedTableProps) {
				p.Target.KeySources = &map[string]*KeySource{"state": {Attributes: &[]*string{jsii.String("a..b"), nil}}}
			},
			want: []string{
				`Target.KeySources "state" has an empty name in its Path "a", "", "b": name every step`,
				`Target.KeySources "state" has an empty name in its Path "": name every step`,
				`Target.KeySources "state" has the separator "": use one character, and not the backslash, which escapes it`,
			},
		},
		{
			name: "tokens in KeySources and Renames",
			why:  "names of the mapping must be known at synthesis",
			props: func(p *ReplicatedTableProps) {
				p.Target.KeySources = &map[string]*KeySource{"state": from("${Token[TOKEN.7]}")}
				renames := &map[string]*string{"a": jsii.String("${Token[TOKEN.8]}")}
				p.Target.Projection = &Projection{Type: ProjectionType_ALL, Renames: renames}
			},
			want: []string{
				`Target.KeySources "${Token[TOKEN.7]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
				`Target.Projection "${Token[TOKEN.8]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
			},
		},
	})
}

func TestACompositeThatContainsTheSourceKeyIsUnique(t *testing.T) {
	props := compositeProps()
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Fatal(message("Users", problems))
	}

	target := toReplication(props, sizes{}).Targets[0]
	got := target.KeySources["place"]
	want := spec.KeySource{Parts: [][]string{{"address", "city"}, {"email"}}, Separator: "#"}
	if !reflect.DeepEqual(got, want) || target.VersionAttribute != "" {
		t.Errorf("got %+v, want %+v and no version", got, want)
	}

	(*props.Target.KeySources)["place"] = from("address.city")
	if problems := validate(props, sizes{}); len(problems) != 1 || problems[0].Path != "Target.SortKey" {
		t.Errorf("without the email: got %v, want a problem of the sort key", problems)
	}
}

func TestASourceKeyWithADotInItsNameIsAPart(t *testing.T) {
	props := compositeProps()
	props.Source.PartitionKey = str("user.email")
	(*props.Target.KeySources)["place"] = joined("address.city", *AttributePath("user.email"))
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Error(message("Users", problems))
	}
}

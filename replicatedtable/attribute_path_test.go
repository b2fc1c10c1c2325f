package replicatedtable

import (
	"slices"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestAPathIsSplitAtDotsThatNoBackslashEscapes(t *testing.T) {
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"active", []string{"active"}},
		{"address.city", []string{"address", "city"}},
		{`user\.email`, []string{"user.email"}},
		{`user\.email.domain`, []string{"user.email", "domain"}},
		{`a\\.b`, []string{`a\`, "b"}},
		{`tags\[0\]`, []string{"tags[0]"}},
		{"Straße.größe", []string{"Straße", "größe"}},
		{"", []string{""}},
		{"a..b", []string{"a", "", "b"}},
		{"tags[0]", nil},
		{"0]", nil},
		{`a\b`, nil},
		{`a\`, nil},
	} {
		got, ok := parsePath(tt.path)
		if !slices.Equal(got, tt.want) || ok != (tt.want != nil) {
			t.Errorf("%s is split into %q, %t, want %q", tt.path, got, ok, tt.want)
		}
	}
}

// FuzzAttributePath: whatever the names are, the path leads to them, and a text that is
// a path is the only one for its steps.
func FuzzAttributePath(f *testing.F) {
	f.Add("address", "city")
	f.Add("user.email", `\`)
	f.Add(`a\.b`, "[0]")
	f.Add("", "${Token[TOKEN.1]}")
	f.Fuzz(func(t *testing.T, first, second string) {
		steps := []string{first, second}
		if got, ok := parsePath(*AttributePath(steps...)); !ok || !slices.Equal(got, steps) {
			t.Errorf("%q became %q, %t", steps, got, ok)
		}
		if steps, ok := parsePath(first); ok && *AttributePath(steps...) != first {
			t.Errorf("%q and %q are two paths to %q", first, *AttributePath(steps...), steps)
		}
	})
}

func TestEveryPropReadsAPathInTheSameWay(t *testing.T) {
	dotted := AttributePath("a.b")
	target := toTarget(&TargetProps{
		PartitionKey: str("a.b"), // a name, not a path
		SortKey:      str("k"),
		KeySources:   &map[string]*KeySource{"k": {Attributes: &[]*string{dotted}}},
		Projection: &Projection{
			Type: ProjectionType_INCLUDE, Attributes: &[]*string{dotted}, Renames: &map[string]*string{*dotted: dotted},
		},
		Filter:   Condition_Exists(dotted),
		Ordering: Ordering_VersionGuard(&VersionProps{Attribute: dotted}),
	})

	for prop, got := range map[string]string{
		"PartitionKey": target.PartitionKey.Name,
		"KeySources":   target.KeySources["k"].Parts[0][0],
		"Attributes":   target.Projection.Attributes[0],
		"Renames":      target.Projection.Renames["a.b"],
		"Filter":       target.Filter.Path[0],
		"Ordering":     target.VersionAttribute,
	} {
		if got != "a.b" {
			t.Errorf("%s names %q, want a.b", prop, got)
		}
	}
}

func TestPathsThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	const remedy = ` has a bracket or a backslash that is not escaped, and a path cannot name an element of a list: ` +
		`if it belongs to a name, write AttributePath(`
	const top = `: only top-level attributes can be named here; if the dot belongs to a name, write AttributePath(`

	wantProblems(t, []propsCase{
		{
			name: "texts that are not paths",
			why:  "each prop is checked, and a list element is a step that paths may have later",
			props: func(p *ReplicatedTableProps) {
				p.Target.KeySources = &map[string]*KeySource{"state": from("address.lines[0]")}
				p.Target.Projection = include(1)
				p.Target.Projection.Attributes = jsii.Strings("tags[0]")
				p.Target.Projection.Renames = &map[string]*string{"tags[0]": jsii.String(`a\b`)}
				p.Target.Filter = Condition_All(
					Condition_Exists(jsii.String(`a\`)),
					Condition_Any(Condition_BeginsWith(jsii.String("]"), jsii.String("[values are no paths]"))),
				)
				p.Target.Ordering = guard("v[1]")
			},
			want: []string{
				`Target.KeySources "address.lines[0]"` + remedy + `"address", "lines[0]")`,
				`Target.Projection "tags[0]"` + remedy + `"tags[0]")`,
				`Target.Projection "tags[0]"` + remedy + `"tags[0]")`,
				`Target.Projection "a\\b"` + remedy + `"a\\b")`,
				`Target.Filter "a\\"` + remedy + `"a\\")`,
				`Target.Filter "]"` + remedy + `"]")`,
				`Target.Ordering.Attribute "v[1]"` + remedy + `"v[1]")`,
			},
		},
		{
			name: "texts with an escape besides",
			why:  "the suggestion is for a name as DynamoDB has it, without the backslashes of a path",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_All(
					Condition_Exists(jsii.String(`user\.email[0]`)),
					Condition_Exists(jsii.String(`a\.b\c.d`)),
					Condition_Exists(jsii.String(`a\\.b\[0]`)),
				)
				p.Target.Projection = &Projection{Type: ProjectionType_EXCLUDE, Attributes: jsii.Strings(`a\.b.c`, `a.b[0]`)}
			},
			want: []string{
				`Target.Projection "a\\.b.c" leads into the map "a.b"` + top + `"a.b.c")`,
				`Target.Projection "a.b[0]"` + remedy + `"a.b[0]")`,
				`Target.Filter "user\\.email[0]"` + remedy + `"user.email[0]")`,
				`Target.Filter "a\\.b\\c.d"` + remedy + `"a.b\\c", "d")`,
				`Target.Filter "a\\\\.b\\[0]"` + remedy + `"a\\", "b[0]")`,
			},
		},
		{
			name: "paths into a map in a projection",
			why:  "the function carries top-level attributes as they are",
			props: func(p *ReplicatedTableProps) {
				p.Target.Projection = &Projection{
					Type:       ProjectionType_EXCLUDE,
					Attributes: jsii.Strings("address.city"),
					Renames:    &map[string]*string{"meta.title": jsii.String("a.title")},
				}
			},
			want: []string{
				`Target.Projection "address.city" leads into the map "address"` + top + `"address.city")`,
				`Target.Projection "meta.title" leads into the map "meta"` + top + `"meta.title")`,
				`Target.Projection "a.title" leads into the map "a"` + top + `"a.title")`,
			},
		},
		{
			name: "whole name of a source key that has a dot",
			why:  "it is a path like any other text, so the key is not unique",
			props: func(p *ReplicatedTableProps) {
				p.Source.PartitionKey = str("user.email")
				p.Target.SortKey = str("place")
				p.Target.KeySources = &map[string]*KeySource{"place": joined("city", "user.email")}
			},
			want: []string{
				`Target.SortKey "place" and PartitionKey "state" do not contain the source key "user.email": ` +
					`two items could meet on one target key; ` +
					`add "user.email" to the sort key or choose Ordering_LastWriterWins`,
			},
		},
	})
}

func TestATokenInAnAttributePathIsRefusedAsAToken(t *testing.T) {
	const token = "${Token[TOKEN.7]}"
	props := uniqueProps()
	props.Target.Filter = Condition_Exists(AttributePath("a", token))
	want := `Users: Target.Filter "` + token + `" is a token: ` +
		`names and values of the mapping must be known at synthesis; write it out`
	if got := message("Users", validate(props, sizes{})); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

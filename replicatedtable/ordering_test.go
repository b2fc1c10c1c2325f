package replicatedtable

import (
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func guard(attribute string) Ordering {
	return Ordering_VersionGuard(&VersionProps{Attribute: jsii.String(attribute)})
}

func lastWriter(attribute string) Ordering {
	return Ordering_LastWriterWins(&VersionProps{Attribute: jsii.String(attribute)})
}

func TestAnOrderingIsOneOfTheThreeThatASpecCanHave(t *testing.T) {
	for _, tt := range []struct {
		name      string
		ordering  Ordering
		policy    spec.OnKeyCollision
		attribute string
	}{
		{"nil", nil, "", ""},
		{"guard", Ordering_VersionGuard(nil), "", spec.DefaultVersionAttribute},
		{"guard without a name", Ordering_VersionGuard(&VersionProps{}), "", spec.DefaultVersionAttribute},
		{"guard with a name", guard("v"), "", "v"},
		{"guard with a dot in the name", guard(`v\.1`), "", "v.1"},
		{"last writer", Ordering_LastWriterWins(nil), spec.LastWriterWins, spec.DefaultVersionAttribute},
		{"last writer with a name", lastWriter("v"), spec.LastWriterWins, "v"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := toTarget(&TargetProps{Ordering: tt.ordering})
			if target.OnKeyCollision != tt.policy || target.VersionAttribute != tt.attribute {
				t.Errorf("got policy %q and attribute %q, want %q and %q",
					target.OnKeyCollision, target.VersionAttribute, tt.policy, tt.attribute)
			}
		})
	}
}

func TestAnOrderingThatDoesNotFitTheKeyIsRefused(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "last writer wins on a key that is not unique",
			why:  "the other way out of the rule that keys are unique",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.Target.Ordering = Ordering_LastWriterWins(nil)
			},
		},
		{
			name:  "last writer wins on a unique key",
			why:   "conditional writes would cost a request per item for nothing",
			props: func(p *ReplicatedTableProps) { p.Target.Ordering = Ordering_LastWriterWins(nil) },
			want: []string{
				`Target.Ordering is Ordering_LastWriterWins but the target key contains the whole source key: ` +
					`two items can never meet; remove it, unconditional writes are cheaper`,
			},
		},
		{
			name:  "version guard on a unique key",
			why:   "what a unique target key can have",
			props: func(p *ReplicatedTableProps) { p.Target.Ordering = guard("v") },
		},
		{
			name: "version guard on a key that is not unique",
			why:  "the guard alone does not say who owns a target item",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.Target.Ordering = Ordering_VersionGuard(nil)
			},
			want: []string{
				`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": ` +
					`two items could meet on one target key; ` +
					`add "email" to the sort key or choose Ordering_LastWriterWins`,
			},
		},
	})
}

func TestAVersionAttributeThatOverwritesOrHasNoNameIsRefused(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "no name, last writer wins",
			why:  "empty is not the same as not set",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.Target.Ordering = lastWriter("")
			},
			want: []string{`Target.Ordering.Attribute is empty: name the attribute for the version, or leave it out`},
		},
		{
			name:  "no name, version guard",
			why:   "it would silently guard nothing",
			props: func(p *ReplicatedTableProps) { p.Target.Ordering = guard("") },
			want:  []string{`Target.Ordering.Attribute is empty: name the attribute for the version, or leave it out`},
		},
		{
			name: "key, last writer wins",
			why:  "a version would overwrite the key",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.Target.Ordering = lastWriter("city")
			},
			want: []string{
				`Target.Ordering.Attribute "city" is a key attribute: name an attribute that nothing else uses`,
			},
		},
		{
			name:  "key, version guard",
			why:   "as above",
			props: func(p *ReplicatedTableProps) { p.Target.Ordering = guard("email") },
			want: []string{
				`Target.Ordering.Attribute "email" is a key attribute: name an attribute that nothing else uses`,
			},
		},
		{
			name: "token",
			why:  "it has to be told apart from the item's own attributes",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.Target.Ordering = lastWriter("${Token[TOKEN.8]}")
			},
			want: []string{
				`Target.Ordering.Attribute "${Token[TOKEN.8]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
			},
		},
		{
			name:  "path into a map",
			why:   "the version is a top-level attribute",
			props: func(p *ReplicatedTableProps) { p.Target.Ordering = guard("meta.v") },
			want: []string{
				`Target.Ordering.Attribute "meta.v" leads into the map "meta": only top-level attributes can be named ` +
					`here; if the dot belongs to a name, write AttributePath("meta.v")`,
			},
		},
	})
}

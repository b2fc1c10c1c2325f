package replicatedtable

import (
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestProjectionsThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "nil rename",
			why:  "the zero value of a new name",
			props: func(p *ReplicatedTableProps) {
				p.Target.Projection = &Projection{Type: ProjectionType_ALL, Renames: &map[string]*string{"a": nil}}
			},
			want: []string{`Target.Projection renames "a" to "": write both names out`},
		},
		{
			name:  "projection without a type",
			why:   "a list alone does not say whether to add or to leave out",
			props: func(p *ReplicatedTableProps) { p.Target.Projection = &Projection{Attributes: jsii.Strings("zipcode")} },
			want:  []string{`Target.Projection has type "": use ALL, KEYS_ONLY, INCLUDE or EXCLUDE`},
		},
		{
			name: "list that nothing reads",
			why:  "the caller believes something is left out",
			props: func(p *ReplicatedTableProps) {
				p.Target.Projection = &Projection{Type: ProjectionType_KEYS_ONLY, Attributes: jsii.Strings("zipcode")}
			},
			want: []string{`Target.Projection KEYS_ONLY lists attributes ("zipcode"): only INCLUDE and EXCLUDE do`},
		},
		{
			name:  "missing list",
			why:   "nil list of attributes",
			props: func(p *ReplicatedTableProps) { p.Target.Projection = &Projection{Type: ProjectionType_EXCLUDE} },
			want:  []string{`Target.Projection EXCLUDE lists no attributes: name at least one, or use ALL or KEYS_ONLY`},
		},
		{
			name: "bad names in the list",
			why:  "each is a mistake of its own: nil, twice, a key of the source, a key of the target, a token",
			props: func(p *ReplicatedTableProps) {
				names := jsii.Strings("", "a", "a", "email", "state", "#{Token[TOKEN.9]}")
				(*names)[0] = nil
				p.Target.Projection = &Projection{Type: ProjectionType_EXCLUDE, Attributes: names}
			},
			want: []string{
				`Target.Projection EXCLUDE lists an empty name: remove it`,
				`Target.Projection EXCLUDE lists "a" twice: remove one`,
				`Target.Projection EXCLUDE lists "email", a key attribute of the source table: ` +
					`a target item always carries it; remove it from the list`,
				`Target.Projection EXCLUDE lists "state", a key attribute of the target table: ` +
					`a target item always carries it; remove it from the list`,
				`Target.Projection "#{Token[TOKEN.9]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
			},
		},
	})
}

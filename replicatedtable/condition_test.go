package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestFiltersThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "filter with nothing in it",
			why:  "all of nothing holds and any of nothing does not, and nobody means either",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_All(Condition_All(), Condition_Any())
			},
			want: []string{
				`Target.Filter.All[0].All is empty: give at least one condition`,
				`Target.Filter.All[1].Any is empty: give at least one condition`,
			},
		},
		{
			name: "nil in a filter",
			why:  "nil is an omission, not false or the empty string",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_Any(
					nil,
					Condition_Exists(nil),
					Condition_Equals(jsii.String("a"), nil),
					Condition_Equals(jsii.String("a"), Value_String(nil)),
					Condition_NotEquals(jsii.String("a"), Value_Number(nil)),
					Condition_In(jsii.String("a"), Value_Boolean(nil)),
				)
			},
			want: []string{
				`Target.Filter.Any[0] is nil: create a condition with a function such as Condition_Equals`,
				`Target.Filter.Any[1] has an empty name in its Path "": name every step`,
				`Target.Filter.Any[2] compares with nil: create a value with Value_String, Value_Number or Value_Boolean`,
				`Target.Filter.Any[3] compares with nil: create a value with Value_String, Value_Number or Value_Boolean`,
				`Target.Filter.Any[4] compares with "", which is not a decimal number`,
				`Target.Filter.Any[5] compares with "", which is neither true nor false`,
			},
		},
		{
			name: "conditions that cannot be evaluated",
			why:  "each is a mistake of its own: no operand, a step without a name, no number",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_All(
					Condition_In(jsii.String("a")),
					Condition_Exists(jsii.String("a..b")),
					Condition_Equals(jsii.String("a"), Value_Number(jsii.String("one"))),
				)
			},
			want: []string{
				`Target.Filter.All[0] Condition_In has no operands: give at least 1`,
				`Target.Filter.All[1] has an empty name in its Path "a", "", "b": name every step`,
				`Target.Filter.All[2] compares with "one", which is not a decimal number`,
			},
		},
		{
			name: "filter nested too deep",
			why:  "the function evaluates it by recursion",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_Exists(jsii.String("a"))
				for range spec.MaxConditionDepth {
					p.Target.Filter = Condition_Any(p.Target.Filter)
				}
			},
			want: []string{
				`Target.Filter` + strings.Repeat(".Any[0]", spec.MaxConditionDepth) + ` is nested deeper than 10 levels: ` +
					`flatten it`,
			},
		},
		{
			name: "tokens in a filter",
			why:  "the function would compare with the token instead of the value",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_Any(
					Condition_Exists(jsii.String("${Token[TOKEN.7]}")),
					Condition_BeginsWith(jsii.String("a"), jsii.String("x${Token[TOKEN.8]}")),
				)
			},
			want: []string{
				`Target.Filter "${Token[TOKEN.7]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
				`Target.Filter "x${Token[TOKEN.8]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
			},
		},
	})
}

package replicatedtable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestPropsThatDoNotFitIntoTheEnvironmentAreNamedWithTheirShare(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "KeySources that do not fit",
			why:  "the message says which prop needs the bytes",
			props: func(p *ReplicatedTableProps) {
				long := from(strings.Repeat("x", 4000))
				p.Target.KeySources = &map[string]*KeySource{"state": long}
			},
			want: []string{
				`Target brings the function's environment to 5079 bytes with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, Projection, KeySources or Filter: ` +
					`Target takes 4458 bytes, of them Projection 0 (0 names), KeySources 4048 and Filter 0`,
			},
		},
		{
			name:  "environment too large",
			why:   "Lambda would refuse the function, after the tables exist",
			props: func(p *ReplicatedTableProps) { p.Target.Projection = include(300) },
			want: []string{
				`Target brings the function's environment to 5552 bytes with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, Projection, KeySources or Filter: ` +
					`Target takes 4931 bytes, of them Projection 4517 (300 names), KeySources 0 and Filter 0`,
			},
		},
		{
			name: "environment too large for its filter",
			why:  "the filter is in the environment too",
			props: func(p *ReplicatedTableProps) {
				p.Target.Filter = Condition_Equals(jsii.String("bio"), Value_String(jsii.String(strings.Repeat("<", 3500))))
			},
			want: []string{
				`Target brings the function's environment to 4631 bytes with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, Projection, KeySources or Filter: ` +
					`Target takes 4010 bytes, of them Projection 0 (0 names), KeySources 0 and Filter 3600`,
			},
		},
	})
}

// include returns a projection of count attributes with names of ten bytes.
func include(count int) *Projection {
	names := make([]*string, count)
	for i := range names {
		names[i] = jsii.String(fmt.Sprintf("attr%06d", i))
	}
	return &Projection{Type: ProjectionType_INCLUDE, Attributes: &names}
}

func TestTheEnvironmentMayFillLambdasLimitExactly(t *testing.T) {
	props := uniqueProps()
	props.Target.Projection = include(200)
	room := maxEnvironmentBytes - environmentBytes(toReplication(props, sizes{}).longest())
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		(*props.Target.Projection.Attributes)[0] = jsii.String("attr000000" + strings.Repeat("x", length))
		problems := validate(props, sizes{})
		if (len(problems) == 0) != fits {
			t.Errorf("%d more bytes where %d are left: fits is %v, got %v", length, room, fits, problems)
		}
	}
}

func TestNoMemoryMakesTheEnvironmentLongerThanWhatIsChecked(t *testing.T) {
	replication := toReplication(uniqueProps(), sizes{}).longest()
	checked := environmentBytes(replication)
	for mebibytes := int(memoryRange.min); mebibytes <= int(memoryRange.max); mebibytes++ {
		if size := len(encode(replication.Environment(mebibytes))); size > checked {
			t.Fatalf("with %d MiB it has %d bytes, checked are %d", mebibytes, size, checked)
		}
	}
}

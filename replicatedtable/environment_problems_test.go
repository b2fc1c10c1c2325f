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
				long := KeySource_Attribute(jsii.String(strings.Repeat("x", 4000)))
				p.KeySources = &map[string]KeySource{"state": long}
			},
			want: []string{
				`Source, Target, KeySources, Projection and Filter need 5079 bytes ` +
					`of the function's environment with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, ` +
					`or Projection (0 names, 0 bytes now), KeySources (4048 bytes now) or Filter (0 bytes now)`,
			},
		},
		{
			name:  "environment too large",
			why:   "Lambda would refuse the function, after the tables exist",
			props: func(p *ReplicatedTableProps) { p.Projection = include(300) },
			want: []string{
				`Source, Target, KeySources, Projection and Filter need 5552 bytes ` +
					`of the function's environment with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, ` +
					`or Projection (300 names, 4517 bytes now), KeySources (0 bytes now) or Filter (0 bytes now)`,
			},
		},
		{
			name: "environment too large for its filter",
			why:  "the filter is in the environment too",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_Equals(jsii.String("bio"), Value_String(jsii.String(strings.Repeat("<", 3500))))
			},
			want: []string{
				`Source, Target, KeySources, Projection and Filter need 4631 bytes ` +
					`of the function's environment with table names of 255: ` +
					`Lambda's limit is 4096; shorten the attribute names, ` +
					`or Projection (0 names, 0 bytes now), KeySources (0 bytes now) or Filter (3600 bytes now)`,
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
	props.Projection = include(200)
	room := maxEnvironmentBytes - environmentBytes(toSpec(props))
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		(*props.Projection.Attributes)[0] = jsii.String("attr000000" + strings.Repeat("x", length))
		problems := validate(props, sizes{})
		if (len(problems) == 0) != fits {
			t.Errorf("%d more bytes where %d are left: fits is %v, got %v", length, room, fits, problems)
		}
	}
}

func TestNoMemoryMakesTheEnvironmentLongerThanWhatIsChecked(t *testing.T) {
	replication := toSpec(uniqueProps())
	checked := environmentBytes(replication)
	for mebibytes := int(memoryRange.min); mebibytes <= int(memoryRange.max); mebibytes++ {
		if size := len(encode(replication.Environment(mebibytes))); size > checked {
			t.Fatalf("with %d MiB it has %d bytes, checked are %d", mebibytes, size, checked)
		}
	}
}

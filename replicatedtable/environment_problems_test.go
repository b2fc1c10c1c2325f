package replicatedtable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// include returns a projection of count attributes with names of ten bytes.
func include(count int) *Projection {
	names := make([]*string, count)
	for i := range names {
		names[i] = jsii.String(fmt.Sprintf("attr%06d", i))
	}
	return &Projection{Type: ProjectionType_INCLUDE, Attributes: &names}
}

func TestNamesThatDoNotFitIntoTheEnvironmentAreNamedWithTheirShare(t *testing.T) {
	r := toReplication(uniqueProps(), sizes{place: place{stackName: "Stack", path: []string{"Users"}}})
	r.Source.TableName = "users"
	for i := range 15 {
		id := fmt.Sprintf("By%d", i) + strings.Repeat("x", 246)
		r = r.with(fmt.Sprintf("AddTarget(%d)", i), id, uniqueProps().Target, nil)
	}

	// A name that synthesis knows counts with its length. No other is longer than a
	// table's name can be.
	want := `AddTarget(14) brings the function's environment to 4299 bytes, without the mapping: ` +
		`Lambda's limit is 4096; shorten the name of the stack or the IDs of constructs, ` +
		`which the names of the tables contain: Source 5, Target 39`
	for i := range 15 {
		want += fmt.Sprintf(", AddTarget(%d) 255", i)
	}
	if problems := environmentProblems(r); len(problems) != 1 || problems[0].String() != want {
		t.Errorf("got  %v\nwant %s", problems, want)
	}
}

func TestTheEnvironmentMayFillLambdasLimitExactly(t *testing.T) {
	props := uniqueProps()
	props.Target.Projection = include(200)
	room := maxEnvironmentBytes - environmentBytes(toReplication(props, sizes{}).longest().Environment(longestMiB))
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		(*props.Target.Projection.Attributes)[0] = jsii.String("attr000000" + strings.Repeat("x", length))
		if needsLayer := toReplication(props, sizes{}).needsLayer(); needsLayer == fits {
			t.Errorf("%d more bytes where %d are left: it needs a layer is %v", length, room, needsLayer)
		}
		if problems := validate(props, sizes{}); len(problems) > 0 {
			t.Errorf("%d more bytes where %d are left: %v", length, room, problems)
		}
	}
}

func TestTheNamesMayFillLambdasLimitExactly(t *testing.T) {
	props := uniqueProps()
	props.Target.Projection = include(400)
	names := func(length int) replication {
		r := toReplication(props, sizes{})
		r.Source.TableName = "s"
		for i := range 13 {
			r = r.with("", "", uniqueProps().Target, nil)
			r.last().TableName = fmt.Sprintf("%0255d", i)
		}
		r = r.with("Last", "", uniqueProps().Target, nil)
		r.last().TableName = strings.Repeat("x", length)
		return r
	}

	room := 1 + maxEnvironmentBytes - environmentBytes(names(1).longest().Names().Environment(longestMiB))
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		problems := environmentProblems(names(length))
		if (len(problems) == 0) != fits {
			t.Errorf("a last name of %d bytes where %d are left: fits is %v, got %v", length, room, fits, problems)
		}
	}
}

func TestNoMemoryMakesTheEnvironmentLongerThanWhatIsChecked(t *testing.T) {
	replication := toReplication(uniqueProps(), sizes{}).longest()
	checked := environmentBytes(replication.Environment(longestMiB))
	for mebibytes := int(memoryRange.min); mebibytes <= int(memoryRange.max); mebibytes++ {
		if size := environmentBytes(replication.Environment(mebibytes)); size > checked {
			t.Fatalf("with %d MiB it has %d bytes, checked are %d", mebibytes, size, checked)
		}
	}
}

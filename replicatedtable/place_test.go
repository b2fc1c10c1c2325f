package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

func TestNoGeneratedNameIsLongerThanWhatIsCounted(t *testing.T) {
	long := strings.Repeat("Long-", 60)
	for _, tt := range []struct {
		name string
		// scope returns the scope of a table in the stack.
		scope func(stack awscdk.Stack) constructs.Construct
		id    string
		// spare is how many bytes are counted too much.
		spare int
	}{
		{"in a stack", func(stack awscdk.Stack) constructs.Construct { return stack }, "ByCity", 0},
		{"characters that no logical ID has", func(stack awscdk.Stack) constructs.Construct { return stack }, "by-city_2", 0},
		{"in a construct", func(stack awscdk.Stack) constructs.Construct {
			return constructs.NewConstruct(stack, jsii.String("Data"))
		}, "ByCity", 0},
		{"an ID that repeats", func(stack awscdk.Stack) constructs.Construct { return stack }, "Users", 5},
		{"a long ID", func(stack awscdk.Stack) constructs.Construct { return stack }, long, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			scope := tt.scope(stack)
			table := NewReplicatedTable(scope, jsii.String("Users"), uniqueProps())
			added := table.AddTarget(jsii.String(tt.id), uniqueProps().Target)

			counted := findPlace(scope, jsii.String("Users")).tableNameBytes(tt.id)
			generated := len("App") + len(logicalID(stack, added.Table())) + nameSuffixBytes
			if tt.spare >= 0 && counted != generated+tt.spare {
				t.Errorf("counted are %d bytes, generated %d, want %d more", counted, generated, tt.spare)
			}
			if tt.spare < 0 && counted != maxTableNameBytes {
				t.Errorf("counted are %d bytes, want %d at most", counted, maxTableNameBytes)
			}
		})
	}
}

func TestAStackWhoseNameOnlyDeploymentKnowsHasTheLongest(t *testing.T) {
	parent := newStack(t)
	nested := awscdk.NewNestedStack(parent, jsii.String("Nested"), nil)
	got := findPlace(nested, jsii.String("Users")).tableNameBytes("Target")
	if want := maxStackNameBytes + len("UsersTarget") + logicalIDHashBytes + nameSuffixBytes; got != want {
		t.Errorf("counted are %d bytes, want %d", got, want)
	}
	if got := (place{}).tableNameBytes("Target"); got != maxTableNameBytes {
		t.Errorf("without a stack, counted are %d bytes, want %d", got, maxTableNameBytes)
	}
}

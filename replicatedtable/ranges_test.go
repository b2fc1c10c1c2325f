package replicatedtable

import (
	"math"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func TestSizesOutsideTheirRangeAreNamedWithIt(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name:  "smallest sizes",
			why:   "limits are inclusive",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(128), jsii.Number(10), jsii.Number(1)},
		},
		{
			name:  "largest sizes",
			why:   "limits are inclusive",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(10240), jsii.Number(900), jsii.Number(10000)},
		},
		{
			name:  "sizes below the range",
			why:   "0 is a value, not a default",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(127), jsii.Number(9), jsii.Number(0)},
			want: []string{
				`MemorySize is 127 MiB: set a whole number from 128 to 10240`,
				`Timeout is 9 s: set a whole number from 10 to 900`,
				`BatchSize is 0 records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "sizes above the range",
			why:   "Lambda would refuse them, after minutes",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(10241), jsii.Number(901), jsii.Number(10001)},
			want: []string{
				`MemorySize is 10241 MiB: set a whole number from 128 to 10240`,
				`Timeout is 901 s: set a whole number from 10 to 900`,
				`BatchSize is 10001 records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "sizes that are not whole numbers",
			why:   "the props are floats only because JavaScript's numbers are",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(256.5), jsii.Number(30.25), jsii.Number(math.NaN())},
			want: []string{
				`MemorySize is 256.5 MiB: set a whole number from 128 to 10240`,
				`Timeout is 30.25 s: set a whole number from 10 to 900`,
				`BatchSize is NaN records: set a whole number from 1 to 10000`,
			},
		},
	})
}

func TestSizesThatOnlyDeploymentKnowsAreLeftToIt(t *testing.T) {
	stack := newStack(t)
	parameter := func(name string) *float64 {
		number := &awscdk.CfnParameterProps{Type: jsii.String("Number")}
		return awscdk.NewCfnParameter(stack, jsii.String(name), number).ValueAsNumber()
	}
	props := uniqueProps()
	props.MemorySize = parameter("Memory")
	props.BatchSize = parameter("Batch")
	props.Timeout = awscdk.Duration_Seconds(parameter("Timeout"))
	table := NewReplicatedTable(stack, jsii.String("Users"), props)

	tpl := synthesize(t, stack)
	function := tpl.Resources[logicalID(stack, table.Function())]
	function.want(t, "MemorySize", ref("Memory"))
	function.want(t, "Timeout", ref("Timeout"))
	if variables := function.variables(); len(variables) != 2 || variables["GOGC"] != "200" {
		t.Errorf("with a memory that is not known yet, the environment is %v, want the spec and GOGC", variables)
	}
	tpl.Resources[logicalID(stack, table.EventSourceMapping())].want(t, "BatchSize", ref("Batch"))
}

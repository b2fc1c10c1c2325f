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
			sizes: sizes{memoryMiB: jsii.Number(128), timeoutSeconds: jsii.Number(10), batchSize: jsii.Number(1)},
		},
		{
			name:  "largest sizes",
			why:   "limits are inclusive",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{memoryMiB: jsii.Number(10240), timeoutSeconds: jsii.Number(900), batchSize: jsii.Number(10000)},
		},
		{
			name:  "sizes below the range",
			why:   "0 is a value, not a default",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{memoryMiB: jsii.Number(127), timeoutSeconds: jsii.Number(9), batchSize: jsii.Number(0)},
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
			sizes: sizes{memoryMiB: jsii.Number(10241), timeoutSeconds: jsii.Number(901), batchSize: jsii.Number(10001)},
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
			sizes: sizes{memoryMiB: jsii.Number(256.5), timeoutSeconds: jsii.Number(30.25), batchSize: jsii.Number(math.NaN())},
			want: []string{
				`MemorySize is 256.5 MiB: set a whole number from 128 to 10240`,
				`Timeout is 30.25 s: set a whole number from 10 to 900`,
				`BatchSize is NaN records: set a whole number from 1 to 10000`,
			},
		},
	})
}

func TestTheGraceTimeIsKnownAtSynthesisAndInItsRange(t *testing.T) {
	for name, tt := range map[string]struct {
		after awscdk.Duration
		want  string
	}{
		"shortest": {awscdk.Duration_Minutes(jsii.Number(1)), ""},
		"longest":  {awscdk.Duration_Hours(jsii.Number(10)), ""},
		"shorter":  {awscdk.Duration_Seconds(jsii.Number(59)), "is 59 s: set a whole number from 60 to 36000"},
		"longer":   {awscdk.Duration_Hours(jsii.Number(11)), "is 39600 s: set a whole number from 60 to 36000"},
		"token":    {awscdk.Duration_Seconds(awscdk.Token_AsNumber(map[string]string{"Ref": "Grace"})), "is a token: its value must be known at synthesis; write it out"},
	} {
		props := uniqueProps()
		props.SetAsideAfter = tt.after
		problems := validate(props, knownSizes(props))
		got := message("Users", problems)
		if tt.want == "" && got != "" || tt.want != "" && got != "Users: SetAsideAfter "+tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
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

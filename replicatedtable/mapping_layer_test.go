package replicatedtable

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// wide is a target with a key attribute of its own and 50 listed attributes.
func wide(i int) *TargetProps {
	return &TargetProps{PartitionKey: str(fmt.Sprintf("group%d", i)), SortKey: str("email"), Projection: include(50)}
}

// withWide defines a table with count wide targets.
func withWide(stack awscdk.Stack, count int) (ReplicatedTable, []Target) {
	props := uniqueProps()
	props.Target = wide(0)
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	targets := []Target{table.Target()}
	for i := 1; i < count; i++ {
		targets = append(targets, table.AddTarget(jsii.String(fmt.Sprintf("ByGroup%d", i)), wide(i)))
	}

	return table, targets
}

func TestTwentyWideTargetsFit(t *testing.T) {
	name := strings.Repeat("Stack", 8)
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(t.TempDir()),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &map[string]any{"aws:cdk:bundling-stacks": []string{}},
	})
	stack := awscdk.NewStack(app, jsii.String(name), nil)
	table, targets := withWide(stack, 20)
	k := synthesized(t, stack, table)

	props := uniqueProps()
	props.Target = wide(0)
	want := toReplication(props, sizes{})
	for i := 1; i < 20; i++ {
		want = want.with("", "", wide(i), nil)
	}
	want.Source.TableName = logicalID(stack, table.SourceTable())
	want.FailureQueueURL = logicalID(stack, table.FailureQueue())
	for i, target := range targets {
		want.Targets[i].TableName = logicalID(stack, target.Table())
	}
	if got := k.specOf(t, table); got.Encode() != want.Encode() {
		t.Errorf("got  %s\nwant %s", got.Encode(), want.Encode())
	}

	deployed := want.Names()
	deployed.FailureQueueURL = strings.Repeat("x", maxQueueURLBytes)
	for i, id := range deployed.Targets {
		deployed.Targets[i] = name + "-" + id + "-1ABCDEFGHIJKL"
	}
	size := environmentBytes(deployed.Environment(defaultMemoryMiB))
	t.Logf("the environment has %d bytes, the file %d", size, len(want.WithoutNames().Encode()))
	if size > maxEnvironmentBytes {
		t.Errorf("the environment has %d bytes, Lambda's limit is %d", size, maxEnvironmentBytes)
	}
}

func TestATargetThatMovesTheMappingIntoALayerMovesNothingElse(t *testing.T) {
	resources := func(count int) map[string]string {
		stack := newStack(t)
		withWide(stack, count)
		types := map[string]string{}
		for id, r := range synthesize(t, stack).Resources {
			types[id] = r.Type
		}
		return types
	}
	// added lists what more has and fewer has not.
	added := func(fewer, more map[string]string) []string {
		var names []string
		for id, typ := range more {
			if fewer[id] != typ {
				names = append(names, strings.TrimRight(id, "0123456789ABCDEF")+" "+typ)
			}
		}
		slices.Sort(names)
		return names
	}

	environment, layer, longer := resources(3), resources(4), resources(5)
	const table, alarm = "UsersByGroup AWS::DynamoDB::GlobalTable", "UsersTargetAlarmsByGroup%dFailureAlarm AWS::CloudWatch::Alarm"
	want := []string{table, "UsersMapping AWS::Lambda::LayerVersion", fmt.Sprintf(alarm, 3)}
	if got := added(environment, layer); !slices.Equal(got, want) {
		t.Errorf("the first target too many added %v, want %v", got, want)
	}
	want = []string{table, fmt.Sprintf(alarm, 4)}
	if got := added(layer, longer); !slices.Equal(got, want) {
		t.Errorf("the next target added %v, want %v", got, want)
	}
	for _, fewer := range []map[string]string{environment, layer} {
		maps.DeleteFunc(fewer, func(id, typ string) bool { return longer[id] == typ })
		if len(fewer) > 0 {
			t.Errorf("%v are gone", fewer)
		}
	}
}

func TestAnEnvironmentWithRoomNeedsNoLayer(t *testing.T) {
	for id, r := range allKinds(t).template.Resources {
		if r.Type == "AWS::Lambda::LayerVersion" {
			t.Errorf("%s is a layer", id)
		}
	}
}

func TestAFirstTargetThatIsTooLongStartsWithALayer(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Target.Projection = include(400)
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	k := synthesized(t, stack, table)
	if got := len(k.specOf(t, table).Targets[0].Projection.Attributes); got != 400 {
		t.Errorf("the function gets %d attributes, want 400", got)
	}
}

func TestTheLayersHashIsTheSameInEveryFolder(t *testing.T) {
	hash := func(bundle bool) string {
		stack := newStack(t)
		if bundle {
			app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
			stack = awscdk.NewStack(app, jsii.String("App"), nil)
		}
		table, _ := withWide(stack, 6)
		return filepath.Base(synthesized(t, stack, table).layerFolder(t, table))
	}

	want := hash(false)
	if got := hash(false); got != want {
		t.Errorf("in another folder it is %s, want %s", got, want)
	}
	if got := hash(true); got != want {
		t.Errorf("with the function built, it is %s, want %s", got, want)
	}
}

func TestTheLayersFolderHoldsTheMappingAlone(t *testing.T) {
	stack := newStack(t)
	table, _ := withWide(stack, 7)
	folder := synthesized(t, stack, table).layerFolder(t, table)
	var files []string
	if err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, folder))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{strings.TrimPrefix(spec.MappingFile, "/opt")}; !slices.Equal(files, want) {
		t.Fatalf("it holds %v, want %v", files, want)
	}

	info, err := os.Stat(filepath.Join(folder, files[0]))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("its mode is %v, %v, and the function needs to read it", info.Mode(), err)
	}
}

func TestATargetWhoseNameDoesNotFitChangesNothing(t *testing.T) {
	defined := func() (awscdk.Stack, ReplicatedTable) {
		stack := newStack(t)
		table, _ := withWide(stack, 5)
		for i := range 13 {
			table.AddTarget(jsii.String(fmt.Sprintf("%s%d", strings.Repeat("Long", 60), i)), wide(i))
		}
		return stack, table
	}
	untouched, _ := defined()
	want := toJSON(t, synthesize(t, untouched))

	stack, table := defined()
	long := strings.Repeat("Long", 60)
	got := panicOf(func() { table.AddTarget(jsii.String(long), wide(5)) })
	if prefix := fmt.Sprintf("App/Users: AddTarget(%q) brings the function's environment to", long); !strings.HasPrefix(got, prefix) {
		t.Errorf("got %q, want it to begin with %q", got, prefix)
	}
	if got := toJSON(t, synthesize(t, stack)); got != want {
		t.Errorf("the template became\n%s\nwas\n%s", got, want)
	}
}

func TestAVersionOfTheFunctionFollowsTheMappingInItsLayer(t *testing.T) {
	version := func(last int) string {
		stack := newStack(t)
		// New apps have this flag. Without it, the CDK leaves layers out of a version's ID.
		stack.Node().SetContext(jsii.String("@aws-cdk/aws-lambda:recognizeLayerVersion"), true)
		table, _ := withWide(stack, 4)
		table.AddTarget(jsii.String("Last"), wide(last))
		table.Function().CurrentVersion()
		for id, r := range synthesize(t, stack).Resources {
			if r.Type == "AWS::Lambda::Version" {
				return id
			}
		}
		return ""
	}

	four, five := version(4), version(5)
	if four == "" || four == five {
		t.Errorf("two mappings have the versions %q and %q of the function", four, five)
	}
	if again := version(4); again != four {
		t.Errorf("the same mapping has the version %q, and %q before", again, four)
	}
}

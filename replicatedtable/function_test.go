package replicatedtable

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestTheFunctionRunsOnArm64AndProvidedAL2023(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.users.Function())
	r.want(t, "Architectures", []any{"arm64"})
	r.want(t, "Runtime", "provided.al2023")
	r.want(t, "Handler", "bootstrap")
	r.want(t, "MemorySize", 256)
	r.want(t, "Timeout", 60)
	r.want(t, "Role", getAtt(logicalID(k.stack, k.users.Role()), "Arn"))
	r.want(t, "LoggingConfig", map[string]any{
		"LogGroup": ref(logicalID(k.stack, k.users.LogGroup())), "LogFormat": "JSON", "ApplicationLogLevel": "TRACE",
	})
	if role := logicalID(k.stack, k.users.Role()); !slices.Contains(r.DependsOn, role) {
		t.Errorf("the function depends on %v, want the role %s with its policies among them", r.DependsOn, role)
	}
}

func TestTheFunctionReadsItsSpecFromTheEnvironment(t *testing.T) {
	k := allKinds(t)
	for _, tt := range []struct {
		table ReplicatedTable
		props *ReplicatedTableProps
	}{
		{k.users, uniqueProps()},
		{k.cities, everyProp()},
		{k.active, guardedProps()},
	} {
		got := k.specOf(t, tt.table)
		want := toReplication(tt.props, knownSizes(tt.props))
		want.Source.TableName = logicalID(k.stack, tt.table.SourceTable())
		want.Targets[0].TableName = logicalID(k.stack, tt.table.Target().Table())
		want.FailureQueueURL = logicalID(k.stack, tt.table.FailureQueue())
		if got.Encode() != want.Encode() {
			t.Errorf("%s\ngot  %s\nwant %s", *tt.table.Node().Path(), got.Encode(), want.Encode())
		}
	}
}

// specOf is the spec that a table's function gets, with the logical IDs of the tables
// and the queue in place of the values that only deployment knows.
func (k kinds) specOf(t *testing.T, table ReplicatedTable) spec.Spec {
	t.Helper()

	variables := k.resource(table.Function()).variables()
	own := maps.Clone(variables)
	delete(own, "STAGE") // from everyProp
	if len(own) != 4 {
		t.Errorf("the environment has %v, want 4 variables: the size check counts no other", own)
	}

	join := variables[spec.EnvironmentVariable].(map[string]any)["Fn::Join"].([]any)
	var text strings.Builder
	for _, part := range join[1].([]any) {
		switch part := part.(type) {
		case string:
			text.WriteString(part)
		case map[string]any:
			text.WriteString(part["Ref"].(string)) // a queue's Ref is its URL
		}
	}

	s, err := spec.Load(text.String(), func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(k.layerFolder(t, table), strings.TrimPrefix(path, "/opt/")))
	})
	if err != nil {
		t.Fatalf("the function would not start with %s: %v", text.String(), err)
	}

	return s
}

// layerFolder is the asset of the only layer of a table's function.
func (k kinds) layerFolder(t *testing.T, table ReplicatedTable) string {
	t.Helper()

	layers, _ := k.resource(table.Function()).Properties["Layers"].([]any)
	if len(layers) != 1 {
		t.Fatalf("the function has the layers %v, want one", layers)
	}
	layer := k.template.Resources[layers[0].(map[string]any)["Ref"].(string)]
	key := layer.Properties["Content"].(map[string]any)["S3Key"].(string)

	return filepath.Join(*awscdk.Stage_Of(k.stack).Outdir(), "asset."+strings.TrimSuffix(key, ".zip"))
}

// variables are those of a function's environment.
func (r resource) variables() map[string]any {
	return r.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
}

func TestTheEnvironmentFitsTheGoRuntimeToTheFunctionsMemory(t *testing.T) {
	k := allKinds(t)
	got := maps.Clone(k.resource(k.users.Function()).variables())
	delete(got, spec.EnvironmentVariable)
	want := map[string]any{"GOGC": "200", "GOMEMLIMIT": "192MiB", "GOMAXPROCS": "1"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLogsAreKeptForAMonth(t *testing.T) {
	k := allKinds(t)
	k.resource(k.users.LogGroup()).want(t, "RetentionInDays", 30)
}

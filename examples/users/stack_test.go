package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

var update = flag.Bool("update", false, "rewrite the golden template in testdata")

// TestMain runs the tests with a Node process that neither warns of its version nor leaves
// its temporary files behind.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "users")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20", "JSII_DEPRECATED": "quiet", "TMPDIR": folder,
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	// Importing the CDK prepared a process with the environment of that moment. The next
	// call after this one prepares another.
	jsii.Close()

	code := m.Run()
	// Node may still be writing. The system cleans what is left then.
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// The stack is synthesized once for all that these tests look at.
func TestUsersStack(t *testing.T) {
	tpl := synthesize(t, arm64)

	t.Run("is the golden template", func(t *testing.T) { tpl.wantGolden(t) })

	t.Run("has the outputs that callers read", func(t *testing.T) {
		want := []string{"ApiId", "ApiUrl", "LosslessTableName", "SourceTableName", "TargetTableName"}
		if got := slices.Sorted(maps.Keys(tpl.Outputs)); !slices.Equal(got, want) {
			t.Errorf("outputs are %v, want %v", got, want)
		}
	})

	t.Run("gives the API function what it uses and nothing more", func(t *testing.T) {
		want := map[string][]string{
			"Source":   {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"},
			"Lossless": {"dynamodb:Query"},
			"Logs":     {"logs:CreateLogStream", "logs:PutLogEvents"},
		}
		got := map[string][]string{}
		for _, s := range tpl.statementsOf(t, "ApiFunctionRole") {
			got[partNamedBy(s.Resource)] = s.Action
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the role's statements are %v, want %v", got, want)
		}
		policies := tpl.only(t, "AWS::IAM::Role", "ApiFunctionRole").Properties["ManagedPolicyArns"]
		if policies != nil {
			t.Errorf("the role has managed policies %v, want none", policies)
		}
	})

	t.Run("routes every request to the function", func(t *testing.T) {
		routes := tpl.all("AWS::ApiGatewayV2::Route", "")
		got := make([]string, 0, len(routes))
		for _, r := range routes {
			got = append(got, r.Properties["RouteKey"].(string))
		}
		slices.Sort(got)
		want := []string{"$default", "DELETE /users/{email}", "GET /users", "GET /users/{email}", "POST /"}
		if !slices.Equal(got, want) {
			t.Errorf("routes are %q, want %q", got, want)
		}
	})

	t.Run("logs accesses without personal data and throttles them", func(t *testing.T) {
		stage := tpl.only(t, "AWS::ApiGatewayV2::Stage", "").Properties
		format := stage["AccessLogSettings"].(map[string]any)["Format"].(string)
		var members map[string]string
		if err := json.Unmarshal([]byte(format), &members); err != nil {
			t.Fatalf("the access log's format is not JSON: %v", err)
		}
		for name, value := range members {
			for _, personal := range []string{"identity", ".path", "querystring", "domain", "authorizer"} {
				if strings.Contains(value, personal) {
					t.Errorf("the access log has %s: %s", name, value)
				}
			}
		}
		settings := stage["DefaultRouteSettings"].(map[string]any)
		rate, burst := settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]
		if rate != float64(requestsPerSecond) || burst != float64(requestsBurst) {
			t.Errorf("the throttle is %v", settings)
		}
	})

	t.Run("removes everything with the stack and logs after some time", func(t *testing.T) {
		for id, r := range tpl.Resources {
			if r.DeletionPolicy == "Retain" || r.UpdateReplacePolicy == "Retain" {
				t.Errorf("%s is kept when the stack is destroyed", id)
			}
		}
		for id, r := range tpl.all("AWS::Logs::LogGroup", "") {
			if r.Properties["RetentionInDays"] == nil {
				t.Errorf("%s has no retention", id)
			}
		}
	})
}

func TestBothFunctionsAreBuiltForTheArchitecture(t *testing.T) {
	functions := synthesize(t, x86_64).all("AWS::Lambda::Function", "")
	if len(functions) != 2 {
		t.Fatalf("got %d functions, want the replicator and the API function", len(functions))
	}
	for id, f := range functions {
		if got := f.Properties["Architectures"]; !reflect.DeepEqual(got, []any{"x86_64"}) {
			t.Errorf("%s is built for %v, want x86_64", id, got)
		}
		if got := f.Properties["Runtime"]; got != "provided.al2023" {
			t.Errorf("%s runs on %v, want provided.al2023", id, got)
		}
	}
}

func TestOnlyTheLosslessTargetHasAnItemForEveryUser(t *testing.T) {
	tpl := synthesize(t, arm64)

	for table, sortKey := range map[string]string{"UsersTarget": "city", "UsersLossless": "cityEmail"} {
		schema := tpl.only(t, "AWS::DynamoDB::GlobalTable", table).Properties["KeySchema"]
		want := []any{
			map[string]any{"AttributeName": "state", "KeyType": "HASH"},
			map[string]any{"AttributeName": sortKey, "KeyType": "RANGE"},
		}
		if !reflect.DeepEqual(schema, want) {
			t.Errorf("the key schema of %s is %v, want %v", table, schema, want)
		}
	}
	if n := strings.Count(string(tpl.text), "LAST_WRITER_WINS"); n != 1 {
		t.Errorf("%d targets have a collision policy, want the one whose key is not unique", n)
	}
}

// A stack that was deployed before the lossless target came keeps its resources: with
// another logical ID, CloudFormation would replace a table with an empty one.
func TestTheLosslessTargetLeavesAllOtherLogicalIDs(t *testing.T) {
	text, err := os.ReadFile("testdata/logical-ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	got := slices.Sorted(maps.Keys(synthesize(t, arm64).Resources))
	got = slices.DeleteFunc(got, func(id string) bool {
		return strings.HasPrefix(id, "UsersLossless") || strings.HasPrefix(id, "UsersTargetAlarmsLossless")
	})
	if !slices.Equal(got, want) {
		t.Errorf("the stack has the logical IDs %v, want %v", got, want)
	}
}

// template is the synthesized template.
type template struct {
	// text is the whole template, the fields below are what the tests read.
	text      []byte
	Outputs   map[string]any
	Resources map[string]resource
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// synthesize makes the template that cdk would make, with the feature flags of
// cdk.json, but does not build the functions.
func synthesize(t *testing.T, a architecture) template {
	t.Helper()
	text, err := os.ReadFile("cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct{ Context map[string]any }
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	settings.Context["aws:cdk:bundling-stacks"] = []string{}
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		Context:            &settings.Context,
		Outdir:             jsii.String(t.TempDir()),
	})
	stack := NewUsersStack(app, "ReplicatedTableUsers", &UsersStackProps{Architecture: a.lambda()})

	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(assertions.Template_FromStack(stack, nil).ToJSON()); err != nil {
		t.Fatal(err)
	}
	tpl := template{text: b.Bytes()}
	if err := json.Unmarshal(tpl.text, &tpl); err != nil {
		t.Fatal(err)
	}
	return tpl
}

// all returns the resources of a type whose logical ID starts with prefix.
func (tpl template) all(resourceType, prefix string) map[string]resource {
	found := map[string]resource{}
	for id, r := range tpl.Resources {
		if r.Type == resourceType && strings.HasPrefix(id, prefix) {
			found[id] = r
		}
	}
	return found
}

// only returns the one resource of a type whose logical ID starts with prefix.
func (tpl template) only(t *testing.T, resourceType, prefix string) resource {
	t.Helper()
	found := tpl.all(resourceType, prefix)
	if len(found) != 1 {
		t.Fatalf("there are %d resources of type %s called %s, want one", len(found), resourceType, prefix)
	}
	for _, r := range found {
		return r
	}
	panic("unreachable")
}

// statement is one statement of a policy.
type statement struct {
	Action   []string
	Resource string
}

// statementsOf returns all statements that are attached to a role, in its own
// inline policies or in policies that name it.
func (tpl template) statementsOf(t *testing.T, role string) []statement {
	t.Helper()
	if inline := tpl.only(t, "AWS::IAM::Role", role).Properties["Policies"]; inline != nil {
		t.Fatalf("the role has inline policies, which this test does not read: %v", inline)
	}
	var statements []statement
	for _, policy := range tpl.all("AWS::IAM::Policy", "") {
		roles, err := json.Marshal(policy.Properties["Roles"])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(roles), role) {
			continue
		}
		for _, s := range policy.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statements = append(statements, readStatement(t, s.(map[string]any)))
		}
	}
	return statements
}

func readStatement(t *testing.T, s map[string]any) statement {
	t.Helper()
	resource, err := json.Marshal(s["Resource"])
	if err != nil {
		t.Fatal(err)
	}
	st := statement{Resource: string(resource)}
	switch action := s["Action"].(type) {
	case string:
		st.Action = []string{action}
	case []any:
		for _, a := range action {
			st.Action = append(st.Action, a.(string))
		}
	}
	slices.Sort(st.Action)
	return st
}

// partNamedBy says which part of the stack a statement's resource is, or
// returns the resource as it is when it is anything but that part's ARN.
func partNamedBy(resource string) string {
	for part, prefix := range map[string]string{
		"Source": "UsersSource", "Lossless": "UsersLossless", "Logs": "ApiFunctionLogs",
	} {
		if regexp.MustCompile(`^\{"Fn::GetAtt":\["` + prefix + `[0-9A-F]{8}","Arn"\]\}$`).MatchString(resource) {
			return part
		}
	}
	return resource
}

// assetHash is how an asset is named: by the SHA-256 of its content, which
// changes with every change of the functions' code.
var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// wantGolden compares the template with the golden one. -update rewrites it.
func (tpl template) wantGolden(t *testing.T) {
	t.Helper()
	const golden = "testdata/users.golden.json"
	got := assetHash.ReplaceAll(tpl.text, []byte("ASSET_HASH"))
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the template is not %s: read the difference after go test . -update", golden)
	}
}

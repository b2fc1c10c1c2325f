package main

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// TestMain runs the tests with a Node process that neither warns of its version nor leaves
// its temporary files behind.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "orders")
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

// The app is synthesized once for all that this test looks at.
func TestOrderViewsFollowTheOrdersTable(t *testing.T) {
	orders, views := synthesize(t)
	stream := map[string]any{"Fn::GetStackOutput": map[string]any{
		"StackName":  "Orders",
		"Region":     map[string]any{"Ref": "AWS::Region"},
		"OutputName": orders.outputOf(t, "StreamArn"),
	}}

	t.Run("the team's stack has its table and nothing else", func(t *testing.T) {
		// Another logical ID would replace the table.
		table, ok := orders.Resources["TableCD117FA1"]
		if !ok || len(orders.Resources) != 1 {
			t.Fatalf("the stack has %v", orders.Resources)
		}
		want := map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"}
		if got := table.Properties["StreamSpecification"]; !reflect.DeepEqual(got, want) {
			t.Errorf("the table's stream is %v, want %v", got, want)
		}
	})

	t.Run("the function reads its stream from the oldest record", func(t *testing.T) {
		mapping := views.only(t, "AWS::Lambda::EventSourceMapping").Properties
		if !reflect.DeepEqual(mapping["EventSourceArn"], stream) || mapping["StartingPosition"] != "TRIM_HORIZON" {
			t.Errorf("the event source mapping reads %v from %v", mapping["EventSourceArn"], mapping["StartingPosition"])
		}
	})

	t.Run("the function may read the stream, and not the table", func(t *testing.T) {
		policies := views.only(t, "AWS::IAM::Role", "OrdersRole").Properties["Policies"].([]any)
		statements := policies[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any)
		var onOrders []any
		for _, s := range statements {
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "GetStackOutput") {
				onOrders = append(onOrders, s)
			}
		}
		want := []any{map[string]any{"Effect": "Allow", "Resource": stream, "Action": []any{
			"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
		}}}
		if !reflect.DeepEqual(onOrders, want) {
			t.Errorf("it may %v, want %v", onOrders, want)
		}
	})

	t.Run("each table has its key and its settings", func(t *testing.T) {
		for prefix, want := range map[string]struct {
			keys       []string
			tableClass any
		}{
			"OrdersTarget":   {[]string{"customerId", "dayOrder"}, "STANDARD_INFREQUENT_ACCESS"},
			"OrdersByStatus": {[]string{"statusDay", "orderId"}, nil},
		} {
			table := views.only(t, "AWS::DynamoDB::GlobalTable", prefix).Properties
			var keys []string
			for _, key := range table["KeySchema"].([]any) {
				keys = append(keys, key.(map[string]any)["AttributeName"].(string))
			}
			class := table["Replicas"].([]any)[0].(map[string]any)["TableClass"]
			if !slices.Equal(keys, want.keys) || class != want.tableClass {
				t.Errorf("%s has the key %v and the class %v, want %v and %v", prefix, keys, class, want.keys, want.tableClass)
			}
		}
	})
}

// template is a synthesized template.
type template struct {
	Outputs   map[string]struct{ Value any }
	Resources map[string]resource
}

type resource struct {
	Type       string
	Properties map[string]any
}

// synthesize makes the templates that cdk would make, with the feature flags of cdk.json,
// but does not build the function.
func synthesize(t *testing.T) (orders, views template) {
	t.Helper()
	content, err := os.ReadFile("cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings struct{ Context map[string]any }
	if err := json.Unmarshal(content, &settings); err != nil {
		t.Fatal(err)
	}
	settings.Context["aws:cdk:bundling-stacks"] = []string{}
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		Context:            &settings.Context,
		Outdir:             jsii.String(t.TempDir()),
	})

	team := NewOrdersStack(app, "Orders")
	stack := NewOrderViewsStack(app, "OrderViews", &OrderViewsStackProps{
		Orders: team.Table, Architecture: awslambda.Architecture_ARM_64(),
	})
	return templateOf(t, team.Stack), templateOf(t, stack)
}

func templateOf(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	content, err := json.Marshal(assertions.Template_FromStack(stack, nil).ToJSON())
	if err != nil {
		t.Fatal(err)
	}
	var tpl template
	if err := json.Unmarshal(content, &tpl); err != nil {
		t.Fatal(err)
	}
	return tpl
}

// only returns the one resource of a type whose logical ID starts with prefix.
func (tpl template) only(t *testing.T, resourceType string, prefix ...string) resource {
	t.Helper()
	var found []resource
	for id, r := range tpl.Resources {
		if r.Type == resourceType && strings.HasPrefix(id, strings.Join(prefix, "")) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d resources of type %s %v, want one", len(found), resourceType, prefix)
	}
	return found[0]
}

// outputOf returns the name of the output for an attribute of the table.
func (tpl template) outputOf(t *testing.T, attribute string) string {
	t.Helper()
	want := map[string]any{"Fn::GetAtt": []any{"TableCD117FA1", attribute}}
	for name, output := range tpl.Outputs {
		if reflect.DeepEqual(output.Value, want) {
			return name
		}
	}
	t.Fatalf("no output has the table's %s: %v", attribute, tpl.Outputs)
	return ""
}

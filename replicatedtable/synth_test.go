package replicatedtable

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newStack returns a stack whose functions are not built. Their code changes nothing
// in the template but the names of assets.
func newStack(t *testing.T) awscdk.Stack {
	t.Helper()

	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(t.TempDir()),
		AnalyticsReporting: jsii.Bool(false),
		Context:            &map[string]any{"aws:cdk:bundling-stacks": []string{}},
	})
	return awscdk.NewStack(app, jsii.String("App"), nil)
}

// template is a synthesized template, read from its JSON.
type template struct {
	Resources map[string]resource
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string
}

func synthesize(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	return decode(t, assertions.Template_FromStack(stack, nil))
}

func decode(t *testing.T, synthesized assertions.Template) template {
	t.Helper()

	var tpl template
	if err := json.Unmarshal([]byte(toJSON(t, *synthesized.ToJSON())), &tpl); err != nil {
		t.Fatal(err)
	}

	return tpl
}

// kinds is one stack with a table of each kind: Users with a unique mapping and only
// the required props, Cities with LAST_WRITER_WINS and every prop, Active with the
// version guard and a filter that Lambda can evaluate, Borrower with constructs of the
// caller in place of its own. Tests only read it.
type kinds struct {
	stack                           awscdk.Stack
	users, cities, active, borrower ReplicatedTable
	synthesized                     assertions.Template
	template                        template
}

var defined struct {
	once sync.Once
	kinds
}

func allKinds(t *testing.T) kinds {
	t.Helper()

	defined.once.Do(func() {
		defined.stack = newStack(t)
		defined.users = NewReplicatedTable(defined.stack, jsii.String("Users"), uniqueProps())
		defined.cities = NewReplicatedTable(defined.stack, jsii.String("Cities"), everyConstruct(defined.stack))
		defined.active = NewReplicatedTable(defined.stack, jsii.String("Active"), guardedProps())
		defined.borrower = NewReplicatedTable(defined.stack, jsii.String("Borrower"), borrowingProps(defined.stack))
		defined.synthesized = assertions.Template_FromStack(defined.stack, nil)
		defined.template = decode(t, defined.synthesized)
	})
	if defined.template.Resources == nil {
		t.Fatal("the stack could not be synthesized, see the first failure")
	}

	return defined.kinds
}

func (k kinds) resource(c constructs.IConstruct) resource {
	return k.template.Resources[logicalID(k.stack, c)]
}

// logicalID is the name of a construct's resource in the template.
func logicalID(stack awscdk.Stack, c constructs.IConstruct) string {
	element, ok := c.Node().DefaultChild().(awscdk.CfnElement)
	if !ok {
		element = c.(awscdk.CfnElement)
	}

	return *stack.GetLogicalId(element)
}

func getAtt(id, attribute string) any {
	return map[string]any{"Fn::GetAtt": []any{id, attribute}}
}

func ref(id string) any { return map[string]any{"Ref": id} }

// want compares the JSON of one property.
func (r resource) want(t *testing.T, property string, want any) {
	t.Helper()

	got, expected := toJSON(t, r.Properties[property]), toJSON(t, want)
	if got != expected {
		t.Errorf("%s.%s is %s, want %s", r.Type, property, got, expected)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()

	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}

// decodeAsItIs returns the template without the CDK's own search for circles, which
// panics at the first one.
func decodeAsItIs(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	return decode(t, assertions.Template_FromStack(stack, &assertions.TemplateParsingOptions{
		SkipCyclicalDependenciesCheck: jsii.Bool(true),
	}))
}

// panicOf returns the text with which f panics. It is empty when f does not panic.
func panicOf(f func()) (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text = fmt.Sprint(cause)
		}
	}()
	f()

	return ""
}

// outputs returns the values of a stack's outputs in JSON, by their logical IDs.
func outputs(t *testing.T, stack awscdk.Stack) map[string]string {
	t.Helper()

	synthesized := assertions.Template_FromStack(stack, &assertions.TemplateParsingOptions{
		SkipCyclicalDependenciesCheck: jsii.Bool(true),
	})
	values := map[string]string{}
	found, _ := (*synthesized.ToJSON())["Outputs"].(map[string]any)
	for id, output := range found {
		values[id] = toJSON(t, output.(map[string]any)["Value"])
	}

	return values
}

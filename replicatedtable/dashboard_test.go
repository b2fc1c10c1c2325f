package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// dashboardOf returns the widgets of the only dashboard of a template.
func dashboardOf(t *testing.T, tpl template) []widget {
	t.Helper()
	for _, r := range tpl.Resources {
		if r.Type == "AWS::CloudWatch::Dashboard" {
			return widgets(t, r)
		}
	}
	t.Fatal("there is no dashboard")
	return nil
}

func TestTheDashboardAnswersThreeQuestionsInOneLook(t *testing.T) {
	m := newMonitored(t)
	list := dashboardOf(t, synthesize(t, m.stack))
	var headings []string
	graphs, bottom := 0, 0
	for _, w := range list {
		if w.Type == "text" {
			headings = append(headings, w.Properties.Markdown)
		}
		if w.Type == "metric" {
			graphs++
			if len(w.Properties.Metrics) == 0 {
				t.Errorf("%s shows nothing", w.Properties.Title)
			}
		}
		bottom = max(bottom, w.Y+w.Height)
	}
	if got := strings.Join(headings, " "); got != "## Keeping up? ## Failing? ## Costing what?" || graphs != 9 {
		t.Errorf("the headings are %q above %d graphs", got, graphs)
	}
	const screen = 24 // units: what a browser shows without scrolling, in a window of 1,200 points
	if bottom > screen {
		t.Errorf("the dashboard is %d units high, want at most %d", bottom, screen)
	}

	alarms := list[0]
	if alarms.Type != "alarm" || len(alarms.Properties.Alarms) != 16 {
		t.Errorf("the first widget is %+v, want all 16 alarms", alarms)
	}
}

func TestADashboardWithoutAlarmsAndMetricsShowsWhatIsLeft(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Metrics, props.Alarms = MetricsLevel_NONE, &AlarmsProps{Enabled: jsii.Bool(false)}
	NewReplicatedTable(stack, jsii.String("Users"), props).AddDashboard(jsii.String("Dashboard"), nil)
	for _, w := range dashboardOf(t, synthesize(t, stack)) {
		if w.Type == "alarm" || w.Type == "metric" && len(w.Properties.Metrics) == 0 {
			t.Errorf("%+v shows nothing", w)
		}
	}
}

func TestADashboardHasTheSettingsAndWidgetsOfTheCaller(t *testing.T) {
	stack := newStack(t)
	own := awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{Markdown: jsii.String("ours")})
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	dashboard := table.AddDashboard(jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: jsii.String("users"), Widgets: &[]*[]awscloudwatch.IWidget{{own}},
	})
	tpl := synthesize(t, stack)
	tpl.Resources[logicalID(stack, dashboard)].want(t, "DashboardName", "users")
	if first := dashboardOf(t, tpl)[0]; first.Properties.Markdown != "ours" {
		t.Errorf("the first widget is %+v", first)
	}
}

func TestADashboardThatCannotBeIsRefused(t *testing.T) {
	stack := newStack(t)
	table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
	for want, id := range map[string]*string{
		"AddDashboard: scope and id are required":                                             nil,
		"App/Users/Function: the scope has another construct with this ID: choose another ID": jsii.String("Function"),
	} {
		if got := panicOf(func() { table.AddDashboard(id, nil) }); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}

	bad := &awscloudwatch.DashboardProps{DashboardName: jsii.String("a dashboard")}
	if got := panicOf(func() { table.AddDashboard(jsii.String("Dashboard"), bad) }); !strings.HasPrefix(got, "App/Users/Dashboard: the CDK refuses it: ") {
		t.Errorf("got %q", got)
	}

	table.AddDashboard(jsii.String("Dashboard"), nil)
	for call, add := range map[string]func(){
		`AddTarget("ByCity")`:       func() { table.AddTarget(jsii.String("ByCity"), lastWriterProps().Target) },
		`AddReconciler("Backfill")`: func() { table.AddReconciler(jsii.String("Backfill"), nil) },
	} {
		want := "App/Users: " + call + " comes after AddDashboard, which shows all targets and alarms: call AddDashboard last"
		if got := panicOf(add); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

package alarms

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

var start = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// template returns a template with an alarm that has these properties besides those of every
// alarm here.
func template(t *testing.T, properties string) *Template {
	t.Helper()
	if properties != "" {
		properties = "," + properties
	}
	parsed, err := ParseTemplate([]byte(`{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
		"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "N", "MetricName": "M",
			"Dimensions": [{"Name": "Q", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}, {"Name": "R", "Value": {"Ref": "Queue"}}],
			"Period": 300` + properties + `}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	parsed.Refs["Queue"], parsed.Attributes["Queue.QueueName"] = "url", "name"
	return parsed
}

// at makes a sample of the alarm's metric.
func at(minutes int, value float64) emf.Sample {
	return emf.Sample{Namespace: "N", Name: "M", Dimensions: map[string]string{"Q": "name", "R": "url"},
		At: start.Add(time.Duration(minutes) * time.Minute), Value: value}
}

func TestAnAlarmGoesOffAndBack(t *testing.T) {
	other := at(10, 9)
	other.Dimensions = map[string]string{"Q": "another"}
	const sum = `"Statistic": "Sum", "ComparisonOperator": "GreaterThanThreshold", "Threshold": 3, "EvaluationPeriods": 1`
	for _, test := range []struct {
		name, why  string
		properties string
		samples    []emf.Sample
		want       string // changes: the minute and the state
	}{
		{
			"a sum", "the period slides, and begins with its first minute",
			sum + `, "TreatMissingData": "notBreaching"`, []emf.Sample{at(10, 2), at(12, 2)},
			"0 OK, 13 ALARM, 16 OK",
		},
		{
			"equal to the threshold", "only what is greater breaches",
			sum + `, "TreatMissingData": "notBreaching"`, []emf.Sample{at(10, 1), at(12, 2)},
			"0 OK",
		},
		{
			"samples out of order", "lanes emit them",
			sum + `, "TreatMissingData": "notBreaching"`, []emf.Sample{at(12, 2), at(10, 2)},
			"0 OK, 13 ALARM, 16 OK",
		},
		{
			"another metric", "dimensions tell metrics apart",
			sum + `, "TreatMissingData": "notBreaching"`, []emf.Sample{other},
			"0 OK",
		},
		{
			"nobody reads", "0 is a sample too, and three periods without one are too many",
			`"Statistic": "SampleCount", "ComparisonOperator": "LessThanThreshold", "Threshold": 1, "EvaluationPeriods": 3,
				"TreatMissingData": "breaching"`,
			[]emf.Sample{at(-6, 0), at(-1, 0), at(4, 0), at(25, 0)},
			"0 OK, 20 ALARM, 26 OK",
		},
		{
			"a maximum", "every period has to breach",
			`"Statistic": "Maximum", "ComparisonOperator": "GreaterThanThreshold", "Threshold": 6, "EvaluationPeriods": 2,
				"TreatMissingData": "notBreaching"`,
			[]emf.Sample{at(5, 7), at(5, 1), at(10, 8), at(20, 9)},
			"0 OK, 11 ALARM, 16 OK",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := Evaluate(template(t, test.properties), test.samples, start, start.Add(30*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if got := changes(l, "Alarm"); got != test.want {
				t.Errorf("%s: got %s, want %s", test.why, got, test.want)
			}
		})
	}
}

func changes(l *Timeline, id string) string {
	var texts []string
	for _, c := range l.Changes(id) {
		texts = append(texts, fmt.Sprintf("%.0f %s", c.At.Sub(start).Minutes(), c.To))
	}
	return strings.Join(texts, ", ")
}

func TestAnAlarmThatIsNotKnownHereIsAnError(t *testing.T) {
	const sound = `"Statistic": "Sum", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "TreatMissingData": "breaching"`
	for why, change := range map[string][2]string{
		"metric math":              {sound, sound + `, "Metrics": []`},
		"a percentile":             {`"Statistic"`, `"ExtendedStatistic"`},
		"an average":               {`"Sum"`, `"Average"`},
		"a minimum":                {`"Sum"`, `"Minimum"`},
		"another comparison":       {`"GreaterThanThreshold"`, `"GreaterThanOrEqualToThreshold"`},
		"no periods":               {`: 1`, `: 0`},
		"some of the periods":      {sound, sound + `, "DatapointsToAlarm": 1`},
		"no word for missing":      {`, "TreatMissingData": "breaching"`, ``},
		"another word for missing": {`"breaching"`, `"ignore"`},
		"an unknown function":      {sound, sound + `, "Threshold": {"Fn::Select": [0, [1]]}`},
	} {
		if _, err := Evaluate(template(t, strings.Replace(sound, change[0], change[1], 1)), nil, start, start); err == nil {
			t.Errorf("%s is not an error", why)
		}
	}
	if _, err := Evaluate(template(t, sound), nil, start, start); err != nil {
		t.Error(err)
	}
}

func TestACompositeAlarmFollowsItsRule(t *testing.T) {
	const alarm = `{"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "N", "MetricName": %q, "Statistic": "Sum",
		"Period": 60, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "EvaluationPeriods": 1,
		"TreatMissingData": "notBreaching"}}`
	parse := func() *Template {
		parsed, err := ParseTemplate(fmt.Appendf(nil, `{"Resources": {"A": `+alarm+`, "B": `+alarm+`,
			"Any": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": {"Fn::Join": ["", ["(ALARM(\"",
				{"Fn::GetAtt": ["A", "Arn"]}, "\") OR ALARM(\"", {"Fn::GetAtt": ["B", "Arn"]}, "\"))"]]}}}}}`, "A", "B"))
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	samples := []emf.Sample{{Namespace: "N", Name: "A", At: start.Add(time.Minute), Value: 1},
		{Namespace: "N", Name: "B", At: start.Add(2 * time.Minute), Value: 1}}

	l, err := Evaluate(parse(), samples, start, start.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if got := changes(l, "Any"); got != "0 OK, 2 ALARM, 4 OK" {
		t.Errorf("got %s", got)
	}
	if l.At("Any", start.Add(2*time.Minute+time.Second)) != Alarm || l.At("Any", start.Add(time.Hour)) != "" || l.At("C", start) != "" {
		t.Error("the states of a moment are not those of the timeline")
	}
	if got := l.IDs(); !slices.Equal(got, []string{"A", "Any", "B"}) {
		t.Errorf("the alarms are %q", got)
	}

	// Without one of its alarms it looks at the other.
	removed := parse()
	if err := removed.Remove("B"); err != nil {
		t.Fatal(err)
	}
	if l, err = Evaluate(removed, samples, start, start.Add(10*time.Minute)); err != nil || changes(l, "Any") != "0 OK, 2 ALARM, 3 OK" {
		t.Errorf("without B: got %s, %v", changes(l, "Any"), err)
	}
	if removed.Remove("B") == nil {
		t.Error("an alarm that is not there can be removed")
	}
	broken := parse()
	delete(broken.Resources, "B")
	if _, err := Evaluate(broken, samples, start, start); err == nil {
		t.Error("a rule about an alarm that is not there is not an error")
	}
}

func TestARuleSaysThatOneOfItsAlarmsIsOn(t *testing.T) {
	for rule, want := range map[string][]string{
		`(ALARM("one"))`:                  {"one"},
		`(ALARM("one") OR ALARM("two"))`:  {"one", "two"},
		``:                                nil,
		`()`:                              nil,
		`ALARM("one")`:                    nil,
		`(ALARM("one")`:                   nil,
		`(ALARM(one))`:                    nil,
		`(OK("one"))`:                     nil,
		`(INSUFFICIENT_DATA("one"))`:      nil,
		`(NOT ALARM("one"))`:              nil,
		`(ALARM("one") AND ALARM("two"))`: nil,
		`(ALARM("one") OR TRUE)`:          nil,
	} {
		if got, err := anyOf(rule); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %q, %v, want %q", rule, got, err, want)
		}
	}
}

func TestATemplateIsDecodedWithItsFunctionsCarriedOut(t *testing.T) {
	parsed, err := ParseTemplate([]byte(`{"Resources": {"R": {"Type": "T", "Properties": {"A": {"Fn::Join": ["-", ["x", {"Ref": "Other"},
		{"Fn::GetAtt": ["Other", "Arn"]}]]}, "B": [{"Fn::Sub": "text"}], "C": {"Ref": "Unknown"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	parsed.Refs["Other"], parsed.Attributes["Other.Arn"] = "name", "arn"
	var got json.RawMessage
	if err := parsed.Decode("R", &got); err != nil || string(got) != `{"A":"x-name-arn","B":["text"],"C":"Unknown"}` {
		t.Errorf("got %s, %v", got, err)
	}
	if found := parsed.Find("T"); !slices.Equal(found, []string{"R"}) || parsed.Decode("S", &got) == nil {
		t.Errorf("found %q, and a resource that is not there", found)
	}
}

package alarms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

// State is the state of an alarm, in CloudWatch's words.
type State string

// The states. There is no INSUFFICIENT_DATA, because an alarm that can have it is refused.
const (
	OK    State = "OK"
	Alarm State = "ALARM"
)

// What TreatMissingData can be here.
const (
	breaching    = "breaching"
	notBreaching = "notBreaching"
)

// metricAlarm is the properties of an AWS::CloudWatch::Alarm that decide.
type metricAlarm struct {
	Namespace, MetricName string
	Dimensions            []struct{ Name, Value string }
	Statistic             string
	Period                int // seconds
	ComparisonOperator    string
	Threshold             float64
	EvaluationPeriods     int
	TreatMissingData      string

	// What only has to be known.
	AlarmDescription, AlarmName, Unit                string
	ActionsEnabled                                   bool
	AlarmActions, OKActions, InsufficientDataActions []string
}

// metric is the alarm's metric as [emf.Sample.Metric] names it.
func (a *metricAlarm) metric() string {
	s := emf.Sample{Namespace: a.Namespace, Name: a.MetricName, Dimensions: map[string]string{}}
	for _, d := range a.Dimensions {
		s.Dimensions[d.Name] = d.Value
	}
	return s.Metric()
}

// read reads the properties of an alarm, and refuses those that no alarm of the construct has:
// an alarm that is evaluated without one of them may be another alarm.
func (t *Template) read(id string) (*metricAlarm, error) {
	var properties json.RawMessage
	if err := t.Decode(id, &properties); err != nil {
		return nil, err
	}
	a := &metricAlarm{}
	decoder := json.NewDecoder(bytes.NewReader(properties))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(a); err != nil {
		return nil, fmt.Errorf("the alarm %s: %w", id, err)
	}
	if a.Period < 60 || a.Period%60 != 0 || a.EvaluationPeriods < 1 {
		return nil, fmt.Errorf("the alarm %s has %d periods of %d seconds", id, a.EvaluationPeriods, a.Period)
	}
	// The words are checked before there is a sample to judge.
	_, statisticErr := statistic(a.Statistic, []float64{0})
	_, comparisonErr := compare(a.ComparisonOperator, 0, 0)
	if a.TreatMissingData != breaching && a.TreatMissingData != notBreaching {
		return nil, fmt.Errorf("the alarm %s treats missing data as %q, which is not known here", id, a.TreatMissingData)
	}
	for _, err := range []error{statisticErr, comparisonErr} {
		if err != nil {
			return nil, fmt.Errorf("the alarm %s: %w", id, err)
		}
	}
	return a, nil
}

// judge returns the state of the alarm at a time. The samples are of its metric, in order.
func (a *metricAlarm) judge(samples []emf.Sample, at time.Time) State {
	period := time.Duration(a.Period) * time.Second
	for i := range a.EvaluationPeriods {
		end := at.Add(-time.Duration(i) * period)
		found := within(samples, end.Add(-period), end)
		breaks := a.TreatMissingData == breaching
		if len(found) > 0 {
			breaks = a.breaks(found)
		}
		if !breaks {
			return OK
		}
	}
	return Alarm
}

// breaks reports whether the samples of a period breach the threshold.
func (a *metricAlarm) breaks(samples []emf.Sample) bool {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s.Value
	}
	value, _ := statistic(a.Statistic, values) // read has checked both
	breaks, _ := compare(a.ComparisonOperator, value, a.Threshold)
	return breaks
}

// within returns the samples from a time until before another.
func within(samples []emf.Sample, from, to time.Time) []emf.Sample {
	before := func(s emf.Sample, t time.Time) int { return s.At.Compare(t) }
	first, _ := slices.BinarySearchFunc(samples, from, before)
	last, _ := slices.BinarySearchFunc(samples, to, before)
	return samples[first:last]
}

func statistic(name string, values []float64) (float64, error) {
	switch name {
	case "Sum":
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum, nil
	case "SampleCount":
		return float64(len(values)), nil
	case "Maximum":
		return slices.Max(values), nil
	default:
		return 0, fmt.Errorf("the statistic %q is not known here", name)
	}
}

func compare(operator string, value, threshold float64) (bool, error) {
	switch operator {
	case "GreaterThanThreshold":
		return value > threshold, nil
	case "LessThanThreshold":
		return value < threshold, nil
	default:
		return false, fmt.Errorf("the comparison %q is not known here", operator)
	}
}

// Timeline is the states of all alarms, minute by minute.
type Timeline struct {
	from   time.Time
	states map[string][]State // by logical ID
}

// Evaluate evaluates all alarms of a template every minute, from a time to another.
func Evaluate(t *Template, samples []emf.Sample, from, to time.Time) (*Timeline, error) {
	byMetric := map[string][]emf.Sample{}
	for _, s := range samples {
		byMetric[s.Metric()] = append(byMetric[s.Metric()], s)
	}
	for _, of := range byMetric {
		slices.SortStableFunc(of, func(a, b emf.Sample) int { return a.At.Compare(b.At) })
	}

	timeline := &Timeline{from: from, states: map[string][]State{}}
	for _, id := range t.Find("AWS::CloudWatch::Alarm") {
		a, err := t.read(id)
		if err != nil {
			return nil, err
		}
		of := byMetric[a.metric()]
		for at := from; !at.After(to); at = at.Add(time.Minute) {
			timeline.states[id] = append(timeline.states[id], a.judge(of, at))
		}
	}

	return timeline, timeline.compose(t)
}

// compose adds the composite alarms, which look at other alarms only.
func (l *Timeline) compose(t *Template) error {
	ids := map[string]string{}
	for id := range l.states {
		ids[known(t.Attributes, id+".Arn")] = id
	}
	for _, id := range t.Find("AWS::CloudWatch::CompositeAlarm") {
		var a struct{ AlarmRule string }
		if err := t.Decode(id, &a); err != nil {
			return err
		}
		alarms, err := anyOf(a.AlarmRule)
		if err != nil {
			return fmt.Errorf("the composite alarm %s: %w", id, err)
		}
		for _, of := range alarms {
			if l.states[ids[of]] == nil {
				return fmt.Errorf("the composite alarm %s looks at %s, which is not in the template", id, of)
			}
		}
		for i := range l.minutes() {
			state := OK
			if slices.ContainsFunc(alarms, func(of string) bool { return l.states[ids[of]][i] == Alarm }) {
				state = Alarm
			}
			l.states[id] = append(l.states[id], state)
		}
	}
	return nil
}

// minutes is how many minutes the timeline has.
func (l *Timeline) minutes() int {
	for _, states := range l.states {
		return len(states)
	}
	return 0
}

// IDs returns the logical IDs of all alarms, sorted.
func (l *Timeline) IDs() []string { return slices.Sorted(maps.Keys(l.states)) }

// Change is a change of an alarm's state.
type Change struct {
	At time.Time
	To State
}

// Changes returns the changes of an alarm, the first of them its state at the start.
func (l *Timeline) Changes(id string) []Change {
	var changes []Change
	for i, state := range l.states[id] {
		if len(changes) == 0 || changes[len(changes)-1].To != state {
			changes = append(changes, Change{l.from.Add(time.Duration(i) * time.Minute), state})
		}
	}
	return changes
}

// At returns the state of an alarm at a time of the timeline, rounded down to a minute, and
// nothing for an alarm that there is not.
func (l *Timeline) At(id string, at time.Time) State {
	i := int(at.Sub(l.from) / time.Minute)
	if i < 0 || i >= len(l.states[id]) {
		return ""
	}
	return l.states[id][i]
}

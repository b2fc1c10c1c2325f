package replicatedtable

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// alarmProblems lists the rules that the settings of the alarms break.
func alarmProblems(props *AlarmsProps, s sizes) []spec.Problem {
	if props == nil {
		props = &AlarmsProps{}
	}

	problems := s.durationProblems("Alarms.MaxIteratorAge", iteratorAgeRange, s.iteratorAgeSeconds)
	if problems == nil && props.areEnabled() {
		age := s.iteratorAge()
		problems = s.tooLate("Alarms.MaxIteratorAge", &age,
			"the event source mapping would give up on the records before the alarm goes off")
	}
	problems = slices.Concat(problems,
		unreadProblems(s),
		failuresRange.problems("Alarms.MaxFailures", s.failures),
	)
	if props.Actions != nil {
		problems = append(problems, nilProblems("Alarms.Actions", *props.Actions)...)
	}
	if props.CompositeActions != nil {
		problems = append(problems, nilProblems("Alarms.CompositeActions", *props.CompositeActions)...)
	}

	return problems
}

// unreadProblems checks the time without a poll, which an alarm counts in periods.
func unreadProblems(s sizes) []spec.Problem {
	const path = "Alarms.UnreadAfter"
	shortest, longest := alarmPeriod.Seconds(), longestUnread.Seconds()
	n := s.unreadSeconds
	if n == nil || *n >= shortest && *n <= longest && math.Mod(*n, shortest) == 0 {
		return s.durationTokenProblems(path)
	}

	text := fmt.Sprintf("is %s s: set a multiple of %s from %s to %s",
		decimal(*n), decimal(shortest), decimal(shortest), decimal(longest))
	return []spec.Problem{{Path: path, Text: text}}
}

const (
	// maxRuleAlarms and maxRuleBytes are the limits of a composite alarm's rule. Source: Amazon CloudWatch
	// API Reference, PutCompositeAlarm.
	maxRuleAlarms = 100
	maxRuleBytes  = 10240
)

// ruleBytes is the greatest length of the part of a rule that is about the alarm at path.
func (t *replicatedTable) ruleBytes(path string) int {
	const around = ` OR ALARM("arn:aws-us-gov:cloudwatch:us-gov-west-1:111122223333:alarm:")`
	return len(around) + t.replication.generatedNameBytes(strings.Split(path, "/")...)
}

// compositeProblems says that the alarms of another target, called id, are too many for CompositeAlarm.
func (t *replicatedTable) compositeProblems(call, id string) []spec.Problem {
	a := t.alarms
	if a.composite == nil {
		return nil
	}
	more := 1
	if a.props.areAll() {
		more++
	}
	longest := strings.Join([]string{*t.Node().Path(), targetAlarmsID, id + "ThrottleAlarm"}, "/")
	if len(a.rules)+more <= maxRuleAlarms && a.ruleBytes+more*t.ruleBytes(longest) <= maxRuleBytes {
		return nil
	}

	return []spec.Problem{{Path: call, Text: fmt.Sprintf("adds alarms to CompositeAlarm, whose rule would be too long: CloudWatch allows "+
		"%d alarms and %d characters. Leave out Alarms.All and Alarms.CompositeActions, and use Alarms.Actions", maxRuleAlarms, maxRuleBytes)}}
}

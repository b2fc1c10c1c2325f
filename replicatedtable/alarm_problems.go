package replicatedtable

import (
	"fmt"
	"math"
	"slices"

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

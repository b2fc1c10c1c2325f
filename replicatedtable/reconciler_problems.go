package replicatedtable

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// stateMachineName is from AWS Step Functions API Reference, CreateStateMachine, with only the
// characters that CloudWatch can show.
var stateMachineName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

var concurrencyRange = sizeRange{1, spec.MaxSegments, " segments"}

// reconcilerProblems lists the rules that the props of a reconciler break.
func reconcilerProblems(props ReconcilerProps) []spec.Problem {
	var problems []spec.Problem
	add := func(path, format string, args ...any) {
		problems = append(problems, spec.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}

	concurrency := slices.Concat(
		tokenNumberProblems("MaxConcurrency", props.MaxConcurrency),
		concurrencyRange.problems("MaxConcurrency", known(props.MaxConcurrency)),
	)
	problems = slices.Concat(memoryRange.problems("MemorySize", known(props.MemorySize)), concurrency)
	if name := props.StateMachineName; name != nil && !isToken(*name) && !stateMachineName.MatchString(*name) {
		add("StateMachineName", "is %q: use 1 to 80 letters, digits, hyphens and underscores", *name)
	}

	units := known(props.VerifyReadUnits)
	switch least := spec.MinSegmentUnits * *props.withDefaults().MaxConcurrency; {
	case props.VerifyReadUnits == nil:
	case props.VerifySchedule == nil:
		add("VerifyReadUnits", "is set, and VerifySchedule is not: set the schedule, or leave it out")
	case units == nil:
		problems = append(problems, tokenNumberProblems("VerifyReadUnits", props.VerifyReadUnits)...)
	case len(concurrency) == 0 && !(*units >= least):
		add("VerifyReadUnits", "is %s, and MaxConcurrency %s: set at least %s, which is %d a second for each segment",
			decimal(*units), decimal(least/spec.MinSegmentUnits), decimal(least), spec.MinSegmentUnits)
	}

	return problems
}

// tokenNumberProblems says that a number is a token whose value the construct needs.
func tokenNumberProblems(path string, n *float64) []spec.Problem {
	if n == nil || known(n) != nil {
		return nil
	}
	return []spec.Problem{{Path: path, Text: "is a token: its value must be known at synthesis; write it out"}}
}

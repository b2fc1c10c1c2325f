package incidents

import (
	"strings"
	"testing"
	"time"
)

// story is an incident, told from the deployment to the time when all is well again.
type story struct {
	name string
	tell func(*run)
	// teeth are what the story has to notice when it is taken away, with a part of a problem
	// that it then finds.
	teeth []tooth
}

type tooth struct {
	without without
	notices string
}

var stories = []story{lostRight}

func TestEveryIncidentEndsWithExactTargets(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, problem := range tell(t, s, nothing) {
				t.Error(problem)
			}
		})
	}
}

func TestEveryStoryNoticesWhatIsTakenAway(t *testing.T) {
	for _, s := range stories {
		for _, tooth := range s.teeth {
			w := tooth.without
			t.Run(s.name+", without "+w.String(), func(t *testing.T) {
				t.Parallel()
				problems := tell(t, s, w)
				if !strings.Contains(strings.Join(problems, "\n"), tooth.notices) {
					t.Errorf("the story does not notice it: it finds %q, want %q", problems, tooth.notices)
				}
			})
		}
	}
}

// noAlarm, noBrake and noStep take one thing away.
func noAlarm(accessor string) without { return without{alarm: accessor, brake: -1} }
func noBrake(target int) without      { return without{brake: target} }
func noStep(command string) without   { return without{step: command, brake: -1} }

func (w without) String() string {
	switch {
	case w.alarm != "":
		return w.alarm
	case w.step != "":
		return w.step
	default:
		return "the brake"
	}
}

// The function's role loses the right to write to one target.
var lostRight = story{
	name: "a target's policy loses a right",
	tell: func(r *run) {
		r.pass(time.Hour)
		r.wantCalm()
		r.wantExact()

		r.gateway.begin("policy", fault{of: []caller{byFunction}, service: "DynamoDB", about: r.spec.Targets[byPlace].TableName,
			code: "AccessDeniedException", text: "not authorized to perform: dynamodb:BatchWriteItem"})
		began := time.Now()
		r.pass(2 * time.Hour)
		r.wantAlarms(began, expected{"ByPlaceFailureAlarm", 5 * time.Minute},
			expected{"IteratorAgeAlarm", 20 * time.Minute}, expected{"UnreadStreamAlarm", 20 * time.Minute},
			expected{"FailureQueueAlarm", 25 * time.Minute})
		r.wantOn("ByPlaceFailureAlarm", "FailureQueueAlarm")
		r.wantExact(byState, byCity)
		r.wantInexact(byPlace)

		r.gateway.end("policy")
		r.pass(20 * time.Minute)
		r.wantOn("FailureQueueAlarm")
		r.wantInexact(byPlace)

		r.replicatedtable(0, "redrive", "-function", r.functionName)
		r.replicatedtable(0, "verify", "-function", r.functionName)
		r.pass(20 * time.Minute)
		r.wantOn()
		r.wantExact()
	},
	teeth: []tooth{
		{noAlarm("ByPlaceFailureAlarm"), "ByPlaceFailureAlarm did not go off"},
		{noAlarm("FailureQueueAlarm"), "FailureQueueAlarm did not go off"},
		{noStep("redrive"), "replicatedtable verify"},
	},
}

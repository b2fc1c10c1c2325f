package incidents

import (
	"strings"
	"testing"
)

// story is an incident, told from the deployment to the time when all is well again.
type story struct {
	name string
	tell func(*run)
	// teeth are what the story has to notice when it is taken away.
	teeth []without
}

var stories = []story{lostRight, weekend, wrongIndexStory, disabledKey, disabledKeys, lostDestination, ignoredAnswers}

func TestEveryIncidentEndsWithExactTargets(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	for _, s := range stories {
		for _, w := range s.teeth {
			t.Run(s.name+", without "+w.String(), func(t *testing.T) {
				t.Parallel()
				problems := tell(t, s, w)
				if !strings.Contains(strings.Join(problems, "\n"), w.notices) {
					t.Errorf("the story does not notice it: it finds %q, want %q", problems, w.notices)
				}
			})
		}
	}
}

// noAlarm, noBrake and noStep take one thing away.
func noAlarm(accessor string) without {
	return without{alarm: accessor, brake: noTarget, notices: accessor + " did not go off"}
}

func noBrake(target int, notices string) without { return without{brake: target, notices: notices} }

func noStep(command, notices string) without {
	return without{step: command, brake: noTarget, notices: notices}
}

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

package replicator

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// logLine is what tests read of a line of the log.
type logLine struct {
	Level, Msg, Target, Reason, Remedy string
	Sent, Records, Failures, Items     int
}

// logLines returns the lines of the log since the last call.
func (f *function) logLines(t *testing.T) []logLine {
	t.Helper()
	var lines []logLine
	for text := range strings.Lines(f.log.String()) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	f.log.Reset()
	return lines
}

func TestTheLogHasALineForATargetThatIsSetAside(t *testing.T) {
	// T3.
	synctest.Test(t, func(t *testing.T) {
		f, c := newPairFunction(t, pairSpec())
		c.failing["second"] = "AccessDeniedException"
		f.invoke(t, both(1, "1"))
		time.Sleep(2 * defaultGrace)
		f.logLines(t)

		// Three records of two items, and one record that no target can have.
		f.invoke(t, both(1, "1"), both(2, "2"),
			record("MODIFY", 3, item("id", "2"), item("id", "2", "group", "g", "kind", "k"), item("id", "2", "group", "g", "kind", "l")),
			record("INSERT", 4, item("id", "9"), "", `{"id":{"S":"9"},"group":{"BOOL":true}}`))
		lines := f.logLines(t)
		if len(lines) != 2 {
			t.Fatalf("got %+v, want a line about the record and one about the target", lines)
		}
		if l := lines[0]; l.Level != "WARN" || l.Sent != 1 || l.Records != 4 || !strings.Contains(l.Msg, "never be applied") {
			t.Errorf("the line about the record is %+v", l)
		}
		if l := lines[1]; l.Level != "ERROR" || l.Target != "second" || l.Items != 2 || !strings.Contains(l.Msg, "set aside") ||
			!strings.Contains(l.Reason, "AccessDeniedException") || !strings.Contains(l.Remedy, "allow the function's role") {
			t.Errorf("the line about the target is %+v", l)
		}
	})
}

func TestTheLogNamesATargetThatIsSetAsideForARefusal(t *testing.T) {
	// T3: DynamoDB's own text may quote the item, and ours does not name the table.
	synctest.Test(t, func(t *testing.T) {
		f, _ := newPairFunction(t, pairSpec())
		f.faults.Use(faults.Rule{
			Kind: faults.Poison, Probability: 1, Message: "The provided key element does not match the schema",
			Select: func(w faults.Write) bool { return w.Table == "second" },
		})
		f.invoke(t, both(1, "1"))
		time.Sleep(2 * defaultGrace)
		f.logLines(t)
		f.invoke(t, both(1, "1"))
		if lines := f.logLines(t); len(lines) != 1 || lines[0].Target != "second" || lines[0].Items != 1 ||
			lines[0].Reason == "" || !strings.Contains(lines[0].Remedy, "another key schema") {
			t.Errorf("got %+v", lines)
		}
	})
}

func TestTheLogHasALineForEachTargetThatFails(t *testing.T) {
	// T3.
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		third := s.Targets[1]
		third.TableName = "third"
		s.Targets = append(s.Targets, third)
		f, c := newPairFunction(t, s)
		c.failing["second"], c.failing["third"] = "AccessDeniedException", "ResourceNotFoundException"
		for _, want := range []struct{ kind, text string }{
			{"before the grace time", "until the grace time is over"}, {"after it", "is set aside"},
		} {
			f.invoke(t, both(1, "1"))
			targets, lines := map[string]string{}, 0
			for _, l := range f.logLines(t) {
				if strings.Contains(l.Msg, want.text) {
					targets[l.Target] = l.Remedy
					lines++
				}
			}
			if lines != 2 || !strings.HasPrefix(targets["second"], "allow the function's role") ||
				!strings.HasPrefix(targets["third"], "restore the target table") {
				t.Errorf("%s: got %d lines, %q; want one for each of two targets", want.kind, lines, targets)
			}
			time.Sleep(2 * defaultGrace)
		}
	})
}

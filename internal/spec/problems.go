package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one broken rule.
type Problem struct {
	// Path is the field, as the caller of Problems would write it.
	Path string
	// Text says which rule the value breaks and what to do.
	Text string
}

func (p Problem) String() string { return p.Path + " " + p.Text }

// Problems checks every rule and returns all that are broken, in field order.
func (s Spec) Problems() []Problem {
	ps := problems{}
	ps.mappingVersion(s)
	ps.table("Source", s.Source)
	if s.FailureQueueURL == "" {
		ps.add("FailureQueueURL", "is empty: name the queue for records that can never be applied")
	}
	ps.setAside(s.SetAsideSeconds)
	ps.logLevel(s.LogLevel)
	ps.metrics(s.Metrics)
	if len(s.Targets) == 0 {
		ps.add("Targets", "is empty: the function needs at least one target table")
	}
	for i, t := range s.Targets {
		path := fmt.Sprintf("Targets[%d]", i)
		s.targetName(&ps, path+".TableName", i)
		ps.table(path, t.Table)
		rules := targetRules{problems: &ps, spec: s, target: t, reserved: t.reserved(), path: path}
		rules.check()
	}

	return ps
}

// setAside checks the time until a target is set aside.
func (ps *problems) setAside(seconds int) {
	if seconds != 0 && (seconds < MinSetAsideSeconds || seconds > MaxSetAsideSeconds) {
		ps.add("SetAsideSeconds", "is %d: set a number from %d to %d, or leave it out for the default",
			seconds, MinSetAsideSeconds, MaxSetAsideSeconds)
	}
}

func (ps *problems) logLevel(level LogLevel) {
	switch level {
	case "", LogDebug, LogInfo, LogWarn, LogError:
	default:
		ps.add("LogLevel", "is %q: use %s, %s, %s or %s, or leave it out for %s",
			level, LogDebug, LogInfo, LogWarn, LogError, LogInfo)
	}
}

func (ps *problems) metrics(level MetricsLevel) {
	switch level {
	case "", MetricsBasic, MetricsPerTarget, MetricsNone:
	default:
		ps.add("Metrics", "is %q: use %s, %s or %s, or leave it out for %s",
			level, MetricsBasic, MetricsPerTarget, MetricsNone, MetricsBasic)
	}
}

// targetName checks that the target with the index i is a table of its own.
func (s Spec) targetName(ps *problems, path string, i int) {
	name := s.Targets[i].TableName
	if name == s.Source.TableName && name != "" {
		ps.add(path, "%q is the source table: its changes would never end; name another table", name)
	}
	first := slices.IndexFunc(s.Targets, func(t Target) bool { return t.TableName == name })
	if first < i {
		ps.add(path, "%q is the table of Targets[%d] too: they would delete each other's items; name another table",
			name, first)
	}
}

// targetRules checks the mapping of one target.
type targetRules struct {
	problems *problems
	spec     Spec
	target   Target
	reserved map[string]string
	// path is the target's.
	path string
}

func (r targetRules) check() {
	r.keyTypes()
	r.keySources()
	r.keyParts()
	r.projection()
	r.renames()
	if r.target.Filter != nil {
		r.problems.condition(r.path+".Filter", *r.target.Filter, 1)
	}
	r.collision()
	r.expiredItems()
}

// add adds a problem of one of the target's fields.
func (r targetRules) add(field, format string, args ...any) {
	r.problems.add(r.path+"."+field, format, args...)
}

func (r targetRules) expiredItems() {
	switch e := r.target.ExpiredItems; e {
	case "", KeepExpired:
	default:
		r.add("ExpiredItems", "is %q: leave it out to delete the target item, or use %s", e, KeepExpired)
	}
}

// problems collects broken rules.
type problems []Problem

func (ps *problems) add(path, format string, args ...any) {
	*ps = append(*ps, Problem{path, fmt.Sprintf(format, args...)})
}

// quoted lists names the way the messages show values.
func quoted(names ...string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

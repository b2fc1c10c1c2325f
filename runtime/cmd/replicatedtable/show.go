package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// show prints the mapping of a function.
func (c *command) show(ctx context.Context) (int, error) {
	d, err := c.deployment(ctx, 1)
	if err != nil {
		return exitUnfinished, err
	}
	if c.flags.json {
		fmt.Fprintln(c.stdout, d.spec.Encode())
		return exitDone, nil
	}

	t := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(t, "  %s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(t, "source table", d.spec.Source.TableName)
	for i, a := range d.spec.Source.Attributes() {
		row(keyNames[i], "%s (%s)", a.Name, a.Type)
	}
	row("failure queue", "%s", d.spec.FailureQueueURL)
	for _, target := range d.spec.Targets {
		fmt.Fprintln(t, "target table", target.TableName)
		showTarget(row, target)
	}

	return exitDone, t.Flush()
}

var keyNames = [...]string{"partition key", "sort key"}

// showTarget prints one target's mapping as rows of two columns.
func showTarget(row func(what, format string, args ...any), t spec.Target) {
	for i, a := range t.Attributes() {
		row(keyNames[i], "%s (%s), from %s", a.Name, a.Type, showSource(t.KeySource(a.Name)))
	}
	row("attributes", "%s", showProjection(t.Projection))
	for _, from := range slices.Sorted(maps.Keys(t.Projection.Renames)) {
		row("renamed", "%s to %s", from, t.Projection.Renames[from])
	}
	if t.Filter != nil {
		row("only items with", "%s", showCondition(*t.Filter))
	}
	if t.OnKeyCollision != "" {
		row("key collisions", "%s", t.OnKeyCollision)
	}
	if t.VersionAttribute != "" {
		row("version attribute", "%s", t.VersionAttribute)
	}
	row("expired items", "%s", map[spec.ExpiredItems]string{"": "deleted", spec.KeepExpired: "kept"}[t.ExpiredItems])
}

func showSource(k spec.KeySource) string {
	var paths []string
	for _, path := range k.Parts {
		paths = append(paths, strings.Join(path, "."))
	}
	return strings.Join(paths, " "+k.Separator+" ")
}

func showProjection(p spec.Projection) string {
	switch p.Type {
	case spec.All:
		return "all"
	case spec.KeysOnly:
		return "the key attributes of both tables"
	case spec.Include:
		return "the key attributes of both tables, " + strings.Join(p.Attributes, ", ")
	case spec.Exclude:
		return "all but " + strings.Join(p.Attributes, ", ")
	default:
		panic(fmt.Sprintf("the projection type %q of a spec without problems", p.Type))
	}
}

func showCondition(c spec.Condition) string {
	switch {
	case len(c.All) > 0:
		return showConditions(c.All, " and ")
	case len(c.Any) > 0:
		return showConditions(c.Any, " or ")
	}

	var values []string
	for _, v := range c.Values {
		if v.Type == "S" {
			values = append(values, fmt.Sprintf("%q", v.Text))
		} else {
			values = append(values, v.Text)
		}
	}
	text := strings.Join(c.Path, ".") + " " + strings.ReplaceAll(strings.ToLower(string(c.Operator)), "_", " ")

	return strings.TrimSpace(text + " " + strings.Join(values, ", "))
}

// showConditions joins conditions, each of several in parentheses.
func showConditions(conditions []spec.Condition, word string) string {
	var texts []string
	for _, c := range conditions {
		text := showCondition(c)
		if len(c.All)+len(c.Any) > 1 {
			text = "(" + text + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, word)
}

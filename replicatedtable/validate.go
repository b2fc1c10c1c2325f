package replicatedtable

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// validate lists every rule that the props break. It decides in plain Go: s holds
// the sizes that only the CDK can read.
func validate(props *ReplicatedTableProps, s sizes) []spec.Problem {
	if props == nil {
		return []spec.Problem{{Path: "props", Text: "are nil: Source and Target are required"}}
	}

	replication := toReplication(props, s)
	return slices.Concat(
		sourceTableProblems(replication, props.Source, s.source),
		targetProblems(replication, sourceProblems(props.Source), props.Target, s.target),
		functionProblems(props, s),
		eventSourceProblems(props, s),
		metricsProblems(props, s),
		alarmProblems(props.Alarms, s),
		setAsideProblems(s),
		architectureProblems(s.architecture),
		removalPolicyProblems(props.RemovalPolicy),
	)
}

// message is the text of all problems of the construct at path, one per line.
func message(path string, problems []spec.Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprintf("%s: %s", path, p)
	}
	return strings.Join(lines, "\n")
}

// sourceTableProblems lists what is wrong with the table of the source, which exists or is
// to be defined.
func sourceTableProblems(r replication, props *SourceProps, existing *existingTable) []spec.Problem {
	if props == nil {
		return nil
	}
	return slices.Concat(
		existing.tableProblems(r.place, "Source", r.Source.KeySchema, props.TableProps),
		existing.sourceStreamProblems("Source"),
	)
}

// targetProblems lists every rule that the last target of r breaks, whose props are
// props and whose table may exist, after the missing parts of the source key. The earlier
// targets break none.
func targetProblems(
	r replication, source []spec.Problem, props *TargetProps, existing *existingTable,
) []spec.Problem {
	name := r.names[len(r.names)-1]
	incomplete := slices.Concat(source, targetKeyProblems(name, props))
	if props == nil {
		props = &TargetProps{}
	}

	problems := slices.Concat(incomplete, specProblems(r, len(incomplete) == 0), pathProblems(name, props))
	// Only what can be evaluated at all is worth a second look.
	if !concern(problems, name+".Filter") {
		problems = append(problems, filterProblems(name, r.Source.KeySchema, *r.last())...)
	}
	if !concern(problems, name+".KeySources") {
		problems = append(problems, keyPartProblems(name, r.Source.KeySchema, *r.last())...)
	}

	return slices.Concat(
		problems,
		tokenProblems(name, *r.last()),
		existing.tableProblems(r.place, name, r.last().KeySchema, props.TableProps),
		sameTableProblems(r),
		environmentProblems(r),
		lateProblems(r),
	)
}

// concern reports whether one of the problems is about the prop, or a part of it.
func concern(problems []spec.Problem, prop string) bool {
	return slices.ContainsFunc(problems, func(p spec.Problem) bool { return strings.HasPrefix(p.Path, prop) })
}

func sourceProblems(props *SourceProps) []spec.Problem {
	if props == nil {
		return []spec.Problem{{Path: "Source", Text: "is nil: name the key attributes of the source table"}}
	}
	return keyProblems("Source", props.PartitionKey, props.SortKey)
}

func targetKeyProblems(name string, props *TargetProps) []spec.Problem {
	if props == nil {
		return []spec.Problem{{Path: name, Text: "has no props: name the key attributes of the target table"}}
	}
	return keyProblems(name, props.PartitionKey, props.SortKey)
}

// keyProblems lists the missing parts of one table's key.
func keyProblems(path string, partitionKey, sortKey *awsdynamodb.Attribute) []spec.Problem {
	problems := nameProblems(path+".PartitionKey", partitionKey)
	if sortKey != nil {
		problems = append(problems, nameProblems(path+".SortKey", sortKey)...)
	}
	return problems
}

func nameProblems(path string, a *awsdynamodb.Attribute) []spec.Problem {
	switch {
	case a == nil:
		return []spec.Problem{{Path: path, Text: "is nil: name the key attribute"}}
	case toString(a.Name) == "":
		return []spec.Problem{{Path: path, Text: "has no name: name the key attribute"}}
	case isToken(*a.Name):
		return []spec.Problem{tokenProblem(path, *a.Name)}
	case attributeTypes[a.Type] == "":
		return []spec.Problem{{Path: path, Text: fmt.Sprintf("%q has the type %q: "+
			"use AttributeType_STRING, AttributeType_NUMBER or AttributeType_BINARY", *a.Name, a.Type)}}
	default:
		return nil
	}
}

// pathProblems lists the texts of a target that are not paths, or that lead into a map
// where only a top-level attribute can be named.
func pathProblems(name string, props *TargetProps) []spec.Problem {
	var problems []spec.Problem
	if props.KeySources != nil {
		for _, key := range sortedKeys(*props.KeySources) {
			if source := (*props.KeySources)[key]; source != nil {
				problems = append(problems, syntaxProblems(name+".KeySources", toStrings(source.Attributes)...)...)
			}
		}
	}
	if p := props.Projection; p != nil {
		problems = append(problems, topLevelProblems(name+".Projection", toStrings(p.Attributes)...)...)
		if p.Renames != nil {
			for _, from := range sortedKeys(*p.Renames) {
				problems = append(problems,
					topLevelProblems(name+".Projection", from, toString((*p.Renames)[from]))...)
			}
		}
	}
	if props.Filter != nil {
		problems = append(problems, syntaxProblems(name+".Filter", props.Filter.attributes()...)...)
	}

	return append(problems, orderingProblems(name+".Ordering", props.Ordering)...)
}

func removalPolicyProblems(p awscdk.RemovalPolicy) []spec.Problem {
	return choiceProblems("RemovalPolicy", p,
		awscdk.RemovalPolicy_RETAIN, awscdk.RemovalPolicy_DESTROY, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
}

// choiceProblems says that a value is not one of the choices. Empty is the default.
func choiceProblems[T ~string](path string, value T, choices ...T) []spec.Problem {
	if value == "" || slices.Contains(choices, value) {
		return nil
	}

	texts := make([]string, len(choices))
	for i, choice := range choices {
		texts[i] = string(choice)
	}
	last := len(texts) - 1
	text := fmt.Sprintf("is %q: use %s or %s", value, strings.Join(texts[:last], ", "), texts[last])

	return []spec.Problem{{Path: path, Text: text}}
}

func architectureProblems(name string) []spec.Problem {
	if name == "" || goArchitectures[name] != "" {
		return nil
	}
	text := fmt.Sprintf("is %q: use Architecture_ARM_64 or Architecture_X86_64", name)
	return []spec.Problem{{Path: "Architecture", Text: text}}
}

func setAsideProblems(s sizes) []spec.Problem {
	if problems := s.durationProblems("SetAsideAfter", setAsideRange, s.setAsideSeconds); problems != nil {
		return problems
	}
	return s.tooLate("SetAsideAfter", s.setAsideSeconds,
		"the event source mapping would give up on the records before a target is set aside")
}

// tooLate says that something happens only after the event source mapping has given up on
// the records. It says nothing while MaxRecordAge has a problem of its own.
func (s sizes) tooLate(path string, n *float64, consequence string) []spec.Problem {
	age := s.recordAge()
	if n == nil || *n < age || len(s.durationProblems("MaxRecordAge", recordAgeRange, s.recordAgeSeconds)) > 0 {
		return nil
	}

	text := fmt.Sprintf("is %s s, and MaxRecordAge %s s: %s; set less than MaxRecordAge",
		decimal(*n), decimal(age), consequence)
	return []spec.Problem{{Path: path, Text: text}}
}

// lateProblems says that the default of SetAsideAfter is too late for the last target of r,
// where there are others. A value of the props has been checked with the first target, which
// alone is never set aside.
func lateProblems(r replication) []spec.Problem {
	if len(r.Targets) == 1 || r.SetAsideSeconds != 0 || r.recordAge > spec.DefaultSetAsideSeconds {
		return nil
	}

	text := fmt.Sprintf("is not the only target, and SetAsideAfter is %d s by default, and MaxRecordAge %s s: "+
		"the event source mapping would give up on the records before a target is set aside; "+
		"set SetAsideAfter to less than MaxRecordAge", spec.DefaultSetAsideSeconds, decimal(r.recordAge))
	return []spec.Problem{{Path: r.names[len(r.names)-1], Text: text}}
}

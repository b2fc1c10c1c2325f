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
// the sizes that only the CDK can read from props.
func validate(props *ReplicatedTableProps, s sizes) []spec.Problem {
	if props == nil {
		return []spec.Problem{{Path: "props", Text: "are nil: Source and Target are required"}}
	}

	replication := toSpec(props)
	incomplete := slices.Concat(keyProblems("Source", props.Source), keyProblems("Target", props.Target))
	return slices.Concat(
		incomplete,
		specProblems(replication, len(incomplete) == 0),
		versionProblems(props),
		tokenProblems(replication.Targets[0]),
		memoryRange.problems("MemorySize", s.memoryMiB),
		timeoutRange.problems("Timeout", s.timeoutSeconds),
		batchSizeRange.problems("BatchSize", s.batchSize),
		removalPolicyProblems(props.RemovalPolicy),
		environmentProblems(replication),
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

// keyProblems lists the missing parts of one key schema.
func keyProblems(path string, k *KeySchema) []spec.Problem {
	if k == nil {
		text := fmt.Sprintf("is nil: set it to the key schema of the %s table", strings.ToLower(path))
		return []spec.Problem{{Path: path, Text: text}}
	}

	problems := nameProblems(path+".PartitionKey", k.PartitionKey)
	if k.SortKey != nil {
		problems = append(problems, nameProblems(path+".SortKey", k.SortKey)...)
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
	default:
		return nil
	}
}

// keyless are the props whose rules do not depend on the keys.
var keyless = []string{"Projection", "Filter", "ExpiredItems"}

// specProblems lists the problems of the spec under the names of the props. While
// a key schema is incomplete, rules that compare keys would only repeat that in
// other words. So then it lists the problems of the keyless props alone.
func specProblems(replication spec.Spec, keysComplete bool) []spec.Problem {
	var problems []spec.Problem
	for _, p := range replication.Problems() {
		p.Path = propPath(p.Path)
		prop, _, _ := strings.Cut(p.Path, ".")
		if keysComplete || slices.Contains(keyless, prop) {
			problems = append(problems, p)
		}
	}
	return problems
}

// propPath is the prop behind a field of the spec. A target of the spec is several
// props: its key schema is Target, and its other fields are props beside Target.
func propPath(field string) string {
	name, ofTarget := strings.CutPrefix(field, "Targets[0].")
	if ofTarget && (name == "PartitionKey" || name == "SortKey") {
		return "Target." + name
	}
	return name
}

// versionProblems lists the contradictions between the props that ask for
// versions: in the spec, who asked can no longer be seen.
func versionProblems(props *ReplicatedTableProps) []spec.Problem {
	var problems []spec.Problem
	add := func(path, format string, args ...any) {
		problems = append(problems, spec.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}

	guarded, hasPolicy, name := isGuarded(props), props.OnKeyCollision != "", props.VersionAttribute
	if guarded && hasPolicy {
		add("VersionGuard", "is set, and so is OnKeyCollision, which guards every write too: set only one of them")
	}
	if !guarded && !hasPolicy && name != nil {
		add("VersionAttribute", "%q is set without OnKeyCollision or VersionGuard: "+
			"nothing writes versions; remove it", *name)
	}
	if guarded && !hasPolicy && name != nil && *name == "" {
		add("VersionAttribute", "is empty: VersionGuard needs an attribute for the version")
	}

	return problems
}

func removalPolicyProblems(p awscdk.RemovalPolicy) []spec.Problem {
	switch p {
	case "", awscdk.RemovalPolicy_RETAIN, awscdk.RemovalPolicy_DESTROY,
		awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE:
		return nil
	default:
		text := fmt.Sprintf("is %q: use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE", p)
		return []spec.Problem{{Path: "RemovalPolicy", Text: text}}
	}
}

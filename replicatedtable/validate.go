package replicatedtable

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// A size range of AWS. Values are whole numbers of the unit.
type sizeRange struct {
	min, max float64
	unit     string
}

var (
	// Source: AWS Lambda Developer Guide, "Lambda quotas", memory allocation.
	memoryRange = sizeRange{128, 10240, " MiB"}

	// The maximum is from AWS Lambda Developer Guide, "Lambda quotas", function
	// timeout. Lambda would take 1 second; but the function keeps at least the
	// last 2 seconds free, so below 10 it would lose more than a fifth of its
	// time, and a single slow request could leave it none.
	timeoutRange = sizeRange{10, 900, " s"}

	// Source: AWS Lambda API Reference, CreateEventSourceMapping, BatchSize for
	// DynamoDB Streams.
	batchSizeRange = sizeRange{1, 10000, " records"}
)

const (
	// maxEnvironmentBytes is what all environment variables of a function may
	// need together. Source: AWS Lambda Developer Guide, "Lambda quotas",
	// environment variables.
	maxEnvironmentBytes = 4096

	// maxTableNameBytes is the longest name a table can have. Source: Amazon
	// DynamoDB Developer Guide, "Quotas", naming rules.
	maxTableNameBytes = 255

	// maxQueueURLBytes is more than the URL of a queue has: a name of at most 80
	// characters (Amazon SQS Developer Guide, "Amazon SQS queue quotas") after
	// the endpoint and the account.
	maxQueueURLBytes = 160
)

// validate turns props into what the function is told, and lists every rule
// they break.
func validate(props *ReplicatedTableProps, s sizes) (spec.Spec, []spec.Problem) {
	if props == nil {
		return spec.Spec{}, []spec.Problem{{Path: "props", Text: "are nil: Source and Target are required"}}
	}
	mapping := toSpec(props)
	problems := append(keyProblems("Source", props.Source), keyProblems("Target", props.Target)...)
	problems = append(problems, mappingProblems(mapping, len(problems) == 0)...)
	problems = append(problems, versionProblems(props)...)
	problems = append(problems, literalProblems(mapping.Targets[0])...)
	problems = append(problems, memoryRange.problems("MemorySize", s.memoryMiB)...)
	problems = append(problems, timeoutRange.problems("Timeout", s.timeoutSeconds)...)
	problems = append(problems, batchSizeRange.problems("BatchSize", s.batchSize)...)
	problems = append(problems, removalPolicyProblems(props.RemovalPolicy)...)
	problems = append(problems, environmentProblems(mapping)...)
	return mapping, problems
}

// message is the text of all problems of the construct at path, one per line.
func message(path string, problems []spec.Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprintf("%s: %s", path, p)
	}
	return strings.Join(lines, "\n")
}

// toSpec converts props as they are, sound or not: what is nil becomes a zero
// value, which the rules refuse. For what only deployment knows there are texts
// that are as long as it can be, and different ones for the two tables.
func toSpec(props *ReplicatedTableProps) spec.Spec {
	target := spec.Target{
		Table:          spec.Table{TableName: strings.Repeat("x", maxTableNameBytes), KeySchema: toKeySchema(props.Target)},
		Projection:     spec.Projection{Type: spec.All},
		OnKeyCollision: spec.OnKeyCollision(props.OnKeyCollision),

		WriteBrakeDisabled: props.WriteBrake != nil && !*props.WriteBrake,
	}
	if props.Filter != nil {
		filter := props.Filter.toSpec()
		target.Filter = &filter
	}
	if props.ExpiredItems != ExpiredItems_DELETE {
		target.ExpiredItems = spec.ExpiredItems(props.ExpiredItems)
	}
	if props.KeySources != nil {
		target.KeySources = map[string]spec.KeySource{}
		for name, source := range *props.KeySources {
			if source == nil {
				source = keySource{}
			}
			target.KeySources[name] = source.toSpec(toKeySchema(props.Source))
		}
	}
	if p := props.Projection; p != nil {
		target.Projection = spec.Projection{Type: spec.ProjectionType(p.Type), Attributes: toStrings(p.Attributes)}
		if p.Renames != nil {
			target.Projection.Renames = map[string]string{}
			for from, to := range *p.Renames {
				target.Projection.Renames[from] = toString(to)
			}
		}
	}
	switch {
	case props.VersionAttribute != nil:
		target.VersionAttribute = *props.VersionAttribute
	case props.OnKeyCollision == OnKeyCollision_LAST_WRITER_WINS, guards(props):
		target.VersionAttribute = spec.DefaultVersionAttribute
	}
	return spec.Spec{
		Source:          spec.Table{TableName: strings.Repeat("s", maxTableNameBytes), KeySchema: toKeySchema(props.Source)},
		Targets:         []spec.Target{target},
		FailureQueueURL: strings.Repeat("x", maxQueueURLBytes),
	}
}

// guards reports whether the version guard of unique mappings is asked for.
func guards(props *ReplicatedTableProps) bool {
	return props.VersionGuard != nil && *props.VersionGuard
}

func toKeySchema(k *KeySchema) spec.KeySchema {
	if k == nil {
		return spec.KeySchema{}
	}
	schema := spec.KeySchema{PartitionKey: toAttribute(k.PartitionKey)}
	if k.SortKey != nil {
		sortKey := toAttribute(k.SortKey)
		schema.SortKey = &sortKey
	}
	return schema
}

// attributeTypes has no entry for what is no type: that becomes the empty type,
// which the rules refuse.
var attributeTypes = map[awsdynamodb.AttributeType]spec.AttributeType{
	awsdynamodb.AttributeType_STRING: spec.String,
	awsdynamodb.AttributeType_NUMBER: spec.Number,
	awsdynamodb.AttributeType_BINARY: spec.Binary,
}

func toAttribute(a *awsdynamodb.Attribute) spec.Attribute {
	if a == nil {
		return spec.Attribute{}
	}
	return spec.Attribute{Name: toString(a.Name), Type: attributeTypes[a.Type]}
}

func toStrings(list *[]*string) []string {
	if list == nil {
		return nil
	}
	names := make([]string, len(*list))
	for i, name := range *list {
		names[i] = toString(name)
	}
	return names
}

func toString(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// keyProblems lists what is missing from one key schema.
func keyProblems(path string, k *KeySchema) []spec.Problem {
	if k == nil {
		return []spec.Problem{{Path: path, Text: "is nil: give the key schema of the " + strings.ToLower(path) + " table"}}
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
		return []spec.Problem{{Path: path, Text: tokenText(*a.Name)}}
	default:
		return nil
	}
}

// keyless are the props whose rules hold whatever the keys are.
var keyless = []string{"Projection", "Filter", "ExpiredItems"}

// mappingProblems lists the rules of the mapping itself, under the names of the
// props. While a key schema is incomplete, rules that compare keys would only
// repeat that in other words, so only those of the keyless props are checked.
func mappingProblems(mapping spec.Spec, keysComplete bool) []spec.Problem {
	var problems []spec.Problem
	for _, p := range mapping.Problems() {
		p.Path = propPath(p.Path)
		prop, _, _ := strings.Cut(p.Path, ".")
		if keysComplete || slices.Contains(keyless, prop) {
			problems = append(problems, p)
		}
	}
	return problems
}

// propPath is the prop behind a field of the spec. A spec's target is several
// props: its key schema is Target, the rest lies beside it.
func propPath(field string) string {
	name, ofTarget := strings.CutPrefix(field, "Targets[0].")
	switch {
	case ofTarget && (name == "PartitionKey" || name == "SortKey"):
		return "Target." + name
	default:
		return name
	}
}

// versionProblems lists what is wrong about who asks for versions: the spec only
// shows that somebody does.
func versionProblems(props *ReplicatedTableProps) []spec.Problem {
	var problems []spec.Problem
	add := func(path, format string, args ...any) {
		problems = append(problems, spec.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	guarded, decided, named := guards(props), props.OnKeyCollision != "", props.VersionAttribute
	if guarded && decided {
		add("VersionGuard", "is set and so is OnKeyCollision, which guards every write too: set one of them")
	}
	if !guarded && !decided && named != nil {
		add("VersionAttribute", "%q is set without OnKeyCollision or VersionGuard: nothing writes versions; remove it", *named)
	}
	if guarded && !decided && named != nil && *named == "" {
		add("VersionAttribute", "is empty: VersionGuard needs an attribute for the version")
	}
	return problems
}

// literalProblems lists the names and values beside the key schemas that are
// tokens.
func literalProblems(t spec.Target) []spec.Problem {
	var problems []spec.Problem
	check := func(path string, texts ...string) {
		for _, text := range texts {
			if isToken(text) {
				problems = append(problems, spec.Problem{Path: path, Text: tokenText(text)})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.KeySources)) {
		source := t.KeySources[name]
		check("KeySources", append(slices.Concat(source.Parts...), name, source.Separator)...)
	}
	check("Projection", t.Projection.Attributes...)
	for _, from := range slices.Sorted(maps.Keys(t.Projection.Renames)) {
		check("Projection", from, t.Projection.Renames[from])
	}
	if t.Filter != nil {
		check("Filter", literals(*t.Filter)...)
	}
	check("VersionAttribute", t.VersionAttribute)
	return problems
}

// literals lists every name and value in a condition.
func literals(c spec.Condition) []string {
	texts := slices.Clone(c.Path)
	for _, v := range c.Values {
		texts = append(texts, v.Text)
	}
	for _, sub := range slices.Concat(c.All, c.Any) {
		texts = append(texts, literals(sub)...)
	}
	return texts
}

// isToken recognises the text that stands for a string, or for a list of
// strings, that only deployment knows. Source: aws-cdk-lib,
// core/lib/private/encoding.ts.
func isToken(name string) bool {
	return strings.Contains(name, "${Token[") || strings.HasPrefix(name, "#{Token[")
}

func tokenText(name string) string {
	return fmt.Sprintf("%q is a token: names and values of the mapping must be known at synthesis; write it out", name)
}

func (r sizeRange) problems(path string, n *float64) []spec.Problem {
	if n == nil || *n >= r.min && *n <= r.max && *n == math.Trunc(*n) {
		return nil
	}
	text := fmt.Sprintf("is %s%s: set a whole number from %s to %s", decimal(*n), r.unit, decimal(r.min), decimal(r.max))
	return []spec.Problem{{Path: path, Text: text}}
}

// decimal writes n without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func removalPolicyProblems(p awscdk.RemovalPolicy) []spec.Problem {
	switch p {
	case "", awscdk.RemovalPolicy_RETAIN, awscdk.RemovalPolicy_DESTROY, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE:
		return nil
	default:
		text := fmt.Sprintf("is %q: use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE", p)
		return []spec.Problem{{Path: "RemovalPolicy", Text: text}}
	}
}

// environmentProblems checks that the mapping fits into the function's
// environment, and says which part of it takes how much.
func environmentProblems(mapping spec.Spec) []spec.Problem {
	size := environmentBytes(mapping)
	if size <= maxEnvironmentBytes {
		return nil
	}
	without := func(change func(*spec.Target)) int {
		target := mapping.Targets[0]
		change(&target)
		return environmentBytes(spec.Spec{Source: mapping.Source, Targets: []spec.Target{target}, FailureQueueURL: mapping.FailureQueueURL})
	}
	projection := size - without(func(t *spec.Target) { t.Projection.Attributes, t.Projection.Renames = nil, nil })
	filter := size - without(func(t *spec.Target) { t.Filter = nil })
	sources := size - without(func(t *spec.Target) { t.KeySources = nil })
	p := mapping.Targets[0].Projection
	text := fmt.Sprintf("need %d bytes of the function's environment with table names of %d: Lambda's limit is %d; "+
		"shorten the attribute names, or what Projection lists (%d names, %d bytes now), KeySources name (%d bytes now) or Filter asks (%d bytes now)",
		size, maxTableNameBytes, maxEnvironmentBytes, len(p.Attributes)+len(p.Renames), projection, sources, filter)
	return []spec.Problem{{Path: "Source, Target, KeySources, Projection and Filter", Text: text}}
}

// environmentBytes measures the environment as Lambda does: as one JSON object,
// as its refusal quotes it after "String measured". So every quote inside a value
// counts twice. The memory is one with which no environment is longer.
func environmentBytes(mapping spec.Spec) int {
	return len(encode(environment(mapping, spec.MebibytesPerProcessor-1)))
}

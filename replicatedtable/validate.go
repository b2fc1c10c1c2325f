package replicatedtable

import (
	"encoding/json"
	"fmt"
	"math"
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
)

// validate turns props into what the function is told, and lists every rule
// they break. The target table's name is not known yet: the longest possible
// name stands in for it.
func validate(props *ReplicatedTableProps, s sizes) (spec.Spec, []spec.Problem) {
	if props == nil {
		return spec.Spec{}, []spec.Problem{{Path: "props", Text: "are nil: Source and Target are required"}}
	}
	mapping := toSpec(props)
	problems := append(keyProblems("Source", props.Source), keyProblems("Target", props.Target)...)
	problems = append(problems, mappingProblems(mapping, len(problems) == 0)...)
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
// value, which the rules refuse.
func toSpec(props *ReplicatedTableProps) spec.Spec {
	target := spec.Target{
		TableName:      strings.Repeat("x", maxTableNameBytes),
		KeySchema:      toKeySchema(props.Target),
		Projection:     spec.Projection{Type: spec.All},
		OnKeyCollision: spec.OnKeyCollision(props.OnKeyCollision),
	}
	if p := props.Projection; p != nil {
		target.Projection = spec.Projection{Type: spec.ProjectionType(p.Type), Attributes: toStrings(p.Attributes)}
	}
	switch {
	case props.VersionAttribute != nil:
		target.VersionAttribute = *props.VersionAttribute
	case props.OnKeyCollision == OnKeyCollision_LAST_WRITER_WINS:
		target.VersionAttribute = spec.DefaultVersionAttribute
	}
	return spec.Spec{Source: toKeySchema(props.Source), Targets: []spec.Target{target}}
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

// mappingProblems lists the rules of the mapping itself, under the names of the
// props. While a key schema is incomplete, rules that compare keys would only
// repeat that in other words, so all but the projection's wait.
func mappingProblems(mapping spec.Spec, keysComplete bool) []spec.Problem {
	var problems []spec.Problem
	for _, p := range mapping.Problems() {
		p.Path = propPath(p.Path)
		if keysComplete || p.Path == "Projection" {
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

// literalProblems lists the names beside the key schemas that are tokens.
func literalProblems(t spec.Target) []spec.Problem {
	var problems []spec.Problem
	for _, name := range t.Projection.Attributes {
		if isToken(name) {
			problems = append(problems, spec.Problem{Path: "Projection", Text: tokenText(name)})
		}
	}
	if isToken(t.VersionAttribute) {
		problems = append(problems, spec.Problem{Path: "VersionAttribute", Text: tokenText(t.VersionAttribute)})
	}
	return problems
}

// isToken recognises the text that stands for a string, or for a list of
// strings, that only deployment knows. Source: aws-cdk-lib,
// core/lib/private/encoding.ts.
func isToken(name string) bool {
	return strings.Contains(name, "${Token[") || strings.HasPrefix(name, "#{Token[")
}

func tokenText(name string) string {
	return fmt.Sprintf("%q is a token: attribute names decide at synthesis whether the mapping is sound; write the name itself", name)
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

// environmentProblems measures the environment as Lambda does: as one JSON
// object, as its refusal quotes it after "String measured". So every quote
// inside a value counts twice.
func environmentProblems(mapping spec.Spec) []spec.Problem {
	measured, err := json.Marshal(environment(mapping))
	if err != nil {
		panic(fmt.Sprintf("replicatedtable: an environment holds only strings, encoding it cannot fail: %v", err))
	}
	if len(measured) <= maxEnvironmentBytes {
		return nil
	}
	names := mapping.Targets[0].Projection.Attributes
	text := fmt.Sprintf("need %d bytes of the function's environment with a table name of %d: Lambda's limit is %d; "+
		"shorten the attribute names, or list fewer in Projection (%d names, %d bytes now)",
		len(measured), maxTableNameBytes, maxEnvironmentBytes, len(names), len(strings.Join(names, "")))
	return []spec.Problem{{Path: "Source, Target and Projection", Text: text}}
}

package replicatedtable

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// sameTableProblems says that the last target of r is a table that r has already. The names
// of tables are compared by the rules of the spec; here they are tokens.
func sameTableProblems(r replication) []spec.Problem {
	last := len(r.tables) - 1
	table := r.tables[last]
	first := slices.Index(r.tables, table)
	if table == "" || first == last || r.last().TableName != "" {
		return nil
	}

	text := fmt.Sprintf("is %s, which is the source table: give the target a table of its own", table)
	if first > 0 {
		text = fmt.Sprintf("is %s, which is the table of %s already: give each target a table of its own",
			table, r.names[first-1])
	}
	return []spec.Problem{{Path: r.names[last-1] + ".Table", Text: text}}
}

// tableProblems lists what is wrong with the table of a source or a target called name,
// whose key is keys, for a ReplicatedTable in p.
func (e *existingTable) tableProblems(
	p place, name string, keys spec.KeySchema, settings *awsdynamodb.TablePropsV2,
) []spec.Problem {
	if e == nil {
		return p.settingsProblems(name, settings)
	}

	var problems []spec.Problem
	add := func(path, format string, args ...any) {
		problems = append(problems, spec.Problem{Path: name + path, Text: fmt.Sprintf(format, args...)})
	}
	for _, problem := range e.problems {
		add(".Table", "%s", problem)
	}
	if settings != nil {
		add(".TableProps", "are settings of a new table, and Table is %s: "+
			"leave one of them out; the settings of an existing table are where it is defined", e.path)
	}
	if e.keys != nil {
		for _, d := range differences(keys, *e.keys) {
			add(d.Path, "%s of Table %s: write the table's own key", d.Text, e.path)
		}
	}

	return problems
}

// differences lists the attributes in which a key schema differs from a table's.
func differences(said, of spec.KeySchema) []spec.Problem {
	var problems []spec.Problem
	compare := func(path string, said, of *spec.Attribute) {
		switch {
		case said != nil && said.Name == "": // another rule says so
		case said == nil && of != nil:
			problems = append(problems, spec.Problem{Path: path, Text: "is not set, and " + describe(of) + " in the key"})
		case said != nil && of == nil:
			problems = append(problems, spec.Problem{Path: path, Text: "is " + describe(said) + ", and not in the key"})
		case said != nil && *said != *of:
			problems = append(problems, spec.Problem{Path: path, Text: "is " + describe(said) + ", and " + describe(of) + " in the key"})
		}
	}
	compare(".PartitionKey", &said.PartitionKey, &of.PartitionKey)
	compare(".SortKey", said.SortKey, of.SortKey)

	return problems
}

func describe(a *spec.Attribute) string { return fmt.Sprintf("%q of type %s", a.Name, a.Type) }

// sourceStreamProblems lists what keeps a source table's stream from being read.
func (e *existingTable) sourceStreamProblems(name string) []spec.Problem {
	const (
		wanted = string(awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES)
		remedy = "aws dynamodb update-table --table-name %s " +
			"--stream-specification StreamEnabled=true,StreamViewType=" + wanted
	)
	if e == nil {
		return nil
	}

	command := fmt.Sprintf(remedy, cmp.Or(e.name, "NAME"))
	var text string
	switch {
	case e.isDefined && !e.hasStream:
		text = fmt.Sprintf("has no stream: set its stream to %s where %s is defined "+
			"(outside of CloudFormation: %s)", wanted, e.path, command)
	case e.isDefined && e.view != "" && e.view != wanted:
		text = fmt.Sprintf("has a stream with the view type %s: only %s shows that a key changed. "+
			"A stream's view type cannot be changed: disable the stream where %s is defined, deploy, "+
			"and enable it with the other view type (outside of CloudFormation: "+
			"--stream-specification StreamEnabled=false first, then %s)", e.view, wanted, e.path, command)
	case !e.isDefined && e.streamARN == "":
		text = "is imported without its stream's ARN: import it with Table_FromTableAttributes and TableStreamArn. " +
			"If it has no stream, enable one: " + command
	case !e.isDefined:
		text = e.streamARNProblem()
	}
	if text == "" {
		return nil
	}

	return []spec.Problem{{Path: name + ".Table", Text: text}}
}

// streamARN is the form of a stream's ARN. Source: Service Authorization Reference,
// "Resource types defined by Amazon DynamoDB".
var streamARN = regexp.MustCompile(`^arn:[^:]+:dynamodb:[^:]+:[^:]+:table/([^/]+)/stream/[^/*]+$`)

// streamARNProblem says that an imported table's stream ARN, as far as synthesis knows it,
// is none, or is that of another table. It is empty if there is no problem.
func (e *existingTable) streamARNProblem() string {
	const remedy = `"aws dynamodb describe-table" shows it as LatestStreamArn`
	parts := streamARN.FindStringSubmatch(e.streamARN)
	switch {
	case strings.HasSuffix(e.streamARN, "/stream/*"):
		return "has the stream ARN .../stream/*, as a replica has in the CDK, and only one stream can be read: " +
			"import the table with Table_FromTableAttributes and TableStreamArn; " + remedy
	case isToken(e.streamARN):
		return ""
	case parts == nil:
		return fmt.Sprintf("has the stream ARN %q: set TableStreamArn to "+
			"arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME; %s", e.streamARN, remedy)
	case e.name != "" && parts[1] != e.name:
		return fmt.Sprintf("is the table %s, and has the stream of the table %s: set TableStreamArn to its own; %s",
			e.name, parts[1], remedy)
	default:
		return ""
	}
}

// newTableName is the form of a table's name. Source: Amazon DynamoDB Developer Guide,
// "Supported data types and naming rules".
var newTableName = regexp.MustCompile(fmt.Sprintf(`^[a-zA-Z0-9_.-]{3,%d}$`, maxTableNameBytes))

// settingsProblems lists the settings of a new table that the construct sets itself, and
// those that the CDK accepts and cannot be deployed.
func (p place) settingsProblems(name string, settings *awsdynamodb.TablePropsV2) []spec.Problem {
	if settings == nil {
		return nil
	}

	var problems []spec.Problem
	refuse := func(isSet bool, field, remedy string) {
		if isSet {
			problems = append(problems, spec.Problem{Path: name + ".TableProps." + field, Text: "is set: " + remedy})
		}
	}
	refuse(settings.PartitionKey != nil, "PartitionKey", "set "+name+".PartitionKey instead")
	refuse(settings.SortKey != nil, "SortKey", "set "+name+".SortKey instead")
	refuse(name == "Source" && settings.DynamoStream != "", "DynamoStream",
		"leave it out; the source table always has a stream with NEW_AND_OLD_IMAGES")
	if encryption := settings.Encryption; encryption != nil {
		if problem := keyProblem(encryption.TableKey()); problem != "" {
			problems = append(problems, spec.Problem{Path: name + ".TableProps.Encryption", Text: problem})
		}
		// The CDK would find out only when it writes the template.
		if p.hasNoRegion && encryption.Type() == awsdynamodb.TableEncryption_CUSTOMER_MANAGED {
			problems = append(problems, spec.Problem{Path: name + ".TableProps.Encryption", Text: "is a customer key, " +
				"and the Region of the stack is not known: set Env in the StackProps, with its Region"})
		}
	}
	if n := settings.TableName; n != nil && !isToken(*n) && !newTableName.MatchString(*n) {
		problems = append(problems, spec.Problem{Path: name + ".TableProps.TableName", Text: fmt.Sprintf(
			"is %q: use 3 to %d letters, digits, underscores, hyphens and dots", *n, maxTableNameBytes)})
	}
	for _, number := range nonFinite(reflect.ValueOf(settings), name+".TableProps") {
		problems = append(problems, spec.Problem{Path: number, Text: "is no finite number: set one, or leave it out"})
	}
	for _, problem := range removalPolicyProblems(settings.RemovalPolicy) {
		problems = append(problems, spec.Problem{Path: name + ".TableProps." + problem.Path, Text: problem.Text})
	}

	return problems
}

// nonFinite lists the paths of the numbers in settings at path that JSON cannot express. They
// would end the CDK's process. What is behind an interface is a construct of the CDK.
func nonFinite(settings reflect.Value, path string) []string {
	var paths []string
	switch settings.Kind() {
	case reflect.Pointer:
		return nonFinite(settings.Elem(), path)
	case reflect.Struct:
		for i := range settings.NumField() {
			paths = append(paths, nonFinite(settings.Field(i), path+"."+settings.Type().Field(i).Name)...)
		}
	case reflect.Slice:
		for i := range settings.Len() {
			paths = append(paths, nonFinite(settings.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Float64:
		if n := settings.Float(); math.IsNaN(n) || math.IsInf(n, 0) {
			return []string{path}
		}
	default:
	}

	return paths
}

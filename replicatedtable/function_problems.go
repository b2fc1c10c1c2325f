package replicatedtable

import (
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// functionProblems lists the rules that the function's settings break.
func functionProblems(props *ReplicatedTableProps, s sizes) []spec.Problem {
	return slices.Concat(
		nameAndDescriptionProblems(props),
		memoryRange.problems("MemorySize", s.memoryMiB),
		timeoutRange.problems("Timeout", s.timeoutSeconds),
		variableProblems(props.Environment),
		layerProblems(props.Layers),
		choiceProblems("Tracing", props.Tracing,
			awslambda.Tracing_ACTIVE, awslambda.Tracing_PASS_THROUGH, awslambda.Tracing_DISABLED),
		vpcProblems(props, s.subnetProblems),
		reservedRange.problems("ReservedConcurrentExecutions", s.reservedExecutions),
		logProblems(props),
	)
}

// The limits of a function's name and description. Source: AWS Lambda API Reference,
// CreateFunction.
const maxDescriptionLength = 256

var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

func nameAndDescriptionProblems(props *ReplicatedTableProps) []spec.Problem {
	var problems []spec.Problem
	if name := props.FunctionName; name != nil && !isToken(*name) && !functionName.MatchString(*name) {
		problems = append(problems, spec.Problem{Path: "FunctionName", Text: fmt.Sprintf(
			"is %q: use 1 to 64 letters, digits, hyphens and underscores", *name)})
	}
	if text := props.Description; text != nil && !isToken(*text) {
		if length := utf8.RuneCountInString(*text); length > maxDescriptionLength {
			problems = append(problems, spec.Problem{Path: "Description", Text: fmt.Sprintf(
				"has %d characters: shorten it to %d", length, maxDescriptionLength)})
		}
	}

	return problems
}

// reservedVariables are the variables that only Lambda sets. Source: AWS Lambda Developer
// Guide, "Working with Lambda environment variables", defined runtime environment
// variables. Two more begin with an underscore, which no name may.
var reservedVariables = []string{
	"AWS_ACCESS_KEY",
	"AWS_ACCESS_KEY_ID",
	"AWS_DEFAULT_REGION",
	"AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"LAMBDA_RUNTIME_DIR",
	"LAMBDA_TASK_ROOT",
}

// variableName is from AWS Lambda API Reference, Environment.
var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

func variableProblems(environment *map[string]*string) []spec.Problem {
	if environment == nil {
		return nil
	}

	var problems []spec.Problem
	for _, name := range sortedKeys(*environment) {
		var text string
		switch {
		case name == spec.EnvironmentVariable:
			text = "holds the function's configuration: leave it out"
		case slices.Contains(reservedVariables, name):
			text = "is set by Lambda alone: choose another name"
		case !variableName.MatchString(name):
			text = "is not a name for Lambda: use at least two letters, digits and underscores, a letter first"
		case (*environment)[name] == nil:
			text = "is nil: set a value, or leave it out"
		default:
			continue
		}
		problems = append(problems, spec.Problem{Path: fmt.Sprintf("Environment[%q]", name), Text: text})
	}

	return problems
}

// maxLayers is one less than Lambda allows: the mapping may need a layer. Source: AWS
// Lambda Developer Guide, "Lambda quotas", function layers.
const maxLayers = 5 - 1

func layerProblems(layers *[]awslambda.ILayerVersion) []spec.Problem {
	if layers == nil {
		return nil
	}

	problems := nilProblems("Layers", *layers)
	if count := len(*layers); count > maxLayers {
		problems = append(problems, spec.Problem{Path: "Layers", Text: fmt.Sprintf(
			"are %d: use at most %d; Lambda allows one more, which the mapping may need", count, maxLayers)})
	}
	return problems
}

// nilProblems lists the elements of a list of constructs that are nil.
func nilProblems[T comparable](path string, list []T) []spec.Problem {
	var problems []spec.Problem
	for i, element := range list {
		if element == *new(T) {
			problems = append(problems, spec.Problem{Path: fmt.Sprintf("%s[%d]", path, i), Text: "is nil: leave it out"})
		}
	}
	return problems
}

func vpcProblems(props *ReplicatedTableProps, ofSubnets []spec.Problem) []spec.Problem {
	var problems []spec.Problem
	add := func(path, text string) { problems = append(problems, spec.Problem{Path: path, Text: text}) }
	if props.Vpc == nil && props.VpcSubnets != nil {
		add("VpcSubnets", "is set, and Vpc is not: set the Vpc that has the subnets, or leave it out")
	}
	if props.Vpc == nil && props.SecurityGroups != nil {
		add("SecurityGroups", "are set, and Vpc is not: set the Vpc that has the groups, or leave them out")
	}
	problems = append(problems, ofSubnets...)
	if groups := props.SecurityGroups; groups != nil {
		if len(*groups) == 0 {
			add("SecurityGroups", "are an empty list: name at least one, or leave them out for a new one")
		}
		problems = append(problems, nilProblems("SecurityGroups", *groups)...)
	}

	return problems
}

// retentions are the times for which CloudWatch Logs can keep logs. Source: the CDK's
// RetentionDays.
var retentions = []awslogs.RetentionDays{
	awslogs.RetentionDays_ONE_DAY, awslogs.RetentionDays_THREE_DAYS, awslogs.RetentionDays_FIVE_DAYS,
	awslogs.RetentionDays_ONE_WEEK, awslogs.RetentionDays_TWO_WEEKS, awslogs.RetentionDays_ONE_MONTH,
	awslogs.RetentionDays_TWO_MONTHS, awslogs.RetentionDays_THREE_MONTHS, awslogs.RetentionDays_FOUR_MONTHS,
	awslogs.RetentionDays_FIVE_MONTHS, awslogs.RetentionDays_SIX_MONTHS, awslogs.RetentionDays_ONE_YEAR,
	awslogs.RetentionDays_THIRTEEN_MONTHS, awslogs.RetentionDays_EIGHTEEN_MONTHS, awslogs.RetentionDays_TWO_YEARS,
	awslogs.RetentionDays_THREE_YEARS, awslogs.RetentionDays_FIVE_YEARS, awslogs.RetentionDays_SIX_YEARS,
	awslogs.RetentionDays_SEVEN_YEARS, awslogs.RetentionDays_EIGHT_YEARS, awslogs.RetentionDays_NINE_YEARS,
	awslogs.RetentionDays_TEN_YEARS, awslogs.RetentionDays_INFINITE,
}

func logProblems(props *ReplicatedTableProps) []spec.Problem {
	problems := slices.Concat(
		choiceProblems("LogLevel", props.LogLevel, awslambda.ApplicationLogLevel_DEBUG,
			awslambda.ApplicationLogLevel_INFO, awslambda.ApplicationLogLevel_WARN, awslambda.ApplicationLogLevel_ERROR),
		choiceProblems("LoggingFormat", props.LoggingFormat, awslambda.LoggingFormat_TEXT, awslambda.LoggingFormat_JSON),
		choiceProblems("SystemLogLevel", props.SystemLogLevel,
			awslambda.SystemLogLevel_DEBUG, awslambda.SystemLogLevel_INFO, awslambda.SystemLogLevel_WARN),
	)
	if props.SystemLogLevel != "" && props.LoggingFormat == awslambda.LoggingFormat_TEXT {
		problems = append(problems, spec.Problem{Path: "SystemLogLevel", Text: "is set, and LoggingFormat is TEXT: " +
			"Lambda filters only JSON; leave one of them out"})
	}
	if props.LogRetention != "" && !slices.Contains(retentions, props.LogRetention) {
		problems = append(problems, spec.Problem{Path: "LogRetention", Text: fmt.Sprintf(
			"is %q: use one of the constants RetentionDays_ONE_DAY to RetentionDays_INFINITE of awslogs", props.LogRetention)})
	}
	if props.LogGroup != nil && props.LogRetention != "" {
		problems = append(problems, spec.Problem{Path: "LogRetention", Text: "is set, and LogGroup too: " +
			"leave one of them out; the retention of an existing log group is where it is defined"})
	}

	return problems
}

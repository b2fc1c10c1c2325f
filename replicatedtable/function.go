package replicatedtable

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newFunction defines the function that runs the replicator. The CDK makes it wait
// for the role and every policy attached to the role.
func newFunction(t *replicatedTable, props ReplicatedTableProps, code awslambda.Code) awslambda.Function {
	variables := map[string]*string{}
	for name, value := range t.replication.variables(mebibytesOf(props.MemorySize)) {
		variables[name] = &value
	}

	settings := commonSettings(props)
	settings.FunctionName = props.FunctionName
	settings.Description = props.Description
	settings.Code = code
	settings.MemorySize = props.MemorySize
	settings.Timeout = props.Timeout
	settings.Environment = &variables
	settings.Layers = props.Layers
	settings.Role = t.role
	settings.LogGroup = t.logGroup
	settings.ReservedConcurrentExecutions = props.ReservedConcurrentExecutions

	function := awslambda.NewFunction(t, jsii.String("Function"), settings)
	setTracing(function, props.Tracing)
	if t.rolePolicy != nil {
		// The event source mapping refers to the function, and so waits for the policy too.
		function.Node().AddDependency(t.rolePolicy)
	}
	return function
}

// mebibytesOf returns the memory of a function, 0 for a token, whose value only deployment knows.
func mebibytesOf(memory *float64) int {
	if n := known(memory); n != nil {
		return int(*n)
	}
	return 0
}

// commonSettings are those that the function has in common with that of a reconciler.
func commonSettings(props ReplicatedTableProps) *awslambda.FunctionProps {
	settings := &awslambda.FunctionProps{
		Handler:          jsii.String("bootstrap"),
		Runtime:          awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:     props.Architecture,
		Vpc:              props.Vpc,
		VpcSubnets:       props.VpcSubnets,
		SecurityGroups:   props.SecurityGroups,
		LoggingFormat:    props.LoggingFormat,
		SystemLogLevelV2: props.SystemLogLevel,
	}
	if props.LoggingFormat == awslambda.LoggingFormat_JSON {
		// The function keeps to LogLevel itself. Lambda drops no line at its lowest level.
		settings.ApplicationLogLevelV2 = awslambda.ApplicationLogLevel_TRACE
	}

	return settings
}

// setTracing turns tracing on. The CDK's prop would add a second policy to the role.
func setTracing(function awslambda.Function, tracing awslambda.Tracing) {
	if mode := tracingMode(tracing); mode != "" {
		resource := function.Node().DefaultChild().(awslambda.CfnFunction)
		resource.SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: &mode})
	}
}

// tracingMode is what CloudFormation calls a kind of tracing. It is empty for none.
func tracingMode(tracing awslambda.Tracing) string {
	switch tracing {
	case "", awslambda.Tracing_DISABLED:
		return ""
	case awslambda.Tracing_ACTIVE:
		return "Active"
	case awslambda.Tracing_PASS_THROUGH:
		return "PassThrough"
	default:
		panic(fmt.Sprintf("tracing %q of props without problems", tracing))
	}
}

// newLogGroup defines the log group of a function.
func newLogGroup(scope constructs.Construct, props ReplicatedTableProps) awslogs.ILogGroup {
	return awslogs.NewLogGroup(scope, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		Retention:     props.LogRetention,
		RemovalPolicy: props.RemovalPolicy,
	})
}

// findSubnetProblems says why the function cannot be in the subnets that props select. Of
// single subnets, the CDK finds out itself: it knows the IDs of imported ones, and not more.
func findSubnetProblems(props *ReplicatedTableProps) (problems []spec.Problem) {
	if props == nil || props.Vpc == nil {
		return nil
	}
	path, text := "Vpc", "has no private subnets, and in public ones a function has no access to the internet: "+
		"add private ones, with a NAT gateway or with endpoints for DynamoDB and SQS"
	if selection := props.VpcSubnets; selection != nil {
		path, text = "VpcSubnets", "select public subnets, where a function has no access to the internet: "+
			"select private ones, with a NAT gateway or with endpoints for DynamoDB and SQS"
		if selection.Subnets != nil && len(*selection.Subnets) == 0 {
			return []spec.Problem{{Path: path, Text: "select no subnets: name at least one"}}
		}
		if selection.Subnets != nil {
			return nil
		}
	}

	defer func() {
		if cause := recover(); cause != nil {
			problems = []spec.Problem{{Path: path, Text: fmt.Sprintf("is refused by the CDK: %v", cause)}}
		}
	}()
	if *props.Vpc.SelectSubnets(props.VpcSubnets).HasPublic {
		return []spec.Problem{{Path: path, Text: text}}
	}

	return nil
}

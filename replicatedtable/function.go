package replicatedtable

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// newFunction defines the function that runs the replicator. The CDK makes it wait
// for the role and every policy attached to the role.
func newFunction(t *replicatedTable, props ReplicatedTableProps, code awslambda.Code) awslambda.Function {
	mebibytes := 0 // only deployment knows the value of a token
	if memory := known(props.MemorySize); memory != nil {
		mebibytes = int(*memory)
	}
	variables := map[string]*string{}
	for name, value := range t.replication.variables(mebibytes) {
		variables[name] = &value
	}

	settings := &awslambda.FunctionProps{
		FunctionName:   props.FunctionName,
		Description:    props.Description,
		Code:           code,
		Handler:        jsii.String("bootstrap"),
		Runtime:        awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:   props.Architecture,
		MemorySize:     props.MemorySize,
		Timeout:        props.Timeout,
		Environment:    &variables,
		Layers:         props.Layers,
		Role:           t.role,
		Vpc:            props.Vpc,
		VpcSubnets:     props.VpcSubnets,
		SecurityGroups: props.SecurityGroups,
		LoggingFormat:  props.LoggingFormat,
		LogGroup:       t.logGroup,

		ReservedConcurrentExecutions: props.ReservedConcurrentExecutions,
		SystemLogLevelV2:             props.SystemLogLevel,
	}
	if props.LoggingFormat == awslambda.LoggingFormat_JSON {
		// The function keeps to LogLevel itself. Lambda drops no line at its lowest level.
		settings.ApplicationLogLevelV2 = awslambda.ApplicationLogLevel_TRACE
	}

	function := awslambda.NewFunction(t, jsii.String("Function"), settings)
	if mode := tracingMode(props.Tracing); mode != "" {
		// The CDK's prop would add a second policy to the role.
		resource := function.Node().DefaultChild().(awslambda.CfnFunction)
		resource.SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: &mode})
	}
	if t.rolePolicy != nil {
		// The event source mapping refers to the function, and so waits for the policy too.
		function.Node().AddDependency(t.rolePolicy)
	}
	return function
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

// newLogGroup returns the log group of props, or defines one.
func newLogGroup(t *replicatedTable, props ReplicatedTableProps) awslogs.ILogGroup {
	if props.LogGroup != nil {
		return props.LogGroup
	}
	return awslogs.NewLogGroup(t, jsii.String("LogGroup"), &awslogs.LogGroupProps{
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

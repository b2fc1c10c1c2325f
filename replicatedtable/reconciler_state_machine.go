package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"
)

// newStateMachine defines the state machine with the permissions of its role. A distributed map
// starts its children as executions of the state machine itself, which it names in a policy of its
// own: the state machine waits for its role.
func (r *reconciler) newStateMachine(props ReconcilerProps) awsstepfunctions.StateMachine {
	role := awsiam.NewRole(r, jsii.String("StateMachineRole"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"Invoke": r.invokePolicy()},
	})
	machine := awsstepfunctions.NewStateMachine(r, jsii.String("StateMachine"), &awsstepfunctions.StateMachineProps{
		StateMachineName: props.StateMachineName,
		Comment:          jsii.String("Fills, verifies and repairs the target tables of a source table"),
		DefinitionBody:   awsstepfunctions.DefinitionBody_FromString(jsii.String(r.definition(props))),
		Role:             role,
	})
	if r.isTraced() {
		// The CDK's prop would add a second policy to the role.
		resource := machine.Node().DefaultChild().(awsstepfunctions.CfnStateMachine)
		resource.SetTracingConfiguration(&awsstepfunctions.CfnStateMachine_TracingConfigurationProperty{
			Enabled: jsii.Bool(true),
		})
	}

	// Source: AWS Step Functions Developer Guide, "IAM policies for using Distributed Map states".
	r.segmentsPolicy = awsiam.NewPolicy(r, jsii.String("SegmentsPolicy"), &awsiam.PolicyProps{
		Statements: &[]awsiam.PolicyStatement{
			allow(machine.StateMachineArn(), "states:StartExecution"),
			allow(arnBelow(machine, "execution", ""), "states:DescribeExecution", "states:StopExecution"),
			allow(arnBelow(machine, "execution", "/"+segmentsLabel), "states:RedriveExecution"),
		},
	})
	role.AttachInlinePolicy(r.segmentsPolicy)

	return machine
}

// arnBelow is the ARN of all executions or map runs of a state machine, or of one of its map states.
func arnBelow(machine awsstepfunctions.StateMachine, resource, state string) *string {
	return awscdk.Stack_Of(machine).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("states"), Resource: &resource,
		ResourceName: jsii.String(*machine.StateMachineName() + state + ":*"),
		ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// isTraced reports whether the state machine sends traces. It passes none through.
func (r *reconciler) isTraced() bool { return r.table.settings.Tracing == awslambda.Tracing_ACTIVE }

func (r *reconciler) invokePolicy() awsiam.PolicyDocument {
	statements := []awsiam.PolicyStatement{allow(r.function.FunctionArn(), "lambda:InvokeFunction")}
	if r.isTraced() {
		// Source: AWS Step Functions Developer Guide, "Trace Step Functions request data in AWS X-Ray".
		actions := append([]string{"xray:GetSamplingRules", "xray:GetSamplingTargets"}, tracingActions...)
		statements = append(statements, allow(jsii.String("*"), actions...))
	}
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

// newSchedule defines what starts executions that verify, with a role that can do that and no more.
func (r *reconciler) newSchedule(props ReconcilerProps) awsscheduler.Schedule {
	input := map[string]any{"operation": "verify"}
	if props.VerifyReadUnits != nil {
		input["readUnits"] = *props.VerifyReadUnits
	}
	role := awsiam.NewRole(r, jsii.String("VerifyScheduleRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), nil),
	})

	schedule := awsscheduler.NewSchedule(r, jsii.String("VerifySchedule"), &awsscheduler.ScheduleProps{
		Schedule:    props.VerifySchedule,
		Description: jsii.String("Verifies that the target tables are right"),
		Target: awsschedulertargets.NewStepFunctionsStartExecution(r.stateMachine, &awsschedulertargets.ScheduleTargetBaseProps{
			Role:  role,
			Input: awsscheduler.ScheduleTargetInput_FromObject(input),
		}),
	})
	// The first execution may start at once.
	schedule.Node().AddDependency(r.segmentsPolicy)

	return schedule
}

// newAlarm defines the alarm for failed executions. Children are executions of another state
// machine for CloudWatch.
func (r *reconciler) newAlarm() awscloudwatch.Alarm {
	return r.table.alarmIn(r, failedExecutionsAlarmID, failedExecutionsAlarmID, awscloudwatch.AlarmProps{
		Metric: r.stateMachine.MetricFailed(over(awscloudwatch.Stats_SUM())),
		AlarmDescription: jsii.String("An execution of the reconciler failed. First read its error and its cause. " +
			"With the error Differences, target tables differ from the source table: the cause has the counts, " +
			"and an execution with the operation repair mends them"),
	})
}

// failedExecutionsAlarmID is also the alarm's heading in the runbook.
const failedExecutionsAlarmID = "FailedExecutionsAlarm"

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
)

// AlarmsProps configures the alarms of a ReplicatedTable.
type AlarmsProps struct {
	// Enabled says whether the construct defines alarms. When it is false, the accessors of
	// the alarms return nil.
	// Default: true.
	Enabled *bool

	// All adds the alarms that tell why, or that can wait: FunctionErrorsAlarm,
	// FunctionThrottlesAlarm, OldestFailureAlarm, ThrottleAlarm of each target, and
	// CompositeAlarm. Not allowed with Metrics NONE. The rule of CompositeAlarm has room for 100
	// alarms and 10,240 characters: AddTarget refuses a target whose alarms do not fit.
	// Default: false.
	All *bool

	// CompositeActions are the actions of CompositeAlarm when it goes off, and add this alarm:
	// one action for everything that goes wrong at the same time, in place of one of each
	// alarm. CompositeAlarm does not go off for a message that waits; FailureQueueAlarm does.
	// Default: none, and no CompositeAlarm without All.
	CompositeActions *[]awscloudwatch.IAlarmAction

	// Actions are the actions of every alarm but CompositeAlarm when it goes off. For those of a single alarm,
	// use its AddAlarmAction.
	//
	// The CDK gives a function only one LambdaAction per ID of an alarm, and without the
	// feature flag @aws-cdk/aws-cloudwatch-actions:changeLambdaPermissionLogicalIdForLambdaAction
	// only one at all. So each ReplicatedTable needs a function of its own there. SnsAction
	// has no such limit.
	// Default: none.
	Actions *[]awscloudwatch.IAlarmAction

	// MaxIteratorAge is the age of a batch's last record above which IteratorAgeAlarm goes
	// off: from 1 second to 12 hours in whole seconds, less than MaxRecordAge, known at
	// synthesis.
	// Default: 10 minutes.
	MaxIteratorAge awscdk.Duration

	// UnreadAfter is the time without a poll of the stream after which UnreadStreamAlarm goes
	// off: a multiple of 5 minutes up to 12 hours, known at synthesis. With less than 15
	// minutes, it may go off because metrics are late.
	// Default: 15 minutes.
	UnreadAfter awscdk.Duration

	// MaxFailures is the number of messages within 5 minutes above which FailureRateAlarm
	// goes off, a whole number from 0.
	// Default: 10.
	MaxFailures *float64
}

func (p *AlarmsProps) areEnabled() bool { return p.Enabled == nil || *p.Enabled }
func (p *AlarmsProps) areAll() bool     { return p.All != nil && *p.All }

func (p *AlarmsProps) hasComposite() bool { return p.areAll() || p.CompositeActions != nil }

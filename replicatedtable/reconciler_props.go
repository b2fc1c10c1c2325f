package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
)

// ReconcilerProps configures a Reconciler. What is not here is as ReplicatedTableProps says for
// the table's own function: Architecture, Environment without GOGC, GOMEMLIMIT and GOMAXPROCS,
// Tracing, Vpc, VpcSubnets, SecurityGroups, the settings of logs, RemovalPolicy, and of Alarms
// whether there are any, and their actions. The role and the log group are always its own.
type ReconcilerProps struct {
	// Code is the code of the reconciler's function, built beforehand like
	// ReplicatedTableProps.Code. The program's main calls Start of the package
	// runtime/reconciler.
	// Default: synthesis builds the function from source.
	Code awslambda.Code

	// MemorySize is the memory of the reconciler's function in MiB, a whole number from 128 to
	// 10240. More memory brings more CPU.
	// Default: 512.
	MemorySize *float64

	// MaxConcurrency is the number of segments that are in progress at once, each in an
	// invocation of its own: a whole number from 1 to 1000. One of them writes some thousands of
	// items a second. It counts towards the account's concurrent executions.
	// Default: 10.
	MaxConcurrency *float64

	// StateMachineName is the state machine's name: 1 to 80 letters, digits, hyphens and
	// underscores. Another name replaces the state machine.
	// Default: CloudFormation generates one.
	StateMachineName *string

	// VerifySchedule starts an execution that verifies, again and again: a rate or a cron
	// expression, such as ScheduleExpression_Rate(awscdk.Duration_Days(jsii.Number(7))). Each
	// reads all items of the source table and of the target tables.
	// Default: nothing starts by itself.
	VerifySchedule awsscheduler.ScheduleExpression

	// VerifyReadUnits limits what the executions of VerifySchedule read: capacity units per second
	// of each table, at least 5 for each segment that is in progress at once. Not allowed without
	// VerifySchedule.
	// Default: no limit. The rate is halved while a table throttles.
	VerifyReadUnits *float64
}

const (
	defaultReconcilerMiB  = 512
	defaultMaxConcurrency = 10
)

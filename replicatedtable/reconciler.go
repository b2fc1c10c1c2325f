package replicatedtable

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Reconciler is a state machine that works on all items of a ReplicatedTable, as the command
// replicatedtable does, and beyond one machine. An execution scans the source table, and where it
// has to the target tables, in segments: each segment is a child execution of its own, which
// invokes the reconciler's function until the segment is done.
//
//	aws stepfunctions start-execution --state-machine-arn ARN --input '{"operation": "backfill"}'
//
// The input has the operation, and optional fields:
//
//   - operation: "backfill" puts the target items that are missing, while the stream flows;
//     "verify" compares source and targets, and fails when they differ; "repair" verifies, and
//     mends each difference.
//   - segments: the number of segments of each scan, from 1 to 1000. Default: one per gigabyte of
//     the table, but at least MaxConcurrency.
//   - writeUnits, readUnits: limits per second, of each target table's write units and of each
//     table's read units. At least 5 for each segment in progress. Default: none.
//   - graceSeconds: how long a difference is read again before it counts, from 1 to 300. Default: 60.
//   - strict: an empty key of a target with Ordering_LastWriterWins that live source items map to
//     counts as a difference. Default: false.
//   - dryRun: nothing is written. Default: false.
//
// An execution that fails with the error Differences has found some, or could not mend them; its
// cause has the counts. One that fails with InputError cannot use its input. The output of one that
// succeeds has the counts. All tasks are retried for more than half an hour. After that, or when it
// was stopped, redrive the execution within 14 days: each segment continues with its last slice.
//
// The progress of an execution contains keys of the tables. It is part of the execution's history,
// which Step Functions keeps for 90 days. The log has keys at the level DEBUG only.
type Reconciler interface {
	// StateMachine has the executions. GrantReconcile of the table allows an operator to start
	// them.
	StateMachine() awsstepfunctions.StateMachine
	// Function carries out the segments.
	Function() awslambda.Function
	// Role holds the permissions of the function: to read all tables, to check source items
	// within a transaction, and to put and delete target items.
	Role() awsiam.IRole
	// LogGroup holds the function's logs.
	LogGroup() awslogs.ILogGroup
	// FailedExecutionsAlarm goes off when an execution fails: above all, when one that verifies
	// finds differences. It is nil where AlarmsProps disables the alarms.
	FailedExecutionsAlarm() awscloudwatch.Alarm
	// VerifySchedule starts executions that verify. It is nil without the prop.
	VerifySchedule() awsscheduler.Schedule
}

type reconciler struct {
	constructs.Construct

	table *replicatedTable
	// policy is the part of the role that AddTarget extends.
	policy     awsiam.PolicyDocument
	keyActions keyActions

	role         awsiam.Role
	logGroup     awslogs.ILogGroup
	function     awslambda.Function
	stateMachine awsstepfunctions.StateMachine
	// segmentsPolicy lets the state machine start its own executions.
	segmentsPolicy awsiam.Policy
	alarm          awscloudwatch.Alarm
	schedule       awsscheduler.Schedule
}

func (r *reconciler) StateMachine() awsstepfunctions.StateMachine { return r.stateMachine }
func (r *reconciler) Function() awslambda.Function                { return r.function }
func (r *reconciler) Role() awsiam.IRole                          { return r.role }
func (r *reconciler) LogGroup() awslogs.ILogGroup                 { return r.logGroup }
func (r *reconciler) FailedExecutionsAlarm() awscloudwatch.Alarm  { return r.alarm }
func (r *reconciler) VerifySchedule() awsscheduler.Schedule       { return r.schedule }

// AddReconciler checks and builds everything first, and defines it then.
func (t *replicatedTable) AddReconciler(id *string, props *ReconcilerProps) Reconciler {
	if props == nil {
		props = &ReconcilerProps{}
	}
	call := fmt.Sprintf("AddReconciler(%q)", toString(id))
	problems := slices.Concat(t.idProblems(call, "reconciler", id), t.dashboardProblems(call))
	for _, problem := range reconcilerProblems(*props) {
		problems = append(problems, spec.Problem{Path: call + "." + problem.Path, Text: problem.Text})
	}
	if len(problems) > 0 {
		panic(message(*t.Node().Path(), problems))
	}
	code, err := functionCode(t, reconcilerProgram, props.Code, *t.settings.Architecture.Name())
	if err != nil {
		panic(fmt.Sprintf("%s: %s: %v", *t.Node().Path(), call, err))
	}

	defer refuse(t, id, *t.Node().Path()+"/"+*id)
	settings := props.withDefaults()
	r := &reconciler{table: t, keyActions: keyActions{}}
	constructs.NewConstruct_Override(r, t, id)
	r.logGroup = newLogGroup(r, t.settings)
	r.policy = r.newPolicy()
	r.role = awsiam.NewRole(r, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"Reconcile": r.policy},
	})
	r.function = r.newFunction(settings, code)
	r.stateMachine = r.newStateMachine(settings)
	if props.VerifySchedule != nil {
		r.schedule = r.newSchedule(settings)
	}
	if t.settings.Alarms.areEnabled() {
		r.alarm = r.newAlarm()
	}
	t.reconcilers = append(t.reconcilers, r)
	for _, o := range t.operators {
		o.grantReconciler(r)
	}

	return r
}

// withDefaults returns a copy with the numbers that the parts need.
func (p ReconcilerProps) withDefaults() ReconcilerProps {
	p.MemorySize = cmp.Or(p.MemorySize, jsii.Number(defaultReconcilerMiB))
	p.MaxConcurrency = cmp.Or(p.MaxConcurrency, jsii.Number(defaultMaxConcurrency))
	return p
}

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// newFunction defines the function that runs the replicator. The CDK makes it wait
// for the role and every policy attached to the role.
func newFunction(t *replicatedTable, props ReplicatedTableProps, folder string) awslambda.Function {
	mebibytes := 0 // only deployment knows the value of a token
	if memory := known(props.MemorySize); memory != nil {
		mebibytes = int(*memory)
	}
	variables := map[string]*string{}
	for name, value := range t.replication.variables(mebibytes) {
		variables[name] = &value
	}

	return awslambda.NewFunction(t, jsii.String("Function"), &awslambda.FunctionProps{
		Description:  jsii.String("Applies the changes of a source table to its target table"),
		Code:         awslambda.Code_FromAsset(jsii.String(folder), nil),
		Handler:      jsii.String("bootstrap"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: props.Architecture,
		MemorySize:   props.MemorySize,
		Timeout:      props.Timeout,
		Environment:  &variables,
		Role:         t.role,
		LogGroup:     t.logGroup,
	})
}

func newLogGroup(t *replicatedTable, props ReplicatedTableProps) awslogs.LogGroup {
	return awslogs.NewLogGroup(t, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		Retention:     props.LogRetention,
		RemovalPolicy: props.RemovalPolicy,
	})
}

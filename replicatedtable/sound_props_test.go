package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// uniqueProps are sound: the target key contains the source key.
func uniqueProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{PartitionKey: str("state"), SortKey: str("email")},
	}
}

// compositeProps are sound: the sort key is a composite that contains the source key.
func compositeProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{
			PartitionKey: str("state"),
			SortKey:      str("place"),
			KeySources:   &map[string]*KeySource{"place": joined("address.city", "email")},
		},
	}
}

// lastWriterProps are sound: users of one city collide, and the last writer wins.
func lastWriterProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &SourceProps{PartitionKey: str("email")},
		Target: &TargetProps{
			PartitionKey: str("state"),
			SortKey:      str("city"),
			Ordering:     Ordering_LastWriterWins(nil),
		},
	}
}

// everyProp sets every prop that a colliding target key can have, but for those that are
// constructs. Lambda cannot evaluate its filter.
func everyProp() *ReplicatedTableProps {
	props := lastWriterProps()
	props.Target.Projection = &Projection{
		Type:       ProjectionType_EXCLUDE,
		Attributes: jsii.Strings("zipcode"),
		Renames:    &map[string]*string{"name": jsii.String("title")},
	}
	props.Target.Filter = Condition_Exists(jsii.String("verified"))
	props.Target.Ordering = Ordering_LastWriterWins(&VersionProps{Attribute: jsii.String("v")})
	props.Target.ExpiredItems = ExpiredItems_DELETE
	props.Target.WriteBrake = jsii.Bool(false)
	props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	props.SetAsideAfter = awscdk.Duration_Minutes(jsii.Number(30))

	props.FunctionName = jsii.String("replicate-cities")
	props.Description = jsii.String("Keeps the cities up to date")
	props.Architecture = awslambda.Architecture_X86_64()
	props.MemorySize = jsii.Number(512)
	props.Timeout = awscdk.Duration_Seconds(jsii.Number(90))
	props.Environment = &map[string]*string{"STAGE": jsii.String("test"), "GOGC": jsii.String("100")}
	props.Tracing = awslambda.Tracing_ACTIVE
	props.ReservedConcurrentExecutions = jsii.Number(20)
	props.LogLevel = awslambda.ApplicationLogLevel_ERROR
	props.LoggingFormat = awslambda.LoggingFormat_JSON
	props.SystemLogLevel = awslambda.SystemLogLevel_WARN
	props.LogRetention = awslogs.RetentionDays_ONE_WEEK

	props.BatchSize = jsii.Number(100)
	props.MaxBatchingWindow = awscdk.Duration_Seconds(jsii.Number(5))
	props.ParallelizationFactor = jsii.Number(10)
	props.StartingPosition = awslambda.StartingPosition_LATEST
	props.MaxRecordAge = awscdk.Duration_Hours(jsii.Number(12))
	props.RetryAttempts = jsii.Number(1000)
	props.Enabled = jsii.Bool(false)

	props.Alarms = &AlarmsProps{
		MaxIteratorAge: awscdk.Duration_Minutes(jsii.Number(30)),
		UnreadAfter:    awscdk.Duration_Hours(jsii.Number(1)),
		MaxFailures:    jsii.Number(0),
	}

	return props
}

// everyConstruct is everyProp with constructs of the caller beside those that the construct
// defines.
func everyConstruct(scope constructs.Construct) *ReplicatedTableProps {
	props := everyProp()
	props.Vpc = testVPC(scope)
	props.VpcSubnets = &awsec2.SubnetSelection{AvailabilityZones: jsii.Strings("eu-west-1a")}
	props.SecurityGroups = &[]awsec2.ISecurityGroup{testSecurityGroup(scope)}
	props.Layers = &[]awslambda.ILayerVersion{testLayer(scope, "Layer")}
	topic := awssns.Topic_FromTopicArn(scope, jsii.String("Topic"),
		jsii.String("arn:aws:sns:eu-west-1:111122223333:alarms"))
	props.Alarms.Actions = &[]awscloudwatch.IAlarmAction{awscloudwatchactions.NewSnsAction(topic)}

	return props
}

// borrowingProps are sound: constructs of the caller take the place of those that the
// construct defines, and there are no alarms.
func borrowingProps(scope constructs.Construct) *ReplicatedTableProps {
	props := guardedProps()
	props.Role = awsiam.NewRole(scope, jsii.String("CallersRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	props.LogGroup = awslogs.LogGroup_FromLogGroupName(scope, jsii.String("CallersLogs"), jsii.String("/callers/logs"))
	props.FilterEncryption = awskms.NewKey(scope, jsii.String("CallersKey"), &awskms.KeyProps{
		EnableKeyRotation: jsii.Bool(true),
	})
	props.Alarms = &AlarmsProps{Enabled: jsii.Bool(false)}

	return props
}

func testVPC(scope constructs.Construct) awsec2.IVpc {
	return awsec2.Vpc_FromVpcAttributes(scope, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId:             jsii.String("vpc-1"),
		AvailabilityZones: jsii.Strings("eu-west-1a", "eu-west-1b"),
		PrivateSubnetIds:  jsii.Strings("subnet-a1", "subnet-b1"),
		PublicSubnetIds:   jsii.Strings("subnet-a2", "subnet-b2"),
		// Without them, the CDK warns.
		PrivateSubnetRouteTableIds: jsii.Strings("rtb-1", "rtb-2"),
		PublicSubnetRouteTableIds:  jsii.Strings("rtb-3", "rtb-4"),
	})
}

func testSecurityGroup(scope constructs.Construct) awsec2.ISecurityGroup {
	id := jsii.String("sg-0123456789abcdef0")
	return awsec2.SecurityGroup_FromSecurityGroupId(scope, jsii.String("Group"), id, nil)
}

func testLayer(scope constructs.Construct, id string) awslambda.ILayerVersion {
	return awslambda.LayerVersion_FromLayerVersionArn(scope, &id,
		jsii.String("arn:aws:lambda:eu-west-1:111122223333:layer:"+id+":1"))
}

// guardedProps are sound: a unique target key with the version guard, which only such
// a key can have, and a filter that Lambda can evaluate.
func guardedProps() *ReplicatedTableProps {
	props := compositeProps()
	props.Target.Filter = Condition_All(
		Condition_Equals(jsii.String("active"), Value_Boolean(jsii.Bool(true))),
		Condition_BeginsWith(jsii.String("address.country"), jsii.String("U")),
	)
	props.Target.Ordering = Ordering_VersionGuard(nil)
	props.Target.ExpiredItems = ExpiredItems_KEEP

	return props
}

// from is the source that is one attribute.
func from(path string) *KeySource { return &KeySource{Attributes: jsii.Strings(path)} }

// joined is the source that joins attributes with a number sign.
func joined(paths ...string) *KeySource {
	return &KeySource{Attributes: jsii.Strings(paths...), Separator: jsii.String("#")}
}

func str(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func num(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_NUMBER}
}

package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

const (
	// failureRetentionDays is the longest time SQS keeps a message: a failure should
	// outlast a holiday. Source: Amazon SQS Developer Guide, "Amazon SQS message
	// quotas".
	failureRetentionDays = 14

	// failureMaxReceives is how often a message can be received from the failure
	// queue before SQS moves it to the dead-letter queue. Source: AWS Lambda Developer
	// Guide, "Using Lambda with Amazon SQS", which advises at least 5, so that
	// throttling alone moves no message.
	failureMaxReceives = 5

	// maxFailureBytes is the greatest length of a message in SQS, and the function
	// uses all of it. A lower limit would stop the stream, because the function
	// retries messages that the queue refuses. Source: Amazon SQS Developer Guide,
	// "Amazon SQS message quotas"; SQS's own default has changed over time.
	maxFailureBytes = 1 << 20
)

// newFailureQueue defines the queue for changes that could not be replicated, and
// its dead-letter queue for messages that the reader of the first cannot handle.
//
// The dead-letter queue cannot say that this is its only source (redriveAllowPolicy):
// each queue would name the ARN of the other, which contains a generated name, and
// CloudFormation refuses such a circle. A fixed name would replace the queues of deployed
// stacks.
func newFailureQueue(t *replicatedTable, props ReplicatedTableProps) (failures, deadLetters awssqs.Queue) {
	deadLetters = awssqs.NewQueue(t, jsii.String("FailureDeadLetterQueue"), queueProps(props))
	withRedrive := queueProps(props)
	withRedrive.DeadLetterQueue = &awssqs.DeadLetterQueue{
		Queue:           deadLetters,
		MaxReceiveCount: jsii.Number(failureMaxReceives),
	}
	return awssqs.NewQueue(t, jsii.String("FailureQueue"), withRedrive), deadLetters
}

func queueProps(props ReplicatedTableProps) *awssqs.QueueProps {
	return &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:          jsii.Bool(true),
		MaxMessageSizeBytes: jsii.Number(maxFailureBytes),
		RetentionPeriod:     awscdk.Duration_Days(jsii.Number(failureRetentionDays)),
		RemovalPolicy:       props.RemovalPolicy,
	}
}

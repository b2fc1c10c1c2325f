package replicatedtable

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

const (
	// failureRetentionDays is the longest SQS keeps a message: a failure should
	// outlast a holiday. Source: Amazon SQS Developer Guide, "Amazon SQS message
	// quotas".
	failureRetentionDays = 14

	// failureMaxReceives is how often a message can be received from the failure
	// queue before it counts as stuck and moves on. Source: AWS Lambda Developer
	// Guide, "Using Lambda with Amazon SQS", which advises at least 5, so that
	// throttling alone moves nothing.
	failureMaxReceives = 5

	// maxFailureBytes is the longest message SQS takes, and as long as the function
	// makes them. A queue that took less would stop the stream, as what it does not
	// take is tried again. Source: Amazon SQS Developer Guide, "Amazon SQS message
	// quotas"; what a queue takes when nothing is said has changed over time.
	maxFailureBytes = 1 << 20
)

// newFailureQueue defines the queue for what could not be replicated, and the
// queue behind it for messages that whoever reads the first one cannot handle.
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

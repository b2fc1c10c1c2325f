package replicator

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Start is the function's main. It reads the spec from the environment, and the mapping
// from the file of a layer if the environment says so. Then it hands batches to a
// [Replicator] until Lambda ends the process. It does not return.
//
// A configuration that cannot be used ends the process before the first batch, which
// Lambda reports as an init error; the log line names the file and the field.
func Start() {
	level := new(slog.LevelVar)
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	r, err := New(os.Getenv, log)
	if err != nil {
		log.Error("the replicator cannot start", slog.String("reason", err.Error()))
		os.Exit(1)
	}
	level.Set(r.spec.LogLevel.Slog())
	r.WriteMetrics(os.Stdout, os.Getenv("AWS_LAMBDA_FUNCTION_NAME"))

	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	r.connect(ctx)
	cancel()
	lambda.Start(r)
}

// connectTimeout is the most that a start loses to an endpoint that does not answer.
// Lambda allows a start ten seconds.
const connectTimeout = time.Second

// New returns a Replicator for the environment variables of a function of the
// construct, as getenv returns them: [os.Getenv] in Lambda. When they say that the
// mapping is in a file, it reads that file. Its errors name the variable or the file, and
// the field. It logs to log what was not applied, without images and key values: for each
// batch at most one line about the records in the failure queue, one about those that are
// redelivered, and one about each target that fails as a whole.
func New(getenv func(string) string, log *slog.Logger) (*Replicator, error) {
	s, specErr := spec.Load(getenv(spec.EnvironmentVariable), os.ReadFile)
	c, configErr := awsconfig.FromLambda(getenv)
	if err := errors.Join(specErr, configErr); err != nil {
		return nil, err
	}

	return newConfig(c).replicator(s, log), nil
}

// config configures the clients of AWS services, which have the HTTP client in common.
type config struct {
	awsconfig.Config
	inFlight int
	http     aws.HTTPClient
}

func newConfig(c awsconfig.Config) config {
	inFlight := inFlightWith(c.Mebibytes)
	return config{Config: c, inFlight: inFlight, http: awsconfig.NewHTTPClient(inFlight)}
}

// replicator returns the handler for a spec with the clients that c describes.
func (c config) replicator(s spec.Spec, log *slog.Logger) *Replicator {
	table := newClient(c.dynamoDBOptions())
	queue := &sqsQueue{
		url:    s.FailureQueueURL,
		client: sync.OnceValue(func() *sqs.Client { return sqs.New(c.sqsOptions()) }),
	}
	r := newReplicator(s, table, queue, c.inFlight, slog.New(requestHandler{log.Handler()}))
	r.connect = table.connect

	return r
}

func (c config) dynamoDBOptions() dynamodb.Options {
	options := c.DynamoDB()
	options.HTTPClient = c.http
	options.Retryer = newRetryer(attempts)
	return options
}

// sqsOptions retries without a limit of its own: the deadline of the invocation ends it.
func (c config) sqsOptions() sqs.Options {
	return sqs.Options{
		Region:       c.Region,
		Credentials:  c.Credentials,
		BaseEndpoint: c.Endpoint("SQS"),
		HTTPClient:   c.http,
		APIOptions:   awsconfig.APIOptions,
		Retryer:      newRetryer(math.MaxInt),
		EndpointOptions: sqs.EndpointResolverOptions{
			UseFIPSEndpoint:      c.FIPS,
			UseDualStackEndpoint: c.DualStack,
		},
	}
}

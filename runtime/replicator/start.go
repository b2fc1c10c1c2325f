package replicator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Start is the function's main. It reads the spec from the environment and hands
// batches to a [Replicator] until Lambda ends the process. It does not return.
//
// A configuration that cannot be used ends the process before the first batch,
// which Lambda reports as an init error; the log line names the field.
func Start() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	r, err := fromEnvironment(os.Getenv, log)
	if err != nil {
		log.Error("the replicator cannot start", slog.String("reason", err.Error()))
		os.Exit(1)
	}
	lambda.Start(r)
}

// fromEnvironment builds the handler from the function's environment variables.
func fromEnvironment(getenv func(string) string, log *slog.Logger) (*Replicator, error) {
	s, specErr := spec.Parse(getenv(spec.EnvironmentVariable))
	options, optionsErr := clientOptions(getenv)
	if err := errors.Join(specErr, optionsErr); err != nil {
		return nil, err
	}
	return newReplicator(s, newClient(options), log), nil
}

// clientOptions reads what Lambda's runtime sets, by hand: the SDK's own loader
// would look for profile files and instance metadata that a function does not
// have, and link the clients of four more services for it.
func clientOptions(getenv func(string) string) (dynamodb.Options, error) {
	var missing []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			missing = append(missing, fmt.Errorf("%s is not set: Lambda sets it, run the replicator as a Lambda function", name))
		}
		return value
	}
	credentials := aws.Credentials{
		AccessKeyID:     required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	options := dynamodb.Options{
		Region: required("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	}
	// The variables with which every AWS SDK can be pointed elsewhere.
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if url := getenv(name); url != "" {
			options.BaseEndpoint = &url
			break
		}
	}
	if on, _ := strconv.ParseBool(getenv("AWS_USE_FIPS_ENDPOINT")); on {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if on, _ := strconv.ParseBool(getenv("AWS_USE_DUALSTACK_ENDPOINT")); on {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return options, errors.Join(missing...)
}

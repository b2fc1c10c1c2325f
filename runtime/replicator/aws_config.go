package replicator

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// config configures the clients of AWS services.
type config struct {
	region      string
	credentials aws.CredentialsProvider
	// endpoint returns the endpoint of a service, or nil for the SDK's own choice.
	endpoint  func(service string) *string
	inFlight  int
	http      aws.HTTPClient
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

// newConfig reads the environment variables that Lambda sets. The SDK's own loader would
// also look for profile files and instance metadata, which a function does not have, and
// link the clients of four more services for it.
func newConfig(getenv func(string) string) (config, error) {
	var missing []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			err := fmt.Errorf("%s is not set: Lambda sets it, run the replicator as a Lambda function", name)
			missing = append(missing, err)
		}
		return value
	}

	credentials := aws.Credentials{
		AccessKeyID:     required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}

	// Lambda sets it. Anything but a number, as where there is no limit, counts as
	// little memory.
	mebibytes, _ := strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	inFlight := inFlightWith(mebibytes)

	c := config{
		inFlight: inFlight,
		region:   required("AWS_REGION"),
		credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		// These variables point every AWS SDK to another endpoint.
		endpoint: func(service string) *string {
			for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
				if url := getenv(name); url != "" {
					return &url
				}
			}
			return nil
		},
		http: newHTTPClient(inFlight),
	}

	if on, _ := strconv.ParseBool(getenv("AWS_USE_FIPS_ENDPOINT")); on {
		c.fips = aws.FIPSEndpointStateEnabled
	}
	if on, _ := strconv.ParseBool(getenv("AWS_USE_DUALSTACK_ENDPOINT")); on {
		c.dualStack = aws.DualStackEndpointStateEnabled
	}

	return c, errors.Join(missing...)
}

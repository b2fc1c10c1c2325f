package replicator

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// config is what the clients of AWS services need to know.
type config struct {
	region      string
	credentials aws.CredentialsProvider
	// endpoint returns where a service is, or nil for where the SDK finds it.
	endpoint  func(service string) *string
	inFlight  int
	http      aws.HTTPClient
	fips      aws.FIPSEndpointState
	dualStack aws.DualStackEndpointState
}

// newConfig reads what Lambda's runtime sets, by hand: the SDK's own loader would
// look for profile files and instance metadata that a function does not have, and
// link the clients of four more services for it.
func newConfig(getenv func(string) string) (config, error) {
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
	// Lambda sets it. Anything else than a number, as where there is no limit,
	// counts as little memory.
	mebibytes, _ := strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	inFlight := inFlightWith(mebibytes)
	c := config{
		inFlight: inFlight,
		region:   required("AWS_REGION"),
		credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		// The variables with which every AWS SDK can be pointed elsewhere.
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

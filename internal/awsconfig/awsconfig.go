// Package awsconfig reads how a Lambda function reaches AWS. Both functions of the construct
// use it.
package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Config configures the clients of AWS services.
type Config struct {
	Region      string
	Credentials aws.CredentialsProvider
	// Endpoint returns the endpoint of a service, or nil for the SDK's own choice.
	Endpoint  func(service string) *string
	FIPS      aws.FIPSEndpointState
	DualStack aws.DualStackEndpointState
	// Mebibytes is the function's memory, 0 if it is not known.
	Mebibytes int
}

// FromLambda reads the environment variables that Lambda sets. The SDK's own loader would
// also look for profile files and instance metadata, which a function does not have, and
// link the clients of four more services for it.
func FromLambda(getenv func(string) string) (Config, error) {
	var missing []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			err := fmt.Errorf("%s is not set: Lambda sets it, run this program as a Lambda function", name)
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

	c := Config{
		Region: required("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		// These variables point every AWS SDK to another endpoint.
		Endpoint: func(service string) *string {
			for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
				if url := getenv(name); url != "" {
					return &url
				}
			}
			return nil
		},
	}

	// Lambda sets it. Anything but a number, as where there is no limit, counts as
	// little memory.
	c.Mebibytes, _ = strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	if on, _ := strconv.ParseBool(getenv("AWS_USE_FIPS_ENDPOINT")); on {
		c.FIPS = aws.FIPSEndpointStateEnabled
	}
	if on, _ := strconv.ParseBool(getenv("AWS_USE_DUALSTACK_ENDPOINT")); on {
		c.DualStack = aws.DualStackEndpointStateEnabled
	}

	return c, errors.Join(missing...)
}

// DynamoDB returns the options of a client for tables, without an HTTP client and a retryer.
func (c Config) DynamoDB() dynamodb.Options {
	return dynamodb.Options{
		Region:       c.Region,
		Credentials:  c.Credentials,
		BaseEndpoint: c.Endpoint("DYNAMODB"),
		EndpointOptions: dynamodb.EndpointResolverOptions{
			UseFIPSEndpoint:      c.FIPS,
			UseDualStackEndpoint: c.DualStack,
		},
	}
}

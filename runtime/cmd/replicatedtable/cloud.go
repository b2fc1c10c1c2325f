package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
)

// answerTimeout is the longest wait for the first byte of an answer. A connection that the network has
// dropped never answers; the services answer within seconds.
const answerTimeout = 20 * time.Second

// loadConfig reads the credentials, the Region and the endpoints as every AWS SDK does. An ARN
// brings its own Region.
func loadConfig(ctx context.Context, nameOrARN string, connections int) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}), // what is an error is returned
		config.WithAPIOptions(awsconfig.APIOptions),
		// Fewer idle connections than requests in flight means a new connection for most requests.
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
			t.ResponseHeaderTimeout = answerTimeout
		})),
	}
	if strings.HasPrefix(nameOrARN, "arn:") {
		parsed, err := arn.Parse(nameOrARN)
		if err != nil || parsed.Service != "lambda" {
			return aws.Config{}, usageError("%q is not the ARN of a Lambda function", nameOrARN)
		}
		options = append(options, config.WithRegion(parsed.Region))
	}

	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, usageError("the AWS configuration cannot be read: %s", err)
	}
	if c.Region == "" {
		return aws.Config{}, &aws.MissingRegionError{}
	}

	return c, nil
}

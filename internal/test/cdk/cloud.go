// Package cdk builds CDK apps of this repository and deploys them with the AWS CDK's
// command line: to a local cloud, or to whatever else its caller allows.
package cdk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
)

// Region is the region of everything deployed to an emulator.
const Region = "us-east-1"

// rootKey is the made-up access key of an emulator's root user.
const rootKey = "test"

// Cloud is what an app is deployed to.
type Cloud struct {
	// Endpoint is the URL that serves every AWS API.
	Endpoint string
	// Log is the file with what the emulator wrote; empty when it is not ours.
	Log string
	// Real says that the caller allowed real AWS.
	Real bool
}

// Environment is the caller's environment with what makes every AWS tool talk
// to this cloud. An emulator gets made-up credentials: the caller's own, and the
// settings that could bring them back, are taken out.
func (c *Cloud) Environment() []string {
	env := append(os.Environ(),
		"AWS_ENDPOINT_URL="+c.Endpoint,
		"CDK_DISABLE_CLI_TELEMETRY=true",
		"CDK_DISABLE_VERSION_CHECK=true",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1",
	)
	if c.Real {
		return env
	}
	env = slices.DeleteFunc(env, func(variable string) bool {
		return strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "AWS_ENDPOINT_URL=")
	})
	return append(env,
		"AWS_ACCESS_KEY_ID="+rootKey,
		"AWS_SECRET_ACCESS_KEY="+rootKey,
		"AWS_REGION="+Region,
		"AWS_DEFAULT_REGION="+Region,
		// No profile in the user's files can come back in.
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
	)
}

// DynamoDB returns a client for the cloud's tables.
func (c *Cloud) DynamoDB(ctx context.Context) (*dynamodb.Client, error) {
	if c.Real {
		own, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, err
		}
		return dynamodb.NewFromConfig(own), nil
	}
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &c.Endpoint,
		Region:       Region,
		Credentials:  root(),
		APIOptions:   awsconfig.APIOptions,
	}), nil
}

func root() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(rootKey, rootKey, "")
}

// WithLog adds the end and the path of the emulator's log to an error.
func (c *Cloud) WithLog(err error) error {
	if c.Log == "" {
		return err
	}
	tail, readErr := logTail(c.Log, 15)
	return fmt.Errorf("%w\n\nThe emulator's log %s ends with:\n%s", errors.Join(err, readErr), c.Log, tail)
}

// logTail returns the last lines of a file.
func logTail(file string, lines int) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n"), nil
}

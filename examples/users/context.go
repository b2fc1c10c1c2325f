package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
)

// architecture is the processor that both functions are built for, by Lambda's name.
type architecture string

const (
	arm64  architecture = "arm64"
	x86_64 architecture = "x86_64"
)

// parseArchitecture reads the context value "architecture": arm64, the default, x86_64,
// or host for the machine that builds, whose GOARCH is goarch. An emulator that runs
// functions as processes of that machine needs host.
func parseArchitecture(value any, goarch string) (architecture, error) {
	switch {
	case value == nil, value == string(arm64), value == "host" && goarch == "arm64":
		return arm64, nil
	case value == string(x86_64), value == "host" && goarch == "amd64":
		return x86_64, nil
	default:
		return "", fmt.Errorf("context value architecture is %v: "+
			"use arm64, x86_64 or, on a machine of one of them, host", value)
	}
}

// lambda is the architecture in the CDK's terms.
func (a architecture) lambda() awslambda.Architecture {
	if a == x86_64 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

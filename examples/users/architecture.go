package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
)

// architecture is the processor that both functions of the stack are built for.
type architecture string

const (
	arm64  architecture = "arm64"
	x86_64 architecture = "x86_64" // Lambda's own name for it
)

// parseArchitecture reads the context value "architecture": arm64, which is
// also the default, x86_64, or host for the machine that builds, whose GOARCH
// is goarch. An emulator that runs functions as plain processes needs host.
func parseArchitecture(value any, goarch string) (architecture, error) {
	switch value {
	case nil, string(arm64):
		return arm64, nil
	case string(x86_64):
		return x86_64, nil
	case "host":
	default:
		return "", fmt.Errorf("context value architecture is %v: use arm64, x86_64 or host", value)
	}
	switch goarch {
	case "arm64":
		return arm64, nil
	case "amd64":
		return x86_64, nil
	default:
		return "", fmt.Errorf("context value architecture is host, but this machine is %s: Lambda has arm64 and x86_64", goarch)
	}
}

// lambda is the architecture in the CDK's terms.
func (a architecture) lambda() awslambda.Architecture {
	if a == x86_64 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

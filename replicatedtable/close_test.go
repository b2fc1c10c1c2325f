//go:build !race

package replicatedtable

import "github.com/aws/jsii-runtime-go"

// closeNode ends the Node process behind the CDK and removes its files.
func closeNode() { jsii.Close() }

// Package jsiitest runs the tests of a package that uses the CDK, a Node process
// behind Go. It silences Node and removes its files.
package jsiitest

import (
	"os"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// Run is for a package's TestMain: it runs the tests and returns the exit code.
//
// Node prints no warnings about its version and about the CDK's own calls, which would
// bury a failure. Temporary files go into a folder that is removed after the tests.
func Run(m *testing.M) (code int) {
	folder, err := os.MkdirTemp("", "jsiitest")
	if err != nil {
		panic(err)
	}
	// Node may still write to it; the system cleans up the rest.
	defer func() { _ = os.RemoveAll(folder) }()
	for name, value := range map[string]string{
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
		"JSII_DEPRECATED": "quiet",
		"TMPDIR":          folder,
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}

	// The import of the CDK prepared a process with the environment of that moment. It
	// has not started, and the next call prepares another one, which ends with its
	// input. Nothing closes that one: jsii.Close (v1.133.0) waits for it in two
	// goroutines at once, which the race detector reports.
	jsii.Close()

	return m.Run()
}

// Package jsiitest runs the tests of a package that uses the CDK, which is a Node
// process behind Go: quietly, and without leaving files behind.
package jsiitest

import (
	"os"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// Run is for a package's TestMain: it runs the tests and returns the exit code.
//
// Node says nothing about its version and about what the CDK calls inside itself,
// so that a failure is not buried. The folder for temporary files is one that
// goes with the tests.
func Run(m *testing.M) (code int) {
	folder, err := os.MkdirTemp("", "jsiitest")
	if err != nil {
		panic(err)
	}
	// Node may still be writing; what is left then is the system's to clean.
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
	// Importing the CDK prepared a process with the environment of that moment. It
	// was not started yet, and the next call prepares another. That one is left to
	// end when its input does: jsii.Close (v1.133.0) waits for it in two goroutines
	// at once, which the race detector reports.
	jsii.Close()
	return m.Run()
}

package spec

import (
	"fmt"
	"strconv"
)

// EnvironmentVariable carries the encoded Spec, or Names, in the function's environment.
const EnvironmentVariable = "REPLICATEDTABLE_SPEC"

// MebibytesPerProcessor is the memory with which a function has one processor; its
// share grows with its memory. Source: AWS Lambda Developer Guide, "Configure Lambda
// function memory".
const MebibytesPerProcessor = 1769

// gcPercent is how much garbage, relative to the heap in use, starts a collection. Go's
// own value is 100; more than 200 costs more memory than it saves time.
const gcPercent = 200

// Environment returns the whole environment of a function that gets the spec there. The
// memory has so many MiB, 0 if that is not known.
func (s Spec) Environment(mebibytes int) map[string]string { return environment(s.Encode(), mebibytes) }

// Environment returns the whole environment of a function that gets the mapping from a
// file.
func (n Names) Environment(mebibytes int) map[string]string {
	return environment(n.Encode(), mebibytes)
}

// environment returns a text for the function with settings that fit the Go runtime to
// its memory. Variables cost a starting process nothing; the same settings in code stop
// it.
func environment(text string, mebibytes int) map[string]string {
	environment := map[string]string{
		EnvironmentVariable: text,
		"GOGC":              strconv.Itoa(gcPercent),
	}
	if mebibytes == 0 {
		return environment
	}

	// Beyond three quarters of the memory, garbage is collected sooner: the rest is for
	// everything that is not heap.
	environment["GOMEMLIMIT"] = fmt.Sprintf("%dMiB", mebibytes*3/4)
	if mebibytes < MebibytesPerProcessor {
		// A function sees more processors than it has a share of. With a part of one,
		// waking a thread on another costs more than it brings.
		environment["GOMAXPROCS"] = "1"
	}

	return environment
}

package replicatedtable

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// maxEnvironmentBytes is the limit for all environment variables of a function
// together. Source: AWS Lambda Developer Guide, "Lambda quotas", environment
// variables.
const maxEnvironmentBytes = 4096

// environmentProblems checks that the spec fits into the function's environment,
// and says how many bytes of it each prop takes.
func environmentProblems(replication spec.Spec) []spec.Problem {
	size := environmentBytes(replication)
	if size <= maxEnvironmentBytes {
		return nil
	}

	target := replication.Targets[0]
	share := func(remove func(*spec.Target)) int {
		rest := target
		remove(&rest)
		without := replication
		without.Targets = []spec.Target{rest}
		return size - environmentBytes(without)
	}
	projection := share(func(t *spec.Target) { t.Projection.Attributes, t.Projection.Renames = nil, nil })
	sources := share(func(t *spec.Target) { t.KeySources = nil })
	filter := share(func(t *spec.Target) { t.Filter = nil })

	text := fmt.Sprintf("need %d bytes of the function's environment with table names of %d: "+
		"Lambda's limit is %d; shorten the attribute names, "+
		"or Projection (%d names, %d bytes now), KeySources (%d bytes now) or Filter (%d bytes now)",
		size, maxTableNameBytes, maxEnvironmentBytes,
		len(target.Projection.Attributes)+len(target.Projection.Renames), projection, sources, filter)
	return []spec.Problem{{Path: "Source, Target, KeySources, Projection and Filter", Text: text}}
}

// environmentBytes measures the environment as Lambda does: as one JSON object,
// which its refusal quotes after "String measured". So every quote inside a value
// counts twice. No memory makes the environment longer than the one assumed here.
func environmentBytes(replication spec.Spec) int {
	return len(encode(replication.Environment(spec.MebibytesPerProcessor - 1)))
}

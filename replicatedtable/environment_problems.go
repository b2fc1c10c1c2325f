package replicatedtable

import (
	"fmt"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// maxEnvironmentBytes is the limit for all environment variables of a function
// together. Source: AWS Lambda Developer Guide, "Lambda quotas", environment
// variables.
const maxEnvironmentBytes = 4096

// environmentProblems checks that the spec with its last target fits into the
// function's environment, and says how many bytes of it each target takes.
func environmentProblems(r replication) []spec.Problem {
	s := r.longest()
	size := environmentBytes(s)
	if size <= maxEnvironmentBytes {
		return nil
	}

	shares := make([]string, len(s.Targets))
	for i := range s.Targets {
		shares[i] = r.names[i] + " takes " + targetShare(s, i)
	}
	text := fmt.Sprintf("brings the function's environment to %d bytes with table names of %d: "+
		"Lambda's limit is %d; shorten the attribute names, Projection, KeySources or Filter: %s",
		size, maxTableNameBytes, maxEnvironmentBytes, strings.Join(shares, "; "))
	return []spec.Problem{{Path: r.names[len(r.names)-1], Text: text}}
}

// targetShare says how many bytes of the environment a target takes, with its table's
// name, and how many of them the props that can be long.
func targetShare(s spec.Spec, i int) string {
	target := s.Targets[i]
	share := func(remove func(*spec.Target)) int {
		rest := target
		remove(&rest)
		return targetBytes(target) - targetBytes(rest)
	}
	projection := share(func(t *spec.Target) { t.Projection.Attributes, t.Projection.Renames = nil, nil })
	sources := share(func(t *spec.Target) { t.KeySources = nil })
	filter := share(func(t *spec.Target) { t.Filter = nil })

	return fmt.Sprintf("%d bytes, of them Projection %d (%d names), KeySources %d and Filter %d", targetBytes(target),
		projection, len(target.Projection.Attributes)+len(target.Projection.Renames), sources, filter)
}

// targetBytes is the length of one target in the environment.
func targetBytes(target spec.Target) int {
	none, one := spec.Spec{Targets: []spec.Target{}}, spec.Spec{Targets: []spec.Target{target}}
	return environmentBytes(one) - environmentBytes(none)
}

// environmentBytes measures the environment as Lambda does: as one JSON object,
// which its refusal quotes after "String measured". So every quote inside a value
// counts twice. No memory makes the environment longer than the one assumed here.
func environmentBytes(s spec.Spec) int {
	return len(encode(s.Environment(spec.MebibytesPerProcessor - 1)))
}

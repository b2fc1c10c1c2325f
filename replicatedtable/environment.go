package replicatedtable

import "github.com/replicatedtable/cdk-go/internal/spec"

// variables returns the environment of a function with so many MiB of memory, 0 if that
// is not known. It holds the whole spec, or the names when the mapping is in a layer.
func (r replication) variables(mebibytes int) map[string]string {
	if r.needsLayer() {
		return r.Names().Environment(mebibytes)
	}
	return r.Environment(mebibytes)
}

// needsLayer reports whether the spec is too long for the function's environment. More
// targets only make it longer.
func (r replication) needsLayer() bool {
	return environmentBytes(r.longest().Environment(longestMiB)) > maxEnvironmentBytes
}

// maxEnvironmentBytes is the limit for all environment variables of a function
// together. Source: AWS Lambda Developer Guide, "Lambda quotas", environment
// variables.
const maxEnvironmentBytes = 4096

// longestMiB is a memory with which the environment is as long as with any other.
const longestMiB = spec.MebibytesPerProcessor - 1

// environmentBytes measures an environment as Lambda does: as one JSON object, which its
// refusal quotes after "String measured". So every quote inside a value counts twice.
func environmentBytes(variables map[string]string) int { return len(encode(variables)) }

package replicatedtable

import (
	"maps"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// variables returns the environment of a function with so many MiB of memory, 0 if that
// is not known. It holds the whole spec, or the names when the mapping is in a layer, and
// the variables of the caller, which replace the others.
func (r replication) variables(mebibytes int) map[string]string {
	variables := r.Environment(mebibytes)
	if r.needsLayer() {
		variables = r.Names().Environment(mebibytes)
	}
	maps.Copy(variables, r.environment)

	return variables
}

// tuning are the variables that fit the Go runtime to a function's memory.
var tuning = []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS"}

// reconcilerVariables returns the environment of a reconciler's function. The caller's tuning is
// for another memory.
func (r replication) reconcilerVariables(mebibytes int) map[string]string {
	r.environment = maps.Clone(r.environment)
	for _, name := range tuning {
		delete(r.environment, name)
	}
	return r.variables(mebibytes)
}

// needsLayer reports whether the spec is too long for the function's environment. More
// targets only make it longer.
func (r replication) needsLayer() bool {
	return r.bytesWith(r.longest().Environment(longestMiB)) > maxEnvironmentBytes
}

// bytesWith measures the function's own variables together with those of the caller. Only
// deployment knows the length of a token, and Lambda checks it.
func (r replication) bytesWith(variables map[string]string) int {
	for name, value := range r.environment {
		if isToken(value) {
			value = ""
		}
		variables[name] = value
	}
	return environmentBytes(variables)
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

package replicatedtable

import (
	"fmt"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// environmentProblems checks that the function's environment has room for the names of
// the tables, with the last target's. A mapping that does not fit beside them goes into
// a layer; the names cannot, because only deployment knows them.
func environmentProblems(r replication) []spec.Problem {
	if !r.needsLayer() {
		return nil
	}
	names := r.longest().Names()
	size := environmentBytes(names.Environment(longestMiB))
	if size <= maxEnvironmentBytes {
		return nil
	}

	shares := []string{fmt.Sprintf("Source %d", len(names.Source))}
	for i, name := range names.Targets {
		shares = append(shares, fmt.Sprintf("%s %d", r.names[i], len(name)))
	}
	text := fmt.Sprintf("brings the function's environment to %d bytes, without the mapping: Lambda's limit is %d; "+
		"shorten the name of the stack or the IDs of constructs, which the names of the tables contain: %s",
		size, maxEnvironmentBytes, strings.Join(shares, ", "))
	return []spec.Problem{{Path: r.names[len(r.names)-1], Text: text}}
}

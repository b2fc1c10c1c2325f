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
	own := names.Environment(longestMiB)
	ownSize, size := environmentBytes(own), r.bytesWith(own)
	if size <= maxEnvironmentBytes {
		return nil
	}

	shares := []string{fmt.Sprintf("Source %d", len(names.Source))}
	for i, name := range names.Targets {
		shares = append(shares, fmt.Sprintf("%s %d", r.names[i], len(name)))
	}
	remedy := "shorten"
	if len(r.environment) > 0 {
		remedy = fmt.Sprintf("shorten Environment, which takes %d bytes, or", size-ownSize)
	}
	text := fmt.Sprintf("brings the function's environment to %d bytes, without the mapping: Lambda's limit is %d; "+
		"%s the name of the stack or the IDs of constructs, which the names of the tables contain: %s",
		size, maxEnvironmentBytes, remedy, strings.Join(shares, ", "))
	return []spec.Problem{{Path: r.names[len(r.names)-1], Text: text}}
}

package replicator

import "github.com/replicatedtable/cdk-go/internal/dynamodberror"

// classify returns the class of a request's error.
func classify(err error) class {
	switch dynamodberror.Classify(err) {
	case dynamodberror.Transient:
		return transient
	case dynamodberror.Permanent:
		return permanent
	default:
		return systemic
	}
}

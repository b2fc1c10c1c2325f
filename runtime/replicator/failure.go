package replicator

import "slices"

// class says how a failure is handled.
type class int

const (
	// transient failures end by themselves: the records are redelivered.
	transient class = iota
	// permanent failures belong to one record, which can never be applied. It goes to the
	// failure queue and then counts as done.
	permanent
	// systemic failures belong to the configuration, not to a record: of the function, or of
	// one target. No record goes to the failure queue. What failed is redelivered until the
	// cause is repaired or, where other targets do not fail, the target is set aside.
	systemic
	// setAside failures belong to a target that fails as a whole while others do not, and
	// has for the grace time: the keys of its items go to the failure queue, and then count
	// as done.
	setAside
)

// failure is a record, or a chain of them, that was not applied.
type failure struct {
	// change is the index of the record. For a chain that must be redelivered it is the
	// chain's first.
	change int
	// mapping is the index of the mapping, or everyMapping.
	mapping int
	class   class
	err     error
	// chain is what was set aside, nil in the other classes.
	chain *chain
}

// from returns the failure as one of all chains of its mapping.
func (f failure) from(chains []chain) failure {
	for i := range chains {
		if chains[i].mapping == f.mapping && chains[i].last != nil {
			f.change = chains[i].first // chains are in the order of their first changes
			break
		}
	}
	return f
}

// everyMapping is the mapping of a failure that does not belong to one mapping.
const everyMapping = -1

// systemicFailure returns the failure of a whole batch.
func systemicFailure(err error) []failure {
	return []failure{{mapping: everyMapping, class: systemic, err: err}}
}

// isSystemic reports whether the whole batch failed. Such a failure is the only one.
func isSystemic(failures []failure) bool {
	return len(failures) == 1 && failures[0].class == systemic && failures[0].mapping == everyMapping
}

// findSystemic returns the index of the failure that says a mapping's table fails as a whole,
// or -1.
func findSystemic(failures []failure, mapping int) int {
	return slices.IndexFunc(failures, func(f failure) bool { return f.class == systemic && f.mapping == mapping })
}

// configurationError says why the function cannot apply the records that it receives, and
// how to repair that. Its texts may be logged.
type configurationError struct{ text, remedy string }

func (e *configurationError) Error() string { return e.text }

// wrongStream returns the error of a function that is not connected to the stream of its
// source table.
func wrongStream(text string) error {
	return &configurationError{
		text,
		"connect the function to the stream of its source table, with new and old images: deploy the stack again",
	}
}

// errSeveralDescriptors is the error of an event that DynamoDB did not write: DynamoDB
// writes one type descriptor per value. The event types of SDKs, encoded as JSON, list all
// ten, nine of them null.
var errSeveralDescriptors = &configurationError{
	"the event's attribute values carry several type descriptors, as hand-written test events do",
	`invoke the function with the JSON of a DynamoDB stream, one type descriptor per value ({"S":"text"}), ` +
		"or write to the source table instead",
}

package replicator

import (
	"errors"
	"testing"
)

func TestReportNamesTheFailedRecordsLowestFirst(t *testing.T) {
	numbered := func(numbers ...string) *event {
		e := &event{changes: make([]change, len(numbers))}
		for i, n := range numbers {
			e.changes[i].sequenceNumber = []byte(n)
		}
		return e
	}
	err := errors.New("any")
	for _, test := range []struct {
		name, why string
		event     *event
		failures  []failure
		want      string
	}{
		{"success", "an empty list means that the whole batch is done",
			numbered("1", "2"), nil, `{"batchItemFailures":[]}`},
		{"order", "Lambda resumes at the lowest one",
			numbered("100", "200", "300"), []failure{{change: 2, err: err}, {change: 0, err: err}},
			`{"batchItemFailures":[{"itemIdentifier":"100"},{"itemIdentifier":"300"}]}`},
		{"twice", "one record can fail for two targets",
			numbered("100", "200"), []failure{{change: 1, err: err}, {change: 1, err: err}},
			`{"batchItemFailures":[{"itemIdentifier":"200"}]}`},
		{"no number", "a record without a number cannot be named, the one before it can",
			numbered("100", "", "300"), []failure{{change: 1, err: err}},
			`{"batchItemFailures":[{"itemIdentifier":"100"}]}`},
		{"no number in front", "the empty identifier fails the whole batch",
			numbered("", "200"), []failure{{change: 0, err: err}, {change: 1, err: err}},
			`{"batchItemFailures":[{"itemIdentifier":""},{"itemIdentifier":"200"}]}`},
		{"bad number", "a text that is not a number is not sent to Lambda",
			numbered(`1"}`, "200"), []failure{{change: 0, err: err}}, `{"batchItemFailures":[{"itemIdentifier":""}]}`},
	} {
		if got := string(report(test.event, test.failures)); got != test.want {
			t.Errorf("%s: %s\n got %s\nwant %s", test.name, test.why, got, test.want)
		}
	}
}

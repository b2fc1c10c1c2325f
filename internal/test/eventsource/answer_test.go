package eventsource

import (
	"testing"
)

func TestAnAnswerSaysWhereToResume(t *testing.T) {
	batch := records("1", "2", "3")
	const all, whole = 3, -1
	for _, test := range []struct {
		answer string
		why    string
		want   int // index of the first record to redeliver; all: none; whole: the batch failed
	}{
		{``, "an empty response is a success", all},
		{` `, "an empty response is a success", all},
		{`null`, "a null response is a success", all},
		{`{}`, "an empty response is a success", all},
		{`""`, "an empty response is a success", all},
		{`[]`, "an empty response is a success", all},
		{`{"batchItemFailures":[]}`, "an empty list is a success", all},
		{`{"batchItemFailures":null}`, "a null list is a success", all},
		{` {"batchItemFailures" : [ ] } `, "space does not matter", all},
		{`{"statusCode":200}`, "a missing list is a success", all},
		{`{"BatchItemFailures":[{"itemIdentifier":"1"}]}`, "the list is missing: names are case-sensitive", all},

		{`{"batchItemFailures":[{"itemIdentifier":"2"}]}`, "the named record is redelivered with all that follow it", 1},
		{`{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"2"}]}`, "the lowest counts, in any order", 1},
		{`{"batchItemFailures":[{"itemIdentifier":"3"},{"itemIdentifier":"3"}]}`, "a number may appear twice", 2},
		{`{"batchItemFailures":[{"itemIdentifier":"1"}]}`, "the first record: all are redelivered", 0},
		{`{"batchItemFailures":[{"itemIdentifier":"2","reason":"x"}],"more":1}`, "other members do not matter", 1},

		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, "an empty identifier", whole},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, "a null identifier", whole},
		{`{"batchItemFailures":[{}]}`, "no identifier", whole},
		{`{"batchItemFailures":[null]}`, "no identifier", whole},
		{`{"batchItemFailures":[{"itemidentifier":"2"}]}`, "a bad key name", whole},
		{`{"batchItemFailures":[{"itemIdentifier":2}]}`, "a number is not an identifier", whole},
		{`{"batchItemFailures":["2"]}`, "a string is not a failure", whole},
		{`{"batchItemFailures":{"itemIdentifier":"2"}}`, "an object is not a list", whole},
		{`{"batchItemFailures":[{"itemIdentifier":"4"}]}`, "an unknown identifier", whole},
		{
			`{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"4"}]}`,
			"an unknown identifier among known ones", whole,
		},
		{`{"batchItemFailures":[{"itemIdentifier":"02"}]}`, "identifiers are compared as text", whole},
		{`{"batchItemFailures":[`, "not JSON", whole},
		{`"done"`, "neither an object nor empty", whole},
		{`[1]`, "neither an object nor empty", whole},
	} {
		t.Run(test.answer, func(t *testing.T) {
			got, err := checkpoint([]byte(test.answer), batch)
			if err != nil {
				got = whole
			}
			if got != test.want {
				t.Errorf("%s: resumes at %d (%v), want %d", test.why, got, err, test.want)
			}
		})
	}
}

func TestTheFirstOfTwoRecordsWithOneNumberIsMeant(t *testing.T) {
	if got, err := checkpoint([]byte(failed("2")), records("1", "2", "2", "3")); got != 1 || err != nil {
		t.Errorf("resumes at %d (%v), want 1", got, err)
	}
}

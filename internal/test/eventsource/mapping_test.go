package eventsource

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAHandlerIsInvokedAsByAnEventSourceMapping(t *testing.T) {
	always := slices.Repeat([]string{throw}, 100)
	crashes := func(lost ...bool) func(int) Disturbances {
		return func(int) Disturbances {
			return Disturbances{Crash: func() bool {
				if len(lost) == 0 {
					return false
				}
				crash := lost[0]
				lost = lost[1:]
				return crash
			}}
		}
	}
	for _, test := range []struct {
		name      string
		why       string
		mapping   Mapping
		records   []Record
		answers   []string
		batches   []string
		discarded []string
		stats     Stats // but Batches, Invocations and Delivered, which batches say
	}{
		{
			name:    "a batch holds at most BatchSize records",
			why:     "the last one holds the rest",
			mapping: Mapping{BatchSize: 2},
			records: records("1", "2", "3", "4", "5"),
			batches: []string{"1 2", "3 4", "5"},
		},
		{
			name:    "a batch holds at most MaxPayloadBytes",
			why:     "three of the records are 105 bytes, with the event around them and the commas 120",
			mapping: Mapping{MaxPayloadBytes: 119},
			records: records("1", "2", "3", "4", "5"),
			batches: []string{"1 2", "3 4", "5"},
		},
		{
			name:    "a record that is larger than the payload is delivered alone",
			why:     "it must not stop the shard",
			mapping: Mapping{MaxPayloadBytes: 1},
			records: records("1", "2"),
			batches: []string{"1", "2"},
		},
		{
			name: "a batch is cut where Cut says",
			why:  "a batch may hold any number of the available records",
			mapping: Mapping{BatchSize: 3, Disturb: func(int) Disturbances {
				return Disturbances{Cut: func(available int) int { return max(1, available-1) }}
			}},
			records: records("1", "2", "3", "4", "5"),
			batches: []string{"1 2", "3 4", "5"},
		},
		{
			name:    "an error brings the whole batch again, and later records wait",
			why:     "the shard is blocked until the batch is done",
			mapping: Mapping{BatchSize: 2, MaxRetryAttempts: -1},
			records: records("1", "2", "3"),
			answers: []string{throw, throw},
			batches: []string{"1 2", "1 2", "1 2", "3"},
			stats:   Stats{Retries: 2, Errors: 2, Redelivered: 4},
		},
		{
			name:    "a partial answer is not looked at without PartialResponses",
			why:     "it counts as a success until the mapping enables it",
			mapping: Mapping{MaxRetryAttempts: -1},
			records: records("1", "2"),
			answers: []string{failed("1")},
			batches: []string{"1 2"},
		},
		{
			name:    "the lowest reported number is the checkpoint",
			why:     "3 and 5 are redelivered although they were not reported",
			mapping: Mapping{PartialResponses: true, MaxRetryAttempts: -1},
			records: records("1", "2", "3", "4", "5"),
			answers: []string{failed("4", "2")},
			batches: []string{"1 2 3 4 5", "2 3 4 5"},
			stats:   Stats{Retries: 1, PartialAnswers: 1, Redelivered: 4},
		},
		{
			name:    "the rest of a batch is not filled up with newer records",
			why:     "it could be by its size; the newer records wait",
			mapping: Mapping{BatchSize: 3, PartialResponses: true, MaxRetryAttempts: -1},
			records: records("1", "2", "3", "4"),
			answers: []string{failed("3")},
			batches: []string{"1 2 3", "3", "4"},
			stats:   Stats{Retries: 1, PartialAnswers: 1, Redelivered: 1},
		},
		{
			name:    "progress does not give retries back",
			why:     "every answer has moved the checkpoint, yet 2 retries are 2 retries",
			mapping: Mapping{PartialResponses: true, MaxRetryAttempts: 2},
			records: records("1", "2", "3", "4", "5"),
			answers: []string{failed("2"), failed("3"), failed("4")},
			batches: []string{"1 2 3 4 5", "2 3 4 5", "3 4 5"},
			discarded: []string{
				"RetryAttemptsExhausted 4..5 (2): 4 5",
			},
			stats: Stats{Retries: 2, PartialAnswers: 3, Redelivered: 7, Discarded: 2},
		},
		{
			name:      "a batch that has no retries left is discarded and the shard goes on",
			why:       "1 invocation and 2 retries are 3 attempts",
			mapping:   Mapping{BatchSize: 2, MaxRetryAttempts: 2},
			records:   records("1", "2", "3"),
			answers:   []string{throw, throw, throw},
			batches:   []string{"1 2", "1 2", "1 2", "3"},
			discarded: []string{"RetryAttemptsExhausted 1..2 (2): 1 2"},
			stats:     Stats{Retries: 2, Errors: 3, Redelivered: 4, Discarded: 2},
		},
		{
			name:      "no retries means one attempt",
			why:       "0 is a limit, -1 is none",
			mapping:   Mapping{},
			records:   records("1"),
			answers:   []string{throw},
			batches:   []string{"1"},
			discarded: []string{"RetryAttemptsExhausted 1..1 (1): 1"},
			stats:     Stats{Errors: 1, Discarded: 1},
		},
		{
			name:    "what was done before the checkpoint is not discarded",
			why:     "only the records from the checkpoint on had no success",
			mapping: Mapping{PartialResponses: true},
			records: records("1", "2", "3"),
			answers: []string{failed("3")},
			batches: []string{"1 2 3"},
			discarded: []string{
				"RetryAttemptsExhausted 3..3 (1): 3",
			},
			stats: Stats{PartialAnswers: 1, Discarded: 1},
		},
		{
			name:    "with Bisect a failed batch is redelivered in halves, the second after the first is done",
			why:     "3 waits for 1 and 2; the splits take no retry, or everything would be discarded",
			mapping: Mapping{Bisect: true},
			records: records("1", "2", "3", "4"),
			answers: []string{throw, throw},
			batches: []string{"1 2 3 4", "1 2", "1", "2", "3 4"},
			stats:   Stats{Splits: 2, Errors: 2, Redelivered: 6},
		},
		{
			name:      "with Bisect a poison record is alone in the end",
			why:       "the other four records are done",
			mapping:   Mapping{Bisect: true, MaxRetryAttempts: 1},
			records:   records("1", "2", "3", "4", "5"),
			answers:   []string{throw, "", throw, throw, throw},
			batches:   []string{"1 2 3 4 5", "1 2", "3 4 5", "3", "3", "4 5"},
			discarded: []string{"RetryAttemptsExhausted 3..3 (1): 3"},
			stats:     Stats{Splits: 2, Retries: 1, Errors: 4, Redelivered: 9, Discarded: 1},
		},
		{
			name:    "with Bisect a partial answer splits at the returned number",
			why:     "the records before it are done, and no retry is used",
			mapping: Mapping{Bisect: true, PartialResponses: true},
			records: records("1", "2", "3", "4", "5"),
			answers: []string{failed("4"), failed("5")},
			batches: []string{"1 2 3 4 5", "4 5", "5"},
			stats:   Stats{Splits: 2, PartialAnswers: 2, Redelivered: 3},
		},
		{
			name:      "with Bisect a partial answer that names the first record uses a retry",
			why:       "there is nothing to split there",
			mapping:   Mapping{Bisect: true, PartialResponses: true, MaxRetryAttempts: 1},
			records:   records("1", "2"),
			answers:   []string{failed("1"), failed("1")},
			batches:   []string{"1 2", "1 2"},
			discarded: []string{"RetryAttemptsExhausted 1..2 (2): 1 2"},
			stats:     Stats{Retries: 1, Redelivered: 2, Discarded: 2},
		},
		{
			name:    "with Bisect an answer that cannot be read splits in half",
			why:     "it is a failure of the whole batch",
			mapping: Mapping{Bisect: true, PartialResponses: true},
			records: records("1", "2", "3", "4"),
			answers: []string{failed("")},
			batches: []string{"1 2 3 4", "1 2", "3 4"},
			stats:   Stats{Splits: 1, InvalidAnswers: 1, Redelivered: 4},
		},
		{
			name:      "the halves of a batch keep the retries it has used",
			why:       "the retry was used before the split, so 1 has none left",
			mapping:   Mapping{Bisect: true, PartialResponses: true, MaxRetryAttempts: 1},
			records:   records("1", "2"),
			answers:   []string{failed("1"), throw, throw},
			batches:   []string{"1 2", "1 2", "1", "2"},
			discarded: []string{"RetryAttemptsExhausted 1..1 (1): 1"},
			stats:     Stats{Retries: 1, Splits: 1, Errors: 2, Redelivered: 4, Discarded: 1},
		},
		{
			name:    "the second half of a batch does not pay for the first",
			why:     "each half is retried by itself",
			mapping: Mapping{Bisect: true, MaxRetryAttempts: 1},
			records: records("1", "2"),
			answers: []string{throw, throw, "", throw},
			batches: []string{"1 2", "1", "1", "2", "2"},
			stats:   Stats{Retries: 2, Splits: 1, Errors: 3, Redelivered: 4},
		},
		{
			name:      "after a poison record of every batch the shard goes on",
			why:       "one batch's retries are not another's",
			mapping:   Mapping{BatchSize: 1, MaxRetryAttempts: 1},
			records:   records("1", "2", "3"),
			answers:   []string{throw, throw, throw, throw},
			batches:   []string{"1", "1", "2", "2", "3"},
			discarded: []string{"RetryAttemptsExhausted 1..1 (1): 1", "RetryAttemptsExhausted 2..2 (1): 2"},
			stats:     Stats{Retries: 2, Errors: 4, Redelivered: 2, Discarded: 2},
		},
		{
			name:    "a handler that always fails loses every record one by one",
			why:     "Bisect ends at single records",
			mapping: Mapping{Bisect: true},
			records: records("1", "2", "3"),
			answers: always,
			batches: []string{"1 2 3", "1", "2 3", "2", "3"},
			discarded: []string{
				"RetryAttemptsExhausted 1..1 (1): 1",
				"RetryAttemptsExhausted 2..2 (1): 2",
				"RetryAttemptsExhausted 3..3 (1): 3",
			},
			stats: Stats{Splits: 2, Errors: 5, Redelivered: 5, Discarded: 3},
		},
		{
			name:    "a lost answer is a failure of the whole batch",
			why:     "the function was killed: its writes stay, its answer does not count",
			mapping: Mapping{PartialResponses: true, MaxRetryAttempts: -1, Disturb: crashes(true)},
			records: records("1", "2"),
			answers: []string{failed("2"), failed("2")},
			batches: []string{"1 2", "1 2", "2"},
			stats:   Stats{Crashes: 1, Retries: 2, PartialAnswers: 1, Redelivered: 3},
		},
		{
			name:    "the answer of an error can be lost too",
			why:     "it counts as the crash alone",
			mapping: Mapping{MaxRetryAttempts: -1, Disturb: crashes(true)},
			records: records("1"),
			answers: []string{throw},
			batches: []string{"1", "1"},
			stats:   Stats{Crashes: 1, Retries: 1, Redelivered: 1},
		},
		{
			name: "a rewind delivers everything from an earlier record again, in order",
			why:  "a lost checkpoint is at least once; nothing after it is left out",
			mapping: Mapping{BatchSize: 2, Disturb: func(int) Disturbances {
				return Disturbances{Rewind: func(done int) int {
					if done == 4 {
						return 3
					}
					return 0
				}}
			}},
			records: records("1", "2", "3", "4", "5"),
			batches: []string{"1 2", "3 4", "2 3", "4 5"},
			stats:   Stats{Rewinds: 1, Redelivered: 3},
		},
		{
			name: "a lane that always rewinds to its start ends",
			why:  "only a batch that takes it further than ever can be followed by a rewind",
			mapping: Mapping{BatchSize: 1, Disturb: func(int) Disturbances {
				return Disturbances{Rewind: func(done int) int { return done }}
			}},
			records: records("1", "2", "3"),
			batches: []string{"1", "1", "2", "1", "2", "3", "1", "2", "3"},
			stats:   Stats{Rewinds: 3, Redelivered: 6},
		},
		{
			name:    "no records mean no invocation",
			why:     "Lambda does not invoke a function with an empty batch",
			records: nil,
			batches: nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler := &script{t: t, answers: test.answers}
			var discarded []string
			test.mapping.OnFailure = func(d Discarded) error {
				if d.ShardID != "shard" {
					t.Errorf("discarded from shard %q", d.ShardID)
				}
				discarded = append(discarded, fmt.Sprintf("%s %s..%s (%d): %s", d.Condition,
					d.StartSequenceNumber, d.EndSequenceNumber, d.BatchSize, strings.Join(delivered(t, d.Payload), " ")))
				return nil
			}
			stats, err := test.mapping.Drain(t.Context(), oneShard(test.records), handler.handle)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(handler.batches, test.batches) {
				t.Errorf("%s:\ndelivered %q\nwant      %q", test.why, handler.batches, test.batches)
			}
			if !slices.Equal(discarded, test.discarded) {
				t.Errorf("%s:\ndiscarded %q\nwant      %q", test.why, discarded, test.discarded)
			}
			want := test.stats
			want.Invocations = len(test.batches)
			for _, batch := range test.batches {
				want.Delivered += len(strings.Fields(batch))
			}
			want.Batches = stats.Batches
			if stats != want {
				t.Errorf("%s:\ncounted %+v\nwant    %+v", test.why, stats, want)
			}
		})
	}
}

func TestBatchesAreCountedOnceHoweverOftenTheyComeAgain(t *testing.T) {
	mapping := Mapping{BatchSize: 2, MaxRetryAttempts: -1, Bisect: true}
	handler := &script{t: t, answers: []string{throw, throw}}
	stats, err := mapping.Drain(t.Context(), oneShard(records("1", "2", "3")), handler.handle)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Batches != 2 || stats.Invocations != 5 {
		t.Errorf("%d batches and %d invocations, want 2 and 5", stats.Batches, stats.Invocations)
	}
}

func TestWithoutADestinationDiscardedRecordsAreOnlyCounted(t *testing.T) {
	handler := &script{t: t, answers: []string{throw}}
	stats, err := (&Mapping{}).Drain(t.Context(), oneShard(records("1", "2")), handler.handle)
	if err != nil || stats.Discarded != 2 {
		t.Errorf("%d records discarded (%v), want 2", stats.Discarded, err)
	}
}

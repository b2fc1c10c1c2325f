package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// records makes one record for each sequence number, each of an item of its own.
func records(sequenceNumbers ...string) []Record {
	made := make([]Record, len(sequenceNumbers))
	for i, n := range sequenceNumbers {
		made[i] = record(n, n)
	}
	return made
}

func record(sequenceNumber, item string) Record {
	return Record{
		JSON:           fmt.Appendf(nil, `{"dynamodb":{"SequenceNumber":%q}}`, sequenceNumber),
		SequenceNumber: sequenceNumber,
		Item:           item,
		Created:        time.Now(),
	}
}

// delivered returns the sequence numbers in an event with records of record. It is
// much faster than a JSON decoder, and the property test calls it for a million of
// them.
func delivered(t *testing.T, event []byte) []string {
	t.Helper()
	const start = `{"dynamodb":{"SequenceNumber":"`
	parts := strings.Split(string(event), start)
	if parts[0] != eventStart {
		t.Fatalf("the event %s", event)
	}
	for i := 1; i < len(parts); i++ {
		number, end, _ := strings.Cut(parts[i], `"}}`)
		if end != "," && (end != eventEnd || i < len(parts)-1) {
			t.Fatalf("record %d of the event %s", i, event)
		}
		parts[i] = number
	}

	return parts[1:]
}

// failed is the answer that reports records.
func failed(sequenceNumbers ...string) string {
	var items []string
	for _, n := range sequenceNumbers {
		items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, n))
	}
	return `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`
}

const throw = "throw"

// script is a handler that gives its answers in turn, then answers that all is
// done. It notes the batches it is given.
type script struct {
	t       *testing.T
	answers []string
	batches []string
}

func (s *script) handle(_ context.Context, event []byte) ([]byte, error) {
	s.batches = append(s.batches, strings.Join(delivered(s.t, event), " "))
	if len(s.answers) == 0 {
		return nil, nil
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if answer == throw {
		return nil, errors.New("thrown")
	}
	return []byte(answer), nil
}

// oneShard is the shard of the tests that need only one.
func oneShard(records []Record) []Shard { return []Shard{{ID: "shard", Records: records}} }

func TestAHandlerIsInvokedAsByAnEventSourceMapping(t *testing.T) {
	forever := slices.Repeat([]string{throw}, 100)
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
			why:     "the last one holds what is left",
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
			why:     "3 and 5 come again although they were not reported",
			mapping: Mapping{PartialResponses: true, MaxRetryAttempts: -1},
			records: records("1", "2", "3", "4", "5"),
			answers: []string{failed("4", "2")},
			batches: []string{"1 2 3 4 5", "2 3 4 5"},
			stats:   Stats{Retries: 1, PartialAnswers: 1, Redelivered: 4},
		},
		{
			name:    "what is left of a batch is not filled up with newer records",
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
			name:    "with Bisect a failed batch comes again in halves, the second after the first is done",
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
			name:      "a handler that always fails loses every record one by one",
			why:       "Bisect ends at single records",
			mapping:   Mapping{Bisect: true},
			records:   records("1", "2", "3"),
			answers:   forever,
			batches:   []string{"1 2 3", "1", "2 3", "2", "3"},
			discarded: []string{"RetryAttemptsExhausted 1..1 (1): 1", "RetryAttemptsExhausted 2..2 (1): 2", "RetryAttemptsExhausted 3..3 (1): 3"},
			stats:     Stats{Splits: 2, Errors: 5, Redelivered: 5, Discarded: 3},
		},
		{
			name:    "a lost answer is a failure of the whole batch",
			why:     "the function was killed: what it did has happened, what it said has not",
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
			test.mapping.OnFailure = func(d Discarded) {
				if d.ShardID != "shard" {
					t.Errorf("discarded from shard %q", d.ShardID)
				}
				discarded = append(discarded, fmt.Sprintf("%s %s..%s (%d): %s", d.Condition,
					d.StartSequenceNumber, d.EndSequenceNumber, d.BatchSize, strings.Join(delivered(t, d.Payload), " ")))
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
	stats, err := mapping.Drain(t.Context(), oneShard(records("1", "2", "3")), (&script{t: t, answers: []string{throw, throw}}).handle)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Batches != 2 || stats.Invocations != 5 {
		t.Errorf("%d batches and %d invocations, want 2 and 5", stats.Batches, stats.Invocations)
	}
}

func TestWithoutADestinationDiscardedRecordsAreOnlyCounted(t *testing.T) {
	stats, err := (&Mapping{}).Drain(t.Context(), oneShard(records("1", "2")), (&script{t: t, answers: []string{throw}}).handle)
	if err != nil || stats.Discarded != 2 {
		t.Errorf("%d records discarded (%v), want 2", stats.Discarded, err)
	}
}

// Real time stands still in a bubble: a test that waits a week takes no time.
func TestARecordThatIsTooOldIsDiscarded(t *testing.T) {
	const age = time.Hour
	for _, test := range []struct {
		name      string
		why       string
		mapping   Mapping
		ages      []time.Duration // of the records 1, 2, …, before the first invocation
		answers   []string
		batches   []string
		discarded []string
	}{
		{
			name:      "before the first invocation",
			why:       "a mapping that starts late never shows the function what is too old",
			mapping:   Mapping{MaxRecordAge: age},
			ages:      []time.Duration{age + 2, age + 1, age, 0},
			batches:   []string{"3 4"},
			discarded: []string{"RecordAgeExceeded 1..2"},
		},
		{
			name:      "while its batch is being retried",
			why:       "2 is a minute younger: one more retry is left for it",
			mapping:   Mapping{MaxRecordAge: age, MaxRetryAttempts: -1, RetryDelay: 31 * time.Minute},
			ages:      []time.Duration{time.Minute, 0, -5 * time.Minute},
			answers:   slices.Repeat([]string{throw}, 3),
			batches:   []string{"1 2 3", "1 2 3", "3"},
			discarded: []string{"RecordAgeExceeded 1..2", "RecordAgeExceeded 3..3"},
		},
		{
			name:    "not without a limit",
			why:     "records are then retried until the stream trims them",
			mapping: Mapping{MaxRetryAttempts: -1, RetryDelay: 24 * time.Hour},
			ages:    []time.Duration{age},
			answers: slices.Repeat([]string{throw}, 2),
			batches: []string{"1", "1", "1"},
		},
		{
			name:      "whichever limit is reached first",
			why:       "the retries are exhausted long before the age",
			mapping:   Mapping{MaxRecordAge: age, MaxRetryAttempts: 1, RetryDelay: time.Second},
			ages:      []time.Duration{0},
			answers:   slices.Repeat([]string{throw}, 2),
			batches:   []string{"1", "1"},
			discarded: []string{"RetryAttemptsExhausted 1..1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var shard []Record
				for i, age := range test.ages {
					r := record(fmt.Sprint(i+1), "item")
					r.Created = time.Now().Add(-age)
					shard = append(shard, r)
				}
				handler := &script{t: t, answers: test.answers}
				var discarded []string
				test.mapping.OnFailure = func(d Discarded) {
					discarded = append(discarded, fmt.Sprintf("%s %s..%s", d.Condition, d.StartSequenceNumber, d.EndSequenceNumber))
				}
				stats, err := test.mapping.Drain(t.Context(), oneShard(shard), handler.handle)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(handler.batches, test.batches) {
					t.Errorf("%s:\ndelivered %q\nwant      %q", test.why, handler.batches, test.batches)
				}
				if !slices.Equal(discarded, test.discarded) {
					t.Errorf("%s:\ndiscarded %q\nwant      %q", test.why, discarded, test.discarded)
				}
				if test.discarded == nil && stats.Discarded != 0 {
					t.Errorf("%d records discarded", stats.Discarded)
				}
			})
		})
	}
}

func TestARetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		handler := &script{t: t, answers: []string{throw, throw, "", "", throw}}
		mapping := Mapping{BatchSize: 2, Bisect: true, MaxRetryAttempts: -1, RetryDelay: time.Second}
		_, err := mapping.Drain(t.Context(), oneShard(records("1", "2", "3")), func(ctx context.Context, event []byte) ([]byte, error) {
			at = append(at, time.Since(start))
			return handler.handle(ctx, event)
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{
			0,               // 1 2 fails
			1 * time.Second, // 1 fails
			2 * time.Second, // 1
			2 * time.Second, // 2 has not failed by itself
			2 * time.Second, // 3 is a new batch, and fails
			3 * time.Second, // 3
		}
		if !slices.Equal(at, want) {
			t.Errorf("invoked at %v, want %v", at, want)
		}
	})
}

func TestAnAnswerAfterTheDeadlineIsNone(t *testing.T) {
	const timeout = 10 * time.Second
	for _, test := range []struct {
		name     string
		why      string
		handle   func(ctx context.Context) error
		timeouts int
		elapsed  time.Duration
	}{
		{
			name:    "in time",
			why:     "the answer counts",
			handle:  func(context.Context) error { time.Sleep(timeout - 1); return nil },
			elapsed: timeout - 1,
		},
		{
			name:     "too late",
			why:      "the batch failed although the handler says that it is done",
			handle:   func(context.Context) error { time.Sleep(timeout + 1); return nil },
			timeouts: 1,
			elapsed:  timeout + 1,
		},
		{
			name:     "when its context ends",
			why:      "the error is a timeout, not the handler's own",
			handle:   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			timeouts: 1,
			elapsed:  timeout,
		},
		{
			name:     "long after",
			why:      "nobody waits for a handler that ignores its deadline: it is given the same time once more",
			handle:   func(context.Context) error { time.Sleep(time.Hour); return nil },
			timeouts: 1,
			elapsed:  2 * timeout,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mapping := Mapping{MaxRetryAttempts: -1, Timeout: timeout}
				start := time.Now()
				var calls atomic.Int32 // an abandoned handler runs beside the next
				stats, err := mapping.Drain(t.Context(), oneShard(records("1")), func(ctx context.Context, _ []byte) ([]byte, error) {
					if calls.Add(1) > 1 {
						return nil, nil
					}
					if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(start.Add(timeout)) {
						t.Errorf("the handler's deadline is %v (%t), want %v", deadline, ok, start.Add(timeout))
					}
					return nil, test.handle(ctx)
				})
				if err != nil {
					t.Fatal(err)
				}
				if stats.Timeouts != test.timeouts || stats.Retries != test.timeouts || stats.Errors != 0 {
					t.Errorf("%s: counted %+v, want %d timeouts, each retried", test.why, stats, test.timeouts)
				}
				if elapsed := time.Since(start); elapsed != test.elapsed {
					t.Errorf("%s: it took %s, want %s", test.why, elapsed, test.elapsed)
				}
				time.Sleep(time.Hour) // an abandoned handler must end before its bubble does
			})
		})
	}
}

// busy is a handler that takes a second, and notes what is under way.
type busy struct {
	t *testing.T

	mutex    sync.Mutex
	underWay map[string]bool
	most     int
	order    map[string][]string // sequence numbers by item, as they were delivered
}

// handle answers after a second. The item of a record is the part of its sequence
// number before the dot.
func (b *busy) handle(_ context.Context, event []byte) ([]byte, error) {
	numbers := delivered(b.t, event)
	items := make(map[string]bool)
	b.mutex.Lock()
	for _, n := range numbers {
		item, _, _ := strings.Cut(n, ".")
		items[item] = true
		b.order[item] = append(b.order[item], n)
	}
	for item := range items {
		if b.underWay[item] {
			b.t.Errorf("item %s is under way twice", item)
		}
		b.underWay[item] = true
	}
	b.most = max(b.most, len(b.underWay))
	b.mutex.Unlock()

	time.Sleep(time.Second)

	b.mutex.Lock()
	defer b.mutex.Unlock()
	for item := range items {
		delete(b.underWay, item)
	}
	return nil, nil
}

func newBusy(t *testing.T) *busy {
	return &busy{t: t, underWay: make(map[string]bool), order: make(map[string][]string)}
}

// ofItems makes records of items 0, 1, … in turn.
func ofItems(items, count int) []Record {
	var made []Record
	for i := range count {
		item := fmt.Sprint(i % items)
		made = append(made, record(fmt.Sprintf("%s.%d", item, i/items), item))
	}
	return made
}

func TestParallelBatchesKeepTheOrderOfEachItem(t *testing.T) {
	for _, factor := range []int{1, 3, 10} {
		t.Run(fmt.Sprintf("factor %d", factor), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const items, count = 40, 400
				b := newBusy(t)
				mapping := Mapping{BatchSize: 1, ParallelizationFactor: factor}
				stats, err := mapping.Drain(t.Context(), oneShard(ofItems(items, count)), b.handle)
				if err != nil {
					t.Fatal(err)
				}
				if b.most != factor {
					t.Errorf("%d batches were under way at once, want %d", b.most, factor)
				}
				if stats.Delivered != count {
					t.Errorf("%d records delivered, want %d", stats.Delivered, count)
				}
				for item, order := range b.order {
					if len(order) != count/items || !slices.IsSorted(order) {
						t.Errorf("item %s came as %v", item, order)
					}
				}
			})
		})
	}
}

func TestAFailingLaneDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var mutex sync.Mutex
		done := make(map[string]bool)
		mapping := Mapping{BatchSize: 1, MaxRetryAttempts: -1, ParallelizationFactor: 10, RetryDelay: time.Second}
		_, err := mapping.Drain(ctx, oneShard(ofItems(40, 400)), func(_ context.Context, event []byte) ([]byte, error) {
			item, _, _ := strings.Cut(delivered(t, event)[0], ".")
			if item == "7" {
				return nil, errors.New("item 7 is poison")
			}
			mutex.Lock()
			defer mutex.Unlock()
			done[item] = true
			return nil, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "item 7 is poison") {
			t.Errorf("Drain returned %v, want the end of the context and the last failure", err)
		}
		// Items that share a lane with item 7 may wait for it; with 10 lanes for 40
		// items most do not.
		if len(done) < 30 || done["7"] {
			t.Errorf("%d items are done (item 7: %t), want at least 30 and not item 7", len(done), done["7"])
		}
	})
}

func TestShardsAreDrainedAtOnceButAChildWaitsForItsParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mutex sync.Mutex
		began := make(map[string]time.Duration)
		shards := []Shard{
			{ID: "a", Records: records("a1", "a2")},
			{ID: "b", Parent: "trimmed", Records: records("b1")},
			{ID: "c", Parent: "a", Records: records("c1")},
			{ID: "d", Parent: "c", Records: records("d1")},
		}
		_, err := (&Mapping{BatchSize: 1}).Drain(t.Context(), shards, func(_ context.Context, event []byte) ([]byte, error) {
			mutex.Lock()
			began[delivered(t, event)[0]] = time.Since(start)
			mutex.Unlock()
			time.Sleep(time.Second)
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"a1": 0, "b1": 0, "a2": time.Second, "c1": 2 * time.Second, "d1": 3 * time.Second}
		for record, at := range want {
			if began[record] != at {
				t.Errorf("record %s came after %s, want %s", record, began[record], at)
			}
		}
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Run("between two attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			mapping := Mapping{MaxRetryAttempts: -1, RetryDelay: time.Hour, BatchSize: 1}
			stats, err := mapping.Drain(ctx, oneShard(records("1", "2")), (&script{t: t, answers: []string{"", throw}}).handle)
			if want := "shard shard: stopped at record 2 with 1 of 2 done: context deadline exceeded; the last failure was: thrown"; err == nil || err.Error() != want {
				t.Errorf("Drain returned %v\nwant %s", err, want)
			}
			if stats.Invocations != 2 || stats.Discarded != 0 {
				t.Errorf("counted %+v, want 2 invocations and nothing discarded", stats)
			}
		})
	})
	t.Run("during an invocation, which decides nothing then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			stats, err := (&Mapping{}).Drain(ctx, oneShard(records("1")), func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			if !errors.Is(err, context.DeadlineExceeded) || stats.Discarded != 0 {
				t.Errorf("Drain returned %v with %d records discarded, want the end of the context and none", err, stats.Discarded)
			}
		})
	})
	t.Run("before the first invocation", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		stats, err := (&Mapping{}).Drain(ctx, oneShard(records("1")), (&script{t: t}).handle)
		if !errors.Is(err, context.Canceled) || stats.Invocations != 0 {
			t.Errorf("Drain returned %v after %d invocations, want the end of the context and none", err, stats.Invocations)
		}
	})
}

func TestWhatLambdaWouldRefuseIsRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		mapping Mapping
		shards  []Shard
		want    string
	}{
		{name: "batch size", mapping: Mapping{BatchSize: 10_001}, want: "BatchSize 10001 is not 1 to 10000"},
		{name: "payload", mapping: Mapping{MaxPayloadBytes: 6<<20 + 1}, want: "MaxPayloadBytes 6291457 is not 1 to 6291456"},
		{name: "retry limit", mapping: Mapping{MaxRetryAttempts: -2}, want: "MaxRetryAttempts -2 is not -1 to 10000"},
		{name: "age limit", mapping: Mapping{MaxRecordAge: time.Second}, want: "MaxRecordAge 1s is not 1m0s to 168h0m0s"},
		{name: "parallelization", mapping: Mapping{ParallelizationFactor: 11}, want: "ParallelizationFactor 11 is not 1 to 10"},
		{name: "timeout", mapping: Mapping{Timeout: time.Hour}, want: "Timeout 1h0m0s is not 0 to 15m0s"},
		{name: "delay", mapping: Mapping{RetryDelay: -1}, want: "RetryDelay -1ns is negative"},
		{name: "all at once", mapping: Mapping{BatchSize: -1, Timeout: -1}, want: "Timeout -1ns is not 0 to 15m0s"},
		{name: "a shard without an ID", shards: []Shard{{}}, want: "shard number 0 has no ID"},
		{name: "two shards with one ID", shards: []Shard{{ID: "a"}, {ID: "a"}}, want: "two shards have the ID a"},
		{name: "a child before its parent", shards: []Shard{{ID: "b", Parent: "a"}, {ID: "a"}}, want: "shard b comes before its parent a"},
		{name: "a shard that is its own parent", shards: []Shard{{ID: "a", Parent: "a"}}, want: "shard a comes before its parent a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.mapping.Drain(t.Context(), test.shards, nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Drain returned %v, want %q", err, test.want)
			}
		})
	}
}

func TestADisturbanceThatCannotBeIsAPanic(t *testing.T) {
	for name, call := range map[string]func(){
		"an empty batch":          func() { cutTo(0) },
		"more than is available":  func() { cutTo(3) },
		"forward":                 func() { rewindBy(-1) },
		"before the first record": func() { rewindBy(3) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it went on")
				}
			}()
			call()
		})
	}
}

func cutTo(n int) {
	l := &lane{mapping: Mapping{BatchSize: 2, MaxPayloadBytes: highestPayloadBytes}, records: records("1", "2"),
		disturb: Disturbances{Cut: func(int) int { return n }}}
	l.cut(0)
}

func rewindBy(n int) {
	l := &lane{disturb: Disturbances{Rewind: func(int) int { return n }}}
	l.rewind(2)
}

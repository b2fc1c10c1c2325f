package eventsource

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestARetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		handler := &script{t: t, answers: []string{throw, throw, "", "", throw}}
		mapping := Mapping{BatchSize: 2, Bisect: true, MaxRetryAttempts: -1, RetryDelay: time.Second}
		noting := func(ctx context.Context, event []byte) ([]byte, error) {
			at = append(at, time.Since(start))
			return handler.handle(ctx, event)
		}
		_, err := mapping.Drain(t.Context(), oneShard(records("1", "2", "3")), noting)
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
			why:      "a handler that ignores its deadline has the same time once more",
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
				first := func(ctx context.Context, _ []byte) ([]byte, error) {
					if calls.Add(1) > 1 {
						return nil, nil
					}
					if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(start.Add(timeout)) {
						t.Errorf("the handler's deadline is %v (%t), want %v", deadline, ok, start.Add(timeout))
					}
					return nil, test.handle(ctx)
				}
				stats, err := mapping.Drain(t.Context(), oneShard(records("1")), first)
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

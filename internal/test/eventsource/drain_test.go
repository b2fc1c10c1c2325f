package eventsource

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Run("between two attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			mapping := Mapping{MaxRetryAttempts: -1, RetryDelay: time.Hour, BatchSize: 1}
			stats, err := mapping.Drain(ctx, oneShard(records("1", "2")), (&script{t: t, answers: []string{"", throw}}).handle)
			const want = "shard shard: stopped at record 2 with 1 of 2 done: context deadline exceeded; " +
				"the last failure was: thrown"
			if err == nil || err.Error() != want {
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
		{
			name: "parallelization", mapping: Mapping{ParallelizationFactor: 11},
			want: "ParallelizationFactor 11 is not 1 to 10",
		},
		{name: "timeout", mapping: Mapping{Timeout: time.Hour}, want: "Timeout 1h0m0s is not 0 to 15m0s"},
		{name: "delay", mapping: Mapping{RetryDelay: -1}, want: "RetryDelay -1ns is negative"},
		{name: "all at once", mapping: Mapping{BatchSize: -1, Timeout: -1}, want: "Timeout -1ns is not 0 to 15m0s"},
		{name: "a shard without an ID", shards: []Shard{{}}, want: "shard number 0 has no ID"},
		{name: "two shards with one ID", shards: []Shard{{ID: "a"}, {ID: "a"}}, want: "two shards have the ID a"},
		{
			name: "a child before its parent", shards: []Shard{{ID: "b", Parent: "a"}, {ID: "a"}},
			want: "shard b comes before its parent a",
		},
		{
			name: "a shard that is its own parent", shards: []Shard{{ID: "a", Parent: "a"}},
			want: "shard a comes before its parent a",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.mapping.Drain(t.Context(), test.shards, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
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

package main

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// "make test-kills" sets these.
var (
	killItems = flag.Int("kill.items", 2000, "items of the source table")
	kills     = flag.Int("kill.kills", 5, "how often the program is killed")
	killSeed  = flag.Uint64("kill.seed", 1, "seed of the writers and of the moments of the kills")
)

// A backfill is killed at random moments and resumed, while the application writes and the stream is
// applied. In the end, the targets are what the source maps to.
func TestABackfillSurvivesKills(t *testing.T) {
	r := newRig(t)
	s := worldSpec("kills")
	r.existing(s, users(t, *killItems))
	file := r.file("spec.json", s.Encode())

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	var writerErr, replicationErr error
	writing, stopWriting := context.WithCancel(ctx)
	replication := r.replication(s)
	all.Go(func() { replicationErr = replication.run(ctx) })
	var writer sync.WaitGroup
	writer.Go(func() {
		writerErr = r.writer(writing, s.Source.TableName, rand.New(rand.NewPCG(*killSeed, 2)), *killItems)
	})

	random := rand.New(rand.NewPCG(*killSeed, 3))
	// What a run without kills takes, at first a guess.
	whole := 300*time.Millisecond + time.Duration(*killItems)*time.Millisecond/4
	backfill := []string{"backfill", "-spec", file, "-progress", "kills.json", "-segments", "4"}
	killed := 0
	for done := false; !done; {
		cmd := r.command(backfill...)
		if killed < *kills {
			var output bytes.Buffer
			cmd.Stdout, cmd.Stderr = &output, &output
			check(t, cmd.Start())
			timer := time.AfterFunc(time.Duration(random.Int64N(int64(whole/4)))+whole/20, func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			if code := cmd.ProcessState.ExitCode(); err != nil && code >= 0 {
				t.Fatalf("exit code %d\n%s", code, &output)
			}
			if done = err == nil; !done {
				killed++
			}
			continue
		}
		if e := r.end(cmd); e.code != exitDone {
			t.Fatal(e)
		}
		done = true
	}
	stopWriting()
	writer.Wait()
	stop()
	all.Wait()
	check(t, writerErr)
	check(t, replicationErr)

	interrupted := 0
	for _, s := range r.progressOf("kills.json").Segments {
		if s.Interrupted {
			interrupted++
		}
	}
	t.Logf("killed %d times; %d segments were interrupted within a page", killed, interrupted)
	r.want(exitDone, "done", "verify", "-spec", file, "-grace", "1s")
	r.wantMapped(s)
}

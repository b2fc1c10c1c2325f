package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// backfilling is a slow backfill that has begun to write.
type backfilling struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	// ended is closed when the process has ended.
	ended chan struct{}
}

func (r *rig) backfilling(args ...string) *backfilling {
	r.t.Helper()
	b := &backfilling{Cmd: r.command(args...), ended: make(chan struct{})}
	b.Stdout, b.Stderr = &b.stdout, &b.stderr
	check(r.t, b.Start())
	go func() {
		defer close(b.ended)
		_ = b.Wait() // the exit code says more
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		content, _ := os.ReadFile(filepath.Join(r.folder, "progress.json"))
		if bytes.Contains(content, []byte(`"Begun":true`)) {
			return b
		}
		select {
		case <-b.ended:
			r.t.Fatalf("the backfill ended before it wrote: %s", b.end(r.t))
		case <-tick.C:
		}
	}
}

func (b *backfilling) end(t testing.TB) ended {
	t.Helper()
	<-b.ended
	return ended{b.ProcessState.ExitCode(), b.stdout.String(), b.stderr.String()}
}

// progressOf reads a progress file of the rig.
func (r *rig) progressOf(file string) progress {
	r.t.Helper()
	path := filepath.Join(r.folder, file)
	content, err := os.ReadFile(path)
	check(r.t, err)
	var p progress
	check(r.t, json.Unmarshal(content, &p))
	info, err := os.Stat(path)
	check(r.t, err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		r.t.Errorf("the progress file, which has key values, has mode %v", mode)
	}
	return p
}

// largeUsers are some pages of each of two segments.
func largeUsers(t testing.TB) []attributes {
	t.Helper()
	items := users(t, 600)
	for _, item := range items {
		item["name"] = text(strings.Repeat("x", 8<<10))
	}
	return items
}

func TestCtrlCFinishesThePagesAndTheNextRunContinues(t *testing.T) {
	r := newRig(t)
	s := worldSpec("ctrlc")
	r.existing(s, largeUsers(t))
	file := r.file("spec.json", s.Encode())
	args := []string{"backfill", "-spec", file, "-progress", "progress.json", "-segments", "2"}

	b := r.backfilling(args...)
	check(t, b.Process.Signal(os.Interrupt))
	e := b.end(t)
	if e.code != exitUnfinished || !strings.Contains(e.stderr, "run the same command again to continue") {
		t.Fatal(e)
	}
	p := r.progressOf("progress.json")
	if slices.ContainsFunc(p.Segments, func(s reconciler.Segment) bool { return s.Begun || s.Interrupted }) {
		t.Errorf("a page was not finished: %v", p.Segments)
	}
	if !slices.ContainsFunc(p.Segments, func(s reconciler.Segment) bool { return !s.Done && s.Counts.Pages > 0 }) {
		t.Errorf("the run was not in the middle: %v", p.Segments)
	}

	r.want(exitDone, "done", args...)
	if found := len(r.progressOf("progress.json").Segments); found != 2 {
		t.Errorf("there are %d segments: nothing was interrupted, so the targets need no pass", found)
	}
	r.wantMapped(s)
	// What is finished is not done again.
	before := r.progressOf("progress.json")
	if e := r.want(exitDone, "choose another file or remove this one", args...); e.stdout != "" {
		t.Errorf("a finished backfill says that it does something: %s", e)
	}
	after := r.progressOf("progress.json")
	if len(after.Segments) != 2 || after.Segments[0].Counts != before.Segments[0].Counts {
		t.Errorf("a finished run was continued: %v", after.Segments)
	}
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	r := newRig(t)
	s := worldSpec("twice")
	r.existing(s, largeUsers(t))
	file := r.file("spec.json", s.Encode())
	args := []string{"backfill", "-spec", file, "-progress", "progress.json", "-segments", "2"}

	b := r.backfilling(args...)
	check(t, b.Process.Signal(os.Interrupt))
	check(t, b.Process.Signal(syscall.SIGTERM))
	if e := b.end(t); e.code != exitUnfinished {
		t.Fatal(e)
	}
	if !slices.ContainsFunc(r.progressOf("progress.json").Segments, func(s reconciler.Segment) bool { return s.Begun }) {
		t.Errorf("the progress does not say that a page was begun: %v", r.progressOf("progress.json").Segments)
	}
	r.want(exitDone, "verify again after that", args...)
	r.wantMapped(s)
}

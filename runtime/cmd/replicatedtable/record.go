package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// recordVersion is the version of the form of a progress file.
const recordVersion = 1

// progress is what a progress file holds. It has key values of the application: only its owner can
// read it.
type progress struct {
	Version   int
	Operation reconciler.Operation
	DryRun    bool `json:",omitempty"`
	// Mapping is the hash of the mapping, and Tables identify the tables: a table that was deleted
	// and created again is another one.
	Mapping string
	Tables  []string
	// Of is the number of segments of each pass.
	Of       int
	Segments []reconciler.Segment
	// Finished is when all passes were done, zero before that.
	Finished time.Time `json:",omitzero"`
}

// mappingHash identifies how items are mapped, whatever the tables are called.
func mappingHash(s spec.Spec) string {
	s = s.WithoutNames()
	s.SetAsideSeconds, s.LogLevel = 0, ""
	for i := range s.Targets {
		s.Targets[i].WriteBrakeDisabled = false
	}
	sum := sha256.Sum256([]byte(s.Encode()))

	return hex.EncodeToString(sum[:])
}

// record is the progress of a run, and the file that it is kept in.
type record struct {
	path string // empty: the progress is kept in memory only
	lock *flock.Flock

	mu       sync.Mutex
	progress progress
	// saved counts the calls of save.
	saved int64

	writing sync.Mutex
	// written is what saved was at the last write, and err why that failed.
	written int64
	err     error
}

// openRecord continues the progress in a file, or begins it with begin if there is none. segments
// is what the caller asked for, 0 if that is open.
func openRecord(path string, begin progress, segments int) (*record, error) {
	r := &record{path: path, progress: begin}
	if path == "" {
		return r, nil
	}

	r.lock = flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := r.lock.TryLock()
	switch {
	case err != nil && isReadOnly(err):
		return nil, usageError("the progress cannot be kept in %s, whose folder cannot be written: "+
			"name another file with -progress", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("the progress cannot be kept in %s, whose folder is not there: "+
			"name another file with -progress", path)
	case err != nil:
		return nil, unfinished("the progress cannot be kept in %s: %s", path, cause(err))
	case !locked:
		return nil, usageError("the progress file %s is in use by another run: wait for it, or name another file", path)
	}

	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = r.write()
	case err == nil:
		err = r.resume(content, begin, segments)
	default:
		err = usageError("the progress file cannot be read: %s", err)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}

	return r, nil
}

// resume continues the progress of a file that was written for the same work.
func (r *record) resume(content []byte, begin progress, segments int) error {
	var found progress
	if err := json.Unmarshal(content, &found); err != nil || found.Version != recordVersion {
		return usageError("%s is not a progress file of this release: remove it to begin again, or name another file", r.path)
	}

	for _, rule := range []struct {
		ok   bool
		what string
	}{
		{found.Operation == begin.Operation, fmt.Sprintf("of a %s", found.Operation)},
		{!found.DryRun || begin.DryRun, "of a dry run"},
		{found.DryRun || !begin.DryRun, "of a run that is not dry"},
		{found.Mapping == begin.Mapping, "of another mapping"},
		{slices.Equal(found.Tables, begin.Tables), "of other tables"},
		{segments == 0 || found.Of == segments, fmt.Sprintf("of %d segments", found.Of)},
	} {
		if !rule.ok {
			return usageError("the progress in %s is %s: remove it to begin again, or name another file with -progress",
				r.path, rule.what)
		}
	}
	r.progress = found

	return nil
}

// again begins a finished verify or repair again, in the same file: it says how the tables are now,
// and not how they were.
func (r *record) again(begin progress) error {
	r.mu.Lock()
	r.progress = begin
	r.mu.Unlock()

	return r.write()
}

// finish keeps that all passes are done.
func (r *record) finish() error {
	r.mu.Lock()
	r.progress.Finished = time.Now().UTC().Truncate(time.Second)
	r.mu.Unlock()
	if r.path == "" {
		return nil
	}

	return r.write()
}

func (r *record) close() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Unlock()
}

// segments returns the segments of a pass, and adds them if it has not begun.
func (r *record) segments(p reconciler.Pass) []reconciler.Segment {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.find(p)
	if len(of) == 0 {
		for i := range r.progress.Of {
			r.progress.Segments = append(r.progress.Segments, reconciler.Segment{Pass: p, Number: i, Of: r.progress.Of})
		}
		of = r.find(p)
	}

	return of
}

func (r *record) find(p reconciler.Pass) []reconciler.Segment {
	var found []reconciler.Segment
	for _, s := range r.progress.Segments {
		if s.Pass == p {
			found = append(found, s)
		}
	}
	return found
}

// counts returns what has happened so far, in this run and before it.
func (r *record) counts() (sum reconciler.Counts, interrupted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.progress.Segments {
		sum.Add(s.Counts)
		interrupted = interrupted || s.Interrupted
	}
	return sum, interrupted
}

// passes returns the counts of each segment with its pass.
func (r *record) passes() []passCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	var passes []passCounts
	for _, s := range r.progress.Segments {
		passes = append(passes, passCounts{s.Pass, s.Counts})
	}
	return passes
}

// save keeps the progress of a segment. When it returns without an error, that is on disk. Calls
// that wait for one another share a write.
func (r *record) save(s reconciler.Segment) error {
	r.mu.Lock()
	at := slices.IndexFunc(r.progress.Segments, func(known reconciler.Segment) bool {
		return known.Pass == s.Pass && known.Number == s.Number
	})
	r.progress.Segments[at] = s
	r.saved++
	mine := r.saved
	r.mu.Unlock()
	if r.path == "" {
		return nil
	}

	r.writing.Lock()
	defer r.writing.Unlock()
	if r.written < mine {
		r.err = r.write()
	}

	return r.err
}

// write replaces the file. A write that fails leaves the file before it in place.
func (r *record) write() error {
	r.mu.Lock()
	content, err := json.Marshal(r.progress)
	r.written = r.saved
	r.mu.Unlock()
	if err != nil {
		return err
	}

	if err := replaceFile(r.path, content); err != nil {
		return unfinished("the progress cannot be written to %s: %s; what it holds is still right: "+
			"make room, and run the same command again to continue", r.path, cause(err))
	}
	return nil
}

// replaceFile replaces a file by its new content in one step: after a crash, it has either the old
// or the new one. The caller has the file's lock, so nobody else writes the new one.
func replaceFile(path string, content []byte) (err error) {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()

	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}

	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder survive a crash. Windows cannot, and needs no such call.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()

	return folder.Sync()
}

// cause is the last part of an error about a file: what the operating system says.
func cause(err error) string {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

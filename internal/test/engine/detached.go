package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Detached is a MiniStack that outlives the command that started it.
//
// MiniStack's own process holds its record file open and locked, so the operating
// system drops the lock when that process ends, in whatever way. So a locked record
// names the process that was started, and not a later one with the same id.
type Detached struct {
	// Endpoint is MiniStack's URL.
	Endpoint string `json:"endpoint"`
	// Log is the file with everything MiniStack wrote.
	Log string `json:"log"`
	// PID is MiniStack's process id and the id of its process group.
	PID int `json:"pid"`
	// Temporary is MiniStack's working directory, removed by Stop.
	Temporary string `json:"temporary"`

	record string
}

// ErrBusy means that the record's MiniStack runs, or that another command is
// starting it.
var ErrBusy = errors.New("MiniStack is running or being started by another command")

// StartDetachedMiniStack starts MiniStack like [StartMiniStack], but leaves it running
// when this process ends. It describes the MiniStack in the record file, which it
// creates if necessary. A record has at most one MiniStack: while that one runs or
// starts, the error is [ErrBusy].
func StartDetachedMiniStack(ctx context.Context, root, recordFile string) (*Detached, error) {
	record, err := os.OpenFile(recordFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer record.Close()
	if taken, err := lock(record); err != nil || taken {
		return nil, errors.Join(err, ErrBusy)
	}
	if err := record.Truncate(0); err != nil {
		return nil, err
	}

	l := miniStack(root)
	l.keeps = record
	s, err := start(ctx, root, l)
	if err != nil {
		return nil, err
	}
	d := &Detached{Endpoint: s.Endpoint, Log: s.Log, PID: s.process.Pid, Temporary: s.temporary, record: recordFile}
	if err := json.NewEncoder(record).Encode(d); err != nil {
		return nil, errors.Join(err, s.Stop())
	}

	return d, nil
}

// FindDetached returns the running MiniStack of a record file, or nil when none
// runs.
func FindDetached(recordFile string) (*Detached, error) {
	record, err := os.Open(recordFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer record.Close()

	if running, err := lock(record); err != nil || !running {
		return nil, err
	}
	d := &Detached{record: recordFile}
	if err := json.NewDecoder(record).Decode(d); err != nil {
		return nil, ErrBusy
	}

	return d, nil
}

// Stop ends MiniStack with the functions it runs, and waits until it is gone.
func (d *Detached) Stop() error {
	record, err := os.Open(d.record)
	if err != nil {
		return err
	}
	defer record.Close()

	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(-d.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end MiniStack, process %d: %w", d.PID, err)
		}
		gone, err := unlockedWithin(stopTimeout, record)
		if err != nil {
			return err
		}
		if gone {
			return os.RemoveAll(d.Temporary)
		}
	}

	return fmt.Errorf("end MiniStack, process %d: it still runs", d.PID)
}

// unlockedWithin waits until no other process has the file's lock.
func unlockedWithin(limit time.Duration, file *os.File) (bool, error) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if taken, err := lock(file); err != nil || !taken {
			return !taken, err
		}
	}
	return false, nil
}

// lock acquires the file's lock, or reports that another process has it.
func lock(file *os.File) (taken bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", file.Name(), err)
	}

	return false, nil
}

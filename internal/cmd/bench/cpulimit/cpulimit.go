// Package cpulimit limits a process to the share of a CPU that Lambda gives to a
// function.
package cpulimit

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// limitPeriod is the time within which a process gets its share. It is short, so that
// the limit holds within a run of some ten milliseconds, too.
const limitPeriod = 20 * time.Millisecond

// Limit is a control group whose processes share a part of one CPU.
type Limit struct{ folder string }

// New makes a control group, below the group of this process, with the share of one
// CPU that a function with this memory in MB has. It needs Linux, the cpu controller
// and the permission.
func New(memory int) (*Limit, error) {
	parent, unified, err := controlGroup()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(parent, "replicatedtable-bench-")
	if err != nil {
		return nil, err
	}

	period := limitPeriod.Microseconds()
	quota := int64(memory) * period / spec.MebibytesPerProcessor
	if unified {
		err = writeFile(folder, "cpu.max", fmt.Sprintf("%d %d", quota, period))
	} else if err = writeFile(folder, "cpu.cfs_period_us", strconv.FormatInt(period, 10)); err == nil {
		err = writeFile(folder, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
	}
	if err != nil {
		_ = os.Remove(folder) // err says more
		return nil, err
	}

	return &Limit{folder}, nil
}

// controlGroup returns the folder of the group that limits this process's CPU, and
// whether its hierarchy is the unified one, version 2.
func controlGroup() (folder string, unified bool, err error) {
	const root = "/sys/fs/cgroup"
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", false, err
	}

	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			if controller == "cpu" {
				return filepath.Join(root, fields[1], fields[2]), false, nil
			}
		}
		if fields[1] == "" {
			folder = filepath.Join(root, fields[2])
		}
	}
	if folder == "" {
		return "", false, fmt.Errorf("this process is in no control group with the cpu controller")
	}

	return folder, true, nil
}

// writeFile writes a file of the kernel's. It does not create one: without the
// controller the file does not exist.
func writeFile(folder, name, content string) error {
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if closed := f.Close(); err == nil {
		err = closed
	}

	return err
}

// Add limits a process.
func (l *Limit) Add(process int) error {
	return writeFile(l.folder, "cgroup.procs", strconv.Itoa(process))
}

// Remove removes the group, whose processes must have ended.
func (l *Limit) Remove() error { return os.Remove(l.folder) }

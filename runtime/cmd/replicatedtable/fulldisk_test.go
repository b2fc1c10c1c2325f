//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The progress file is on a disk that is too small for it. The run stops with a line that says so,
// what is on the disk is still right, and the run continues when there is room.
func TestAFullDiskLosesNoProgress(t *testing.T) {
	r := newRig(t)
	s := worldSpec("full")
	r.existing(s, users(t, 2000))
	file := r.file("spec.json", s.Encode())
	small := filepath.Join(r.folder, "small")
	check(t, os.Mkdir(small, 0o700))
	progress := filepath.Join(small, "progress.json")

	// A file system of 32 KiB, which only the shell and its children see. The progress of 200
	// segments needs more.
	script := `mount -t tmpfs -o size=32k small ` + small + ` || exit 9
"$0" "$@"; code=$?
cat ` + progress + ` >&3; ls ` + small + ` | grep -v '^progress.json' | grep -v lock
mount -o remount,size=4m ` + small + ` || exit 9
"$0" "$@" || exit 8
exit $code`
	cmd := exec.Command("unshare", append([]string{"--user", "--map-root-user", "--mount", "sh", "-c", script, r.program},
		"backfill", "-spec", file, "-progress", progress, "-segments", "200")...)
	cmd.Dir, cmd.Env = r.folder, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kept, err := os.Create(filepath.Join(r.folder, "kept"))
	check(t, err)
	defer kept.Close()
	cmd.ExtraFiles = []*os.File{kept}

	e := r.end(cmd)
	if e.code != exitUnfinished || !strings.Contains(e.stderr, "no space left on device") ||
		!strings.Contains(e.stderr, "make room, and run the same command again") {
		t.Error(e)
	}
	content, err := os.ReadFile(kept.Name())
	check(t, err)
	if !strings.HasPrefix(string(content), `{"Version":1`) || !strings.HasSuffix(string(content), "}") {
		t.Errorf("the progress on the full disk is not whole: %s", content)
	}
	r.want(exitDone, "0 missing", "verify", "-spec", file, "-grace", "1s")
	r.wantMapped(s)
}
